"""Pausing, resuming and stopping a run by key, from every screen that has a run in view."""

from collections.abc import Awaitable
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType

from vqa_tui.domain.run import Intent, RunView
from vqa_tui.tui import verbs
from vqa_tui.tui.lasting import lasting
from vqa_tui.tui.messages import LookWanted
from vqa_tui.tui.present.consequences import stop_consequence
from vqa_tui.tui.present.following import twice_words
from vqa_tui.tui.present.load import cap_ahead_words
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.verbs import PauseMeans

T = TypeVar("T")


class SteeringScreen(LiveScreen):
    """A screen whose keys steer one run."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"toggle_pause", "resume", "stop", "stop_and_leave"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p",
            "toggle_pause",
            "pause",
            id="run.pause",
            tooltip="Pause or resume; once more while pausing cancels",
            show=False,
        ),
        Binding(
            "r",
            "resume",
            "resume",
            id="run.resume",
            tooltip="Let the run go on; starts a lost engine anew",
            show=False,
        ),
        Binding("x", "stop", "stop", id="run.stop", tooltip="End the engine; the run can be resumed", show=False),
        Binding(
            "Q",
            "stop_and_leave",
            "stop and leave",
            id="run.stop-and-leave",
            tooltip="Stop the engine and leave",
            show=False,
        ),
    ]

    @property
    def steered(self) -> RunView | None:
        """The run that the keys act on, as it is shown; None when there is none."""
        raise NotImplementedError

    def key_words(self, action: str) -> str | None:
        """Name the pause key by what it would do now."""
        if action != "toggle_pause" or self.steered is None:
            return None
        means = verbs.pause_means(self.steered)
        return means.value if means is not None else None

    async def written(self, run: RunView, verb: str, work: Awaitable[T], *, waits_for: str = "") -> T:
        """Await `work` as what is wanted of a run; see `carried_out`."""
        return await self.carried_out(run.id, verb, f"{verb} of {run.name}", work, waits_for=waits_for)

    def _may(self, action: str, view: RunView | None) -> bool:
        """Say why `action` cannot be done, if so; screens whose keys are not grey come here too."""
        reason = self.why_not(action) or verbs.why_not(action, view)
        if reason:
            tell(self, reason, severity="warning")
        return reason is None

    def _still(self, run: RunView, *verbs_asked: str) -> bool:
        """Say that one of `verbs_asked` is under way already, if so."""
        wishes = self.watch_over.wishes
        found = next((verb for verb in verbs_asked if wishes.under_way(run.id, verb)), None)
        if found:
            tell(self, f"The {found} of this run is on its way.", severity="warning")
        return found is not None

    @lasting(group="steer")
    async def action_toggle_pause(self) -> None:
        """Pause, resume, or (once more while pausing) cancel what is in flight after a question."""
        seen = self.steered
        if not self._may("toggle_pause", seen) or seen is None or self._still(seen, "stop", "pause", "resume"):
            return
        means = verbs.pause_means(seen)
        # What is shown may be a quarter of a second old: the key must not do another thing than it said.
        view = await self.services.run_view(seen.id)
        now = verbs.pause_means(view)
        if now is not means:
            words = f"press p again to {now.value}." if now else verbs.why_not("toggle_pause", view)
            tell(self, f"The run has changed: {words}", severity="warning")
            self.post_message(LookWanted())
        elif means is PauseMeans.RESUME:
            if self.watch_over.wishes.too_hasty(view.id):
                tell(self, "The run is paused; press p again to resume.", severity="warning")
            else:
                await self._resume(view)
        elif means is PauseMeans.PAUSE:
            self.watch_over.wishes.note_pause(view.id)
            tell(self, f"Pausing …: {plural(len(view.in_flight), 'request')} in flight will end first.")
            await self.written(view, "pause", self.services.pause(view.id))
        else:
            await self._cancel(view)

    async def _cancel(self, view: RunView) -> None:
        self.watch_over.wishes.note_pause(view.id)
        number = plural(len(view.in_flight), "request")
        question = Question(
            "Cancel what is in flight?",
            f"{number} in flight will be cut off, and what they ask put back into the queue. "
            "The endpoint may bill them all the same.",
            yes="Cancel them",
            no="Let them end",
        )
        if not await self.ask(question):
            return
        view = await self.services.run_view(view.id)
        if view.intent is Intent.STOP or self._still(view, "stop"):
            tell(self, verbs.STOP_STANDS, severity="warning")
            return
        self.watch_over.wishes.note_pause(view.id)
        await self.written(view, "pause", self.services.pause(view.id, cancel_in_flight=True))

    @lasting(group="steer")
    async def action_resume(self) -> None:
        view = self.steered
        if self._may("resume", view) and view is not None:
            await self._resume(view)

    async def _resume(self, view: RunView) -> None:
        """Let the run go on; a second press while the engine starts starts no second one."""
        if self._still(view, "resume"):
            return
        work = self.services.resume(view.id)
        await self.written(view, "resume", work, waits_for="Resuming …: waiting for the engine to be at work.")
        tell(self, "The run goes on.")

    @lasting(group="steer")
    async def action_approve(self) -> None:
        """Let the run ask all the pictures that its pilot left."""
        view = self.steered
        if self._may("approve", view) and view is not None and not self._still(view, "approval"):
            await self.written(view, "approval", self.services.approve(view.id))
            ahead = cap_ahead_words(view)
            tell(self, f"Approved: the rest of the {view.unit}s is asked now{f'; {ahead}' if ahead else ''}.")

    @lasting(group="steer")
    async def action_stop(self) -> None:
        await self._stop_after_question()

    @lasting(group="steer")
    async def action_stop_and_leave(self) -> None:
        if await self._stop_after_question():
            await self.app.run_action("detach")

    async def _stop_after_question(self) -> bool:
        view = self.steered
        if not self._may("stop", view) or view is None or self._still(view, "stop"):
            return False
        question = Question("Stop the engine?", stop_consequence(view), yes="Stop it", no="Let it work")
        if not await self.ask(question):
            return False
        tell(self, f"Stopping …: {plural(len(view.in_flight), 'request')} in flight will end first.")
        await self.written(view, "stop", self.services.stop(view.id))
        return True

    @lasting(group="steer")
    async def action_retry_failed(self) -> None:
        """Put all failed pictures back into the queue, after a question that says how many."""
        view = self.steered
        if not self._may("retry_failed", view) or view is None:
            return
        number = plural(view.counts.failed, f"failed {view.unit}")
        question = Question(
            "Ask the failed ones again?",
            f"{number} will be put back into the queue with all attempts anew; each costs what a {view.unit} costs. "
            f"{twice_words(view)}".rstrip(),
            yes=f"Retry {count(view.counts.failed)}",
            no="Leave them",
        )
        if await self.ask(question):
            work = self.services.retry_failed(view.id)
            number_back = await self.written(view, "retry", work, waits_for=verbs.retry_waits_for(view))
            tell(self, f"{plural(number_back, view.unit)} put back into the queue.")
