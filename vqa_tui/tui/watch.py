"""The one poller: asks cheaply whether anything moved, reads one frozen view, and publishes it."""

import asyncio
import time
from collections.abc import Callable

from textual.dom import DOMNode
from textual.signal import Signal

from vqa_tui.domain.failure import RunGone, VqaError
from vqa_tui.tui.present.seen import SeenRun, SeenRuns
from vqa_tui.tui.services import Services
from vqa_tui.tui.wishes import Wishes

POLL_S = 0.25
REREAD_S = 1.0
"""Ages, countdowns and a heartbeat that stopped move on although nobody writes."""


class Watch:
    """Reads the list of runs, or one run, whichever is followed. One read at a time, so refreshes never overlap."""

    def __init__(
        self,
        owner: DOMNode,
        services: Services,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.runs_seen: Signal[SeenRuns] = Signal(owner, "runs_seen")
        self.run_seen: Signal[SeenRun] = Signal(owner, "run_seen")
        self.trouble: Signal[str] = Signal(owner, "trouble")
        """Why nothing can be read, once each time that changes; empty when it can be read again."""
        self.trouble_now = ""
        """What `trouble` has told last."""
        self.run_gone: Signal[str] = Signal(owner, "run_gone")
        """What the run was called that was followed and is deleted."""
        self.wishes = Wishes(monotonic)
        self.run_id: int | None = None
        """The run that the modes Run and Items show."""
        self.unasked = False
        """Whether that run was taken for being the newest, by nobody's choice."""
        self.last_run: SeenRun | None = None
        self.last_runs: SeenRuns | None = None
        self._services = services
        self._now = now
        self._shows_list = True
        self._version: int | None = None
        self._asked = 0
        """How often something was to be read anew."""
        self._read_at = float("-inf")
        self._wake = asyncio.Event()

    def follow_runs(self, *, at_once: bool = True) -> None:
        """Read the list of runs from now on; not `at_once`, with the next look."""
        self._shows_list = True
        self._look(at_once)

    def follow_run(self, run_id: int, *, unasked: bool = False, at_once: bool = True) -> None:
        """Read one run from now on; `unasked` where nobody chose it and it was taken for being the newest."""
        self.unasked = unasked
        if run_id != self.run_id:
            self.last_run = None
        self._shows_list, self.run_id = False, run_id
        self._look(at_once)

    def forget_run(self, run_id: int) -> None:
        """Follow that run no more: it is gone, and whoever goes to a mode about a run gets another one."""
        if run_id == self.run_id:
            name = self.last_run.view.name if self.last_run is not None else f"number {run_id}"
            self.run_id = self.last_run = None
            self.run_gone.publish(name)

    def look_now(self) -> None:
        """Read again at once: our own writes do not move the data version of our own connection."""
        self._look(at_once=True)

    def _look(self, at_once: bool) -> None:
        self._version = None
        self._asked += 1
        if at_once:
            self._wake.set()

    async def keep_looking(self) -> None:
        """Look four times a second until cancelled; a failed read is told once and tried again."""
        while True:
            self._wake.clear()
            try:
                await self.look()
                self._tell("")
            except Exception as error:  # A poller that dies leaves a screen that lies; whatever failed is shown.
                self._tell(str(error) if isinstance(error, VqaError) else f"{type(error).__name__}: {error}")
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Read and publish what is followed, if it moved or its ages are a second old."""
        asked = self._asked
        version = await self._services.data_version()
        now = self._now()
        if version == self._version and now - self._read_at < REREAD_S:
            return
        self._services.require_workspace()
        if self._shows_list:
            seen_runs = SeenRuns(await self._services.runs(), now)
            self.last_runs = seen_runs
            self.runs_seen.publish(seen_runs)
        elif (run_id := self.run_id) is not None:
            try:
                view = await self._services.run_view(run_id)
            except RunGone:
                self.forget_run(run_id)
                return
            if run_id != self.run_id:
                return
            self.last_run = SeenRun(view, now)
            self.run_seen.publish(self.last_run)
        if asked == self._asked:  # else something else is followed since, and was not read yet
            self._version, self._read_at = version, now

    def _tell(self, words: str) -> None:
        if words != self.trouble_now:
            self.trouble_now = words
            self.trouble.publish(words)
