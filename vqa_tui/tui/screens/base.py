"""What all screens share: the services, the watch, keys that can say why not, and errors as toasts."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import Worker

from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell_worker_failure
from vqa_tui.tui.watch import Watch


class LiveScreen(Screen[None]):
    """A screen that shows what the watch sees."""

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__()
        self.services = services
        self.watch_over = watch

    def why_not(self, action: str) -> str | None:
        """Return why `action` cannot be done now, or None when it can."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what cannot be done now."""
        return None if self.why_not(action) else True

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        tell_worker_failure(self, event)


class RunScreen(LiveScreen):
    """A screen about the one run that is followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="run.back", tooltip="Back to where you came from", show=False),
    ]

    seen: reactive[SeenRun | None] = reactive(None)

    def on_mount(self) -> None:
        self.watch_over.run_seen.subscribe(self, self.take_in)

    def on_screen_resume(self) -> None:
        """Show at once what was seen last, also of another run than before."""
        self.seen = self.watch_over.last_run

    def take_in(self, seen: SeenRun) -> None:
        """Take in a new sight, unless another mode is on screen."""
        if self in self.app.screen_stack and seen.view.id == self.watch_over.run_id:
            self.seen = seen

    @property
    def run_id(self) -> int:
        """The run that is followed; screens about a run are only shown with one."""
        assert self.watch_over.run_id is not None
        return self.watch_over.run_id
