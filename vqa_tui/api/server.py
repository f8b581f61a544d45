"""The server of the API: one workspace, kept open while it listens."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from vqa_tui.api.actions import Actions
from vqa_tui.api.bearer import Bearer
from vqa_tui.api.jobs import Jobs
from vqa_tui.api.refusals import errors_in_words
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.workspace import Workspace
from vqa_tui.web.gate import LOOPBACK_NAMES, is_loopback

MOST_BODY_BYTES = 256 * 1024
_OPERATIONS = Actions()


@asynccontextmanager
async def api_server(
    workspace: Workspace,
    token: str,
    *,
    host: str,
    port: int,
    allow_outside: bool = False,
    actions: Actions = _OPERATIONS,
) -> AsyncIterator[str]:
    """Serve the API of `workspace` to whoever has `token`; give its address. Port 0 takes a free one.

    Names other than those of loopback are answered only where `host` is not loopback. Raises VqaError when the address
    cannot be taken.
    """
    bearer = Bearer(token, LOOPBACK_NAMES | {host} if is_loopback(host) else None)
    app = web.Application(middlewares=[errors_in_words, bearer.middleware], client_max_size=MOST_BODY_BYTES)
    jobs = Jobs(workspace, actions, allow_outside=allow_outside)
    jobs.add_to(app.router)
    # A request that is no HTTP would be logged with its headers, the token among them.
    silent = logging.Logger(__name__)
    silent.disabled = True
    # A reader that leaves must not be waited for until its training ends.
    runner = web.AppRunner(app, access_log=None, logger=silent, handler_cancellation=True, shutdown_timeout=2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise VqaError(
                f"cannot listen on {host}, port {port}: {error.strerror or error}",
                hint="Choose another port with --port, or none to take a free one.",
            ) from error
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await jobs.finish()


async def serve_api(
    workspace: Workspace, token: str, *, host: str, port: int, allow_outside: bool, tell: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `tell` gets the address once it answers."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with api_server(workspace, token, host=host, port=port, allow_outside=allow_outside) as address:
        tell(address)
        await stopped.wait()
