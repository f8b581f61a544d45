"""What the screens about the one run that is followed share."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive

from vqa_tui.domain.failure import RunGone
from vqa_tui.domain.run import RunView
from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screens.steering import SteeringScreen


class RunScreen(SteeringScreen):
    """A screen about the one run that is followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="run.back", tooltip="Back to where you came from", show=False),
    ]

    tells_trouble = True

    seen: reactive[SeenRun | None] = reactive(None, repaint=False)
    """Drawn by the widgets, each of which knows what changed; the screen itself draws nothing."""

    def on_mount(self) -> None:
        self.watch_over.run_seen.subscribe(self, self.take_in)

    def on_screen_resume(self) -> None:
        """Show at once what was seen last of another run than before; of the same one the look that every change of
        mode begins shows what is new, and until then the screen stands as it was left: all is drawn anew only once."""
        if self.seen is None or self.seen.view.id != self.about_run:
            last = self.watch_over.last_run
            self.seen = last if last is not None and last.view.id == self.about_run else None
        if self.about_run is None:
            self.post_message(ModeWanted("runs"))

    def take_in(self, seen: SeenRun) -> None:
        """Take in a new sight, unless another mode is on screen."""
        if self in self.app.screen_stack and seen.view.id == self.about_run:
            self.seen = seen

    def action_back(self) -> None:
        """Back to the dashboard of the run."""
        self.post_message(ModeWanted("run"))

    @property
    def steered(self) -> RunView | None:
        """The run as it was seen last, in another mode perhaps: what is on screen may be older for a moment."""
        last = self.watch_over.last_run
        seen = last if last is not None and last.view.id == self.about_run else self.seen
        return seen.view if seen else None

    @property
    def about_run(self) -> int | None:
        """The run that this screen is about: the one that is followed, if there is one."""
        return self.watch_over.run_id

    @property
    def run_id(self) -> int:
        """The run that this screen is about. Raises RunGone where it was deleted meanwhile."""
        if self.about_run is None:
            raise RunGone("this run was deleted", hint="1 goes to the runs that there are.")
        return self.about_run
