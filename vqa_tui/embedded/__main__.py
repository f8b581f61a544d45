"""`python -m vqa_tui.embedded`: the embedded endpoint as a child that lives exactly as long as its stdin is open."""

import gc
import signal

# Ctrl+C in a terminal reaches every process of the foreground group; whoever started this one decides when it ends.
# It comes before the imports because they take most of the start-up time.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# What is imported stays to the end: the collector need not go through it, neither here nor later.
gc.disable()

import asyncio  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import TextIO  # noqa: E402

from vqa_tui.domain.failure import VqaError  # noqa: E402
from vqa_tui.embedded.child import ChildReport, ChildSettings  # noqa: E402
from vqa_tui.embedded.server import EmbeddedEndpoint  # noqa: E402


def main() -> int:
    """Serve until stdin is closed. Returns the exit code."""
    gc.freeze()
    gc.enable()
    settings = ChildSettings.model_validate_json(sys.stdin.buffer.readline())
    try:
        asyncio.run(_serve(settings))
    except VqaError as error:
        _report(ChildReport(error=error.message, hint=error.hint), sys.stdout)
        return 2
    return 0


async def _serve(settings: ChildSettings) -> None:
    server = EmbeddedEndpoint(
        settings.behaviour,
        model=settings.model,
        key_names=settings.key_names,
        image_tokens=settings.image_tokens,
        video_tokens_per_second=settings.video_tokens_per_second,
        port=settings.port,
    )
    async with server as endpoint:
        _announce(endpoint.base_url, keep_stderr=settings.keep_stderr)
        await _stdin_closed()


def _announce(base_url: str, *, keep_stderr: bool) -> None:
    """Report where we listen, with stdout, and stderr unless it is a log, already pointed to nowhere: from the report
    on nobody reads them.
    """
    parent, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if not keep_stderr:
        os.dup2(nowhere, 2)
    os.close(nowhere)
    with open(parent, "w", encoding="utf-8") as pipe:
        _report(ChildReport(base_url=base_url), pipe)


def _report(report: ChildReport, pipe: TextIO) -> None:
    pipe.write(report.model_dump_json() + "\n")
    pipe.flush()


async def _stdin_closed() -> None:
    """Return when the other end of stdin is gone, for whatever reason: the kernel closes it even after `kill -9`."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def drain() -> None:
        if not os.read(0, 65536):
            loop.remove_reader(0)
            ended.set()

    os.set_blocking(0, False)
    loop.add_reader(0, drain)
    await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
