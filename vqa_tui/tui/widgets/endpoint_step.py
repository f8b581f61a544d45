"""The wizard's third step: where it is asked, what is known of it, and what a real request found."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from vqa_tui.operations.endpoint_facts import EndpointFacts
from vqa_tui.operations.endpoint_trial import EndpointTrial
from vqa_tui.tui.present.endpoint_text import endpoint_text, trial_problem, trial_text
from vqa_tui.tui.widgets.recipe_step import ConfigChoice
from vqa_tui.tui.widgets.text_box import TextBox

_WIDTH = 60
"""Cells of a line until the step was laid out."""


class EndpointStep(Horizontal):
    """The endpoints, and the facts of the one under the cursor."""

    def compose(self) -> ComposeResult:
        yield ConfigChoice(id="endpoints", title="Endpoint", path_hint="or a path: ~/my.yaml")
        with TextBox(id="endpoint-box"):
            yield Static("", id="endpoint-facts")
            yield Static("", id="endpoint-trial")

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._facts: EndpointFacts | None = None

    def on_mount(self) -> None:
        self.query_one("#endpoint-box").border_title = "What is known of it"
        self.query_one("#endpoint-trial").border_title = "One real request with each key"
        self.query_one("#endpoint-trial").display = False

    @property
    def config(self) -> ConfigChoice:
        return self.query_one(ConfigChoice)

    def show_facts(self, facts: EndpointFacts) -> None:
        self._facts = facts
        self._draw_facts()

    def on_resize(self) -> None:
        """Lines are wrapped for the width that there is."""
        self.call_after_refresh(self._draw_facts)

    def _draw_facts(self) -> None:
        if self._facts is not None:
            words = self.query_one("#endpoint-facts", Static)
            words.update(endpoint_text(self._facts, words.content_size.width or _WIDTH))

    def show_problem(self, words: str) -> None:
        """Say why there are no facts."""
        self._facts = None
        self.query_one("#endpoint-facts", Static).update(trial_problem(words) if words else Content(""))

    def show_trial(self, found: EndpointTrial | str | None, *, under_way: bool = False) -> None:
        """Show what a real request found, or why there was none; None where nobody asked."""
        box = self.query_one("#endpoint-trial", Static)
        box.display = under_way or found is not None
        if under_way:
            box.update(Content.styled("asking about one tiny picture …", "$foreground 60%"))
        elif isinstance(found, str):
            box.update(trial_problem(found))
        elif found is not None:
            box.update(trial_text(found))
        if box.display:
            outer = self.query_one("#endpoint-box", TextBox)
            self.call_after_refresh(outer.scroll_to_widget, box, top=True, animate=False)
