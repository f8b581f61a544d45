"""Looking at a run's past: keys that step over what was recorded, and back to the present."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from vqa_tui.domain.course import Moment, index_at, index_showing, moment_at
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.tui import verbs
from vqa_tui.tui.course_reader import CourseReader
from vqa_tui.tui.present.past import LOOKING_BACK
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.row_list import RowList

STEERING = frozenset(
    {"toggle_pause", "resume", "stop", "stop_and_leave", "approve", "retry_failed", "workers", "budget", "limits"}
)
"""Actions that steer the run: whoever looks at the past would steer by what is no longer so."""
WITHIN_SECOND_S = 0.999
"""A point is of a whole second; what happened in it belongs to it."""
_REPEAT_S = 0.4
"""A key that comes again within this time is held down."""
_STRIDE_DOUBLES_AFTER = 4
_LONGEST_STRIDE = 64


class TimeTravelScreen(RunScreen):
    """A screen that shows the present of a run, or one recorded second of its past."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "step_back", "back in time", key_display="[", id="past.back",
                tooltip="One recorded step into the past; held down the steps grow", show=False),
        Binding("right_square_bracket", "step_forward", "forward in time", key_display="]", id="past.forward",
                tooltip="One recorded step towards the present", show=False),
        Binding("left_curly_bracket", "event_back", "event before", key_display="{", id="past.event-back",
                tooltip="To the event or action before", show=False),
        Binding("right_curly_bracket", "event_forward", "event after", key_display="}", id="past.event-forward",
                tooltip="To the event or action after", show=False),
        Binding("home", "run_start", "run's start", id="past.start", show=False, priority=True,
                tooltip="To the first second that was recorded"),
        Binding("end", "now", "now", key_display="End", id="past.now", priority=True, tooltip="Back to the present"),
    ]  # fmt: skip

    moment: reactive[Moment | None] = reactive(None, repaint=False)
    """What is looked at; None is the present."""

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.course = CourseReader(services.history)
        self._pending_steps = 0
        self._travelling = asyncio.Lock()
        """Held by one journey after the other, in the order of the keys."""
        self._repeats = 0
        self._pressed: tuple[int, float] = (0, float("-inf"))
        self._met_run: int | None = None
        """The run that the moment and what is being read belong to."""

    @property
    def view(self) -> RunView | None:
        """The run as it was seen last, which is the present also while the past is looked at."""
        return self.steered

    def on_screen_resume(self) -> None:
        self.meet_run()
        super().on_screen_resume()

    def meet_run(self) -> None:
        """Let go of the run that was shown before, if another one is shown now."""
        if self._met_run != self.about_run:
            self._met_run = self.about_run
            self.leave_run()

    def leave_run(self) -> None:
        """Show nothing of the past of the run that was shown before."""
        self.action_now()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the present Home and End belong to the list that has the focus."""
        if self.moment is None and (action == "now" or (action == "run_start" and isinstance(self.focused, RowList))):
            return False
        return super().check_action(action, parameters)

    def why_not(self, action: str) -> str | None:
        if action in STEERING and self.moment is not None:
            return LOOKING_BACK
        if action in ("step_forward", "event_forward") and self.moment is None:
            return "This is the present: nothing comes after it."
        if action in ("step_back", "event_back", "run_start") and (self.view is None or self.view.started_at is None):
            return "Nothing is recorded yet: the run has not started."
        return verbs.why_not(action, self.view)

    def action_step_back(self) -> None:
        self._step(-1)

    def action_step_forward(self) -> None:
        self._step(1)

    def _step(self, direction: int) -> None:
        """Take a step; while the key repeats the steps double now and then."""
        now = time.monotonic()
        before, at = self._pressed
        self._repeats = self._repeats + 1 if before == direction and now - at < _REPEAT_S else 0
        self._pressed = (direction, now)
        self._pending_steps += direction * min(2 ** (self._repeats // _STRIDE_DOUBLES_AFTER), _LONGEST_STRIDE)
        self._travel()

    @work(group="travel", exit_on_error=False)
    async def _travel(self) -> None:
        """Go where the presses so far lead; those that come meanwhile are gone after in the same way."""
        run_id = self.run_id
        async with self._travelling:
            if self._pending_steps:
                try:
                    await self.course.read(run_id)
                except VqaError:
                    self._pending_steps = 0
                    raise
            while self._pending_steps and run_id == self.about_run:
                steps, self._pending_steps = self._pending_steps, 0
                points = self.course.points
                here = len(points) if self.moment is None else index_at(points, self.moment.at)
                await self._look_at_index(run_id, here + steps)

    async def _look_at_index(self, run_id: int, index: int) -> None:
        """Look at one recorded point of a run, if that is still shown; beyond the newest one lies the present."""
        if run_id != self.about_run:
            return
        points = self.course.points
        if not points:
            tell(self, "Nothing of this run was recorded.", severity="warning")
            return
        if index >= len(points):
            self.moment = None
            return
        index = max(index, 0)
        facts = await self.services.history.moment_facts(run_id, points[index].at + WITHIN_SECOND_S)
        if run_id == self.about_run:
            self.moment = moment_at(points, index, facts)

    def action_run_start(self) -> None:
        self._set_out(partial(self._look_at_index, index=0))

    def action_event_back(self) -> None:
        self._set_out(partial(self._to_event, later=False))

    def action_event_forward(self) -> None:
        self._set_out(partial(self._to_event, later=True))

    def _set_out(self, journey: Callable[[int], Awaitable[None]]) -> None:
        """Begin a journey in place of every one that has not come to its end."""
        self._pending_steps = 0
        self._travel_far(journey)

    @work(group="travel", exclusive=True, exit_on_error=False)
    async def _travel_far(self, journey: Callable[[int], Awaitable[None]]) -> None:
        run_id = self.run_id
        async with self._travelling:
            await self.course.read(run_id)
            if run_id == self.about_run:
                await journey(run_id)

    async def _to_event(self, run_id: int, *, later: bool) -> None:
        """Look at the point that first shows the nearest event which is not on screen yet, or no more."""
        points, moment = self.course.points, self.moment
        here = len(points) if moment is None else index_at(points, moment.at)
        if later and moment is not None:
            event_at = await self.services.history.event_time(run_id, moment.at + WITHIN_SECOND_S, later=True)
            await self._look_at_index(run_id, len(points) if event_at is None else index_showing(points, event_at))
        elif points:
            newest_second_before = points[max(here - 1, 0)].at
            event_at = await self.services.history.event_time(run_id, newest_second_before + 1, later=False)
            await self._look_at_index(run_id, 0 if event_at is None else index_showing(points, event_at))
        else:
            await self._look_at_index(run_id, 0)

    def action_now(self) -> None:
        """Be in the present again, and stay there: what is still being read is not looked at."""
        self._pending_steps = 0
        self.workers.cancel_group(self, "travel")
        self.moment = None

    def action_back(self) -> None:
        """Leave the past first."""
        if self.moment is not None:
            self.action_now()
        else:
            self.leave()

    def leave(self) -> None:
        """Go where one came from."""
        super().action_back()
