"""Watching a run in the foreground: Ctrl+C pauses it, a second one leaves it alone; a pilot is asked about here."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from vqa_tui.cli.errors import INTERRUPTED, WORK_FAILED
from vqa_tui.cli.options import command_line
from vqa_tui.cli.run_faces import LineFace, LiveFace, WatchFace
from vqa_tui.cli.run_lines import outcome_words, pilot_words
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.operations.runs import ENDED_PHASES, approve_run, pause_run, run_view
from vqa_tui.operations.workspace import Workspace

_EVERY_S = 0.25
_SETTLED_S = 1.0
"""How long a waiting phase must stand before it is believed: a wish just given takes the engine a moment."""


class RunWatch:
    """One person, or one script, watching one run."""

    def __init__(
        self,
        workspace: Workspace,
        run_id: int,
        explicit: Path | None,
        *,
        machine_output: bool = False,
        plain_lines: bool = False,
    ) -> None:
        """`machine_output` keeps stdout free, `plain_lines` asks nothing and redraws nothing even in a terminal."""
        self._workspace = workspace
        self._run_id = run_id
        self._explicit = explicit
        self._in_terminal = sys.stdout.isatty() and sys.stdin.isatty() and not (machine_output or plain_lines)
        self._face: WatchFace = LiveFace() if self._in_terminal else LineFace(to_stderr=machine_output)
        self._presses = 0
        self._pressed = asyncio.Event()
        self._phase: Phase | None = None
        self._phase_since = 0.0
        self._told_how_to_resume = False

    async def to_the_end(self, begin: Callable[[], Awaitable[None]] | None = None, *, stay: bool = True) -> int:
        """Show the run until it ended, waits for somebody, or the person leaves; return the exit code.

        `begin` starts it first: Ctrl+C meanwhile pauses it too, for a run that was begun and goes on unseen spends.
        Without `stay` only that is watched, and nothing is shown where nobody presses.
        """
        with self._interrupts():
            try:
                if begin is not None:
                    await begin()
                return await self._watch() if stay or self._presses else 0
            finally:
                self._face.close()

    async def _watch(self) -> int:
        pause_asked = False
        while True:
            view = await run_view(self._workspace, self._run_id)
            self._face.show(view)
            if (code := self._over(view)) is not None:
                return code
            if self._presses and not pause_asked:
                if view.phase is Phase.AWAITING_APPROVAL:
                    return self._left(view)
                pause_asked = True
                self._face.remark("Pausing: what is in flight ends first. Ctrl+C again leaves the run to itself.")
                # It may have ended between the view and now; the next view says so.
                with contextlib.suppress(VqaError):
                    await pause_run(self._workspace, self._run_id)
            if self._presses > 1 or (pause_asked and view.phase is Phase.PAUSED):
                return self._left(view)
            if self._waits(view):
                if view.phase is Phase.AWAITING_APPROVAL:
                    if not self._in_terminal:
                        return self._needs_approval(view)
                    if not await self._ask_about_pilot(view):
                        return INTERRUPTED if self._presses else 0
                elif not self._told_how_to_resume:
                    self._remark_going_on("It waits for somebody.", view)
                    self._told_how_to_resume = True
                    if not self._in_terminal:
                        return WORK_FAILED
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pressed.wait(), _EVERY_S)
            self._pressed.clear()

    def _over(self, view: RunView) -> int | None:
        """Return the exit code when there is nothing more to watch."""
        if view.engine.state is EngineState.LOST:
            self._face.close()
            self._remark_command("The engine of this run is gone. To go on where it stood:", "run resume", view)
            return WORK_FAILED
        if view.phase not in ENDED_PHASES:
            return None
        if view.phase is Phase.CREATED:
            if view.engine.state is not EngineState.NONE:
                return None
            self._remark_command("This run was never started. To start it:", "run resume", view)
            return WORK_FAILED
        self._face.close()
        self._face.remark(outcome_words(view))
        if view.counts.failed:
            self._remark_command("What failed, and why:", "item list", view, " --status failed")
            self._remark_command("To ask for those again:", "run retry", view)
        return 0 if view.phase is Phase.DONE and view.counts.done else WORK_FAILED

    def _waits(self, view: RunView) -> bool:
        """Tell whether the run has been waiting for somebody for long enough to believe it."""
        if view.phase is not self._phase:
            self._phase, self._phase_since = view.phase, time.monotonic()
            self._told_how_to_resume = False
        waiting = view.phase in (Phase.AWAITING_APPROVAL, Phase.PAUSED)
        return waiting and time.monotonic() - self._phase_since >= _SETTLED_S

    def _left(self, view: RunView) -> int:
        self._face.close()
        if view.phase is Phase.PAUSED:
            self._remark_going_on("Paused.", view)
        else:
            self._remark_command("The run goes on by itself. To come back:", "run watch", view)
        return INTERRUPTED

    def _needs_approval(self, view: RunView) -> int:
        for line in pilot_words(view):
            self._face.remark(line)
        self._remark_command("The run waits. To let it go on:", "run approve", view)
        return 0

    async def _ask_about_pilot(self, view: RunView) -> bool:
        """Show what the pilot measured and ask; return whether watching goes on."""
        self._face.close()
        for line in pilot_words(view):
            self._face.remark(line)
        self._face.remark("Go on with the rest? [y/n] ")
        async with _typed_lines() as lines:
            while (answer := await self._answer(lines)) == "":
                self._face.remark("Please type y or n. ")
        if answer == "y":
            await approve_run(self._workspace, self._run_id)
            self._phase = None
        if answer in ("y", "decided elsewhere"):
            return True
        self._remark_command("The run waits. To let it go on:", "run approve", view)
        self._remark_command("To end it:", "run stop", view)
        return False

    async def _answer(self, lines: "asyncio.Queue[str | None]") -> str:
        """Return y, n, '' for anything else, or `decided elsewhere` when another face approved or ended the run."""
        while not self._presses:
            try:
                line = await asyncio.wait_for(lines.get(), _EVERY_S)
            except TimeoutError:
                view = await run_view(self._workspace, self._run_id)
                if view.phase is not Phase.AWAITING_APPROVAL or view.engine.state is EngineState.LOST:
                    return "decided elsewhere"
                continue
            if line is None:
                return "n"
            word = line.strip().lower()
            return {"y": "y", "yes": "y", "n": "n", "no": "n"}.get(word, "")
        return "n"

    def _remark_going_on(self, words: str, view: RunView) -> None:
        """Say which command lets a paused run go on."""
        if view.at_cap:
            self._remark_command(f"{words} To raise its budget, so that it goes on:", "run set", view, " budget=USD")
        else:
            self._remark_command(f"{words} To let it go on:", "run resume", view)

    def _remark_command(self, words: str, command: str, view: RunView, options: str = "") -> None:
        self._face.remark(f"{words}  {command_line(f'{command} {view.name}{options}', self._explicit)}")

    @contextlib.contextmanager
    def _interrupts(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._press)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def _press(self) -> None:
        self._presses += 1
        self._pressed.set()


@contextlib.asynccontextmanager
async def _typed_lines() -> AsyncIterator["asyncio.Queue[str | None]"]:
    """Give a queue of the lines typed at the terminal; None is its end. Reading never blocks the loop."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        # A terminal hands over one whole line when it says that it is readable.
        line = sys.stdin.readline()
        lines.put_nowait(line if line else None)

    loop.add_reader(descriptor, read)
    try:
        yield lines
    finally:
        loop.remove_reader(descriptor)
