"""Telling a person who looks elsewhere: the terminal's bell, a desktop notification (OSC 9), a command of theirs."""

import asyncio
import os
import shlex
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from vqa_tui.config.app_settings import AppSettings
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.notices import Notice, Standing, notices, standings

COMMAND_WITHIN_S = 10.0
_LONGEST = 200
_PASSED_ON = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "TMUX",
)  # fmt: skip
"""Variables that the command sees: none of them can be a key."""


class Notifier:
    """Compares how all runs stand with how they stood, and passes the difference on."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """`write` sends characters to the terminal as they are."""
        self._write = write
        self._before: dict[int, Standing] | None = None
        self._for_command: deque[str] = deque()

    def news(self, runs: Sequence[RunSummary]) -> list[Notice]:
        """Return what is new since the last call; the first call only looks."""
        before, self._before = self._before, standings(runs)
        return [] if before is None else notices(before, runs)

    def pass_on(self, words: str, settings: AppSettings) -> None:
        """Tell it by bell and desktop, at once."""
        if settings.bell:
            self._write("\a")
        if settings.desktop:
            self._write(desktop_notification(words, os.environ))

    def leave_to_command(self, words: str) -> None:
        """Let the next `run_commands` tell it, or the one that is under way."""
        self._for_command.append(words)

    async def run_commands(self, command: Callable[[], str], trouble: Callable[[VqaError], None]) -> None:
        """Run `command` for all that waits for it, one after the other; one that fails keeps none from being told."""
        while self._for_command:
            words, now = self._for_command.popleft(), command()
            if not now:
                continue  # it was taken out of the settings meanwhile
            try:
                await run_command(now, words, os.environ)
            except VqaError as error:
                trouble(error)


def desktop_notification(words: str, environment: Mapping[str, str]) -> str:
    """Return OSC 9 with `words`; inside tmux it is wrapped so that tmux passes it on (`allow-passthrough on`)."""
    text = clean(words, one_line=True, limit=_LONGEST)
    sequence = f"\x1b]9;{text}\x07"
    return f"\x1bPtmux;\x1b{sequence}\x1b\\" if environment.get("TMUX") else sequence


async def run_command(command: str, words: str, environment: Mapping[str, str]) -> None:
    """Start `command` with `words` as its last argument, without a shell, and wait for its end.

    Raises VqaError when it cannot be started, fails, or takes longer than COMMAND_WITHIN_S; it is ended then.
    """
    hint = "Change it in the settings: `vqa-tui settings set command=…`."
    try:
        arguments = shlex.split(command)
        process = await asyncio.create_subprocess_exec(
            *arguments,
            clean(words, one_line=True, limit=_LONGEST),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: environment[name] for name in _PASSED_ON if name in environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise VqaError(f"the notification command cannot be started: {error}", hint=hint) from error
    try:
        async with asyncio.timeout(COMMAND_WITHIN_S):
            status = await process.wait()
    except TimeoutError:
        raise VqaError(
            f"the notification command did not end within {COMMAND_WITHIN_S:.0f} s and was stopped", hint=hint
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        raise VqaError(f"the notification command ended with {status}", hint=hint)
