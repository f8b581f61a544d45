"""The wizard's fourth step: how much, how fast and for how much, checked as it is typed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Checkbox, Input, Label, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.present.wizard_lines import field_note
from vqa_tui.tui.run_form import TEXT_FIELDS, RunForm
from vqa_tui.tui.widgets.tick_box import TickBox

_FIELDS = {
    "limit": ("Pictures", "all", "at most so many, evenly spread"),
    "pilot": ("Pilot", "none", "asked first; then the run waits for you"),
    "budget": ("Budget $", "no cap", "the run pauses there"),
    "concurrency": ("In flight", "endpoint's", "most requests at the same time"),
    "max_side": ("Longest px", "recipe's", "or original; the plan compares them"),
    "pairs": ("Pairs", "recipe's", "asked of each picture"),
    "structured_ratio": ("Structured", "recipe's", "chance of each pair, 0 to 1"),
    "seed": ("Seed", "none: spread", "a number draws the pictures by chance"),
    "name": ("Name", "made up", "of the run"),
}
_HEDGE_NOTE = "an overlong request is sent twice and paid"


class SizeStep(VerticalScroll):
    """The fields, each with its meaning or what is wrong with it beside it."""

    can_focus = False

    @dataclass
    class Changed(Message):
        """Something was typed."""

        form: RunForm

    class Finished(Message):
        """Enter was pressed in the last field."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="step")
        self._form = RunForm()
        self._notes: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        for field in TEXT_FIELDS:
            title, placeholder, note = _FIELDS[field]
            with Horizontal(classes="field"):
                yield Label(title)
                yield Input(id=f"size-{field}", compact=True, placeholder=placeholder)
                yield Static(field_note(note), id=f"note-{field}", classes="note")
            if field == "max_side":
                with Horizontal(classes="field"):
                    yield Label("Hedge")
                    yield TickBox("stragglers", id="size-hedge", compact=True)
                    yield Static(field_note(_HEDGE_NOTE), classes="note")

    def on_mount(self) -> None:
        self.border_title = "Size, pilot and budget"

    def load(self, form: RunForm) -> None:
        """Put a form into the fields. What is typed from then on counts, until another is put in."""
        self._form = form
        for field in TEXT_FIELDS:
            self.query_one(f"#size-{field}", Input).value = form.typed(field)
        self.query_one("#size-hedge", Checkbox).value = form.hedge

    @property
    def form(self) -> RunForm:
        """The form as the fields hold it at this moment: what was typed last may not have been told yet."""
        typed = {field: self.query_one(f"#size-{field}", Input).value for field in TEXT_FIELDS}
        hedge = self.query_one("#size-hedge", Checkbox).value
        return replace(self._form, **typed, hedge=hedge)  # type: ignore[arg-type]  # every field of these is text

    def show_problems(self, problems: Mapping[str, VqaError]) -> None:
        """Say beside each field what is wrong with it."""
        for field in TEXT_FIELDS:
            problem = problems.get(field)
            self.query_one(f"#size-{field}").set_class(problem is not None, "-bad")
            note = field_note(_FIELDS[field][2], problem)
            if not note.is_same(self._notes.get(field, Content(""))):
                self._notes[field] = note
                self.query_one(f"#note-{field}", Static).update(note)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        field = str(event.input.id).removeprefix("size-")
        if event.value != self._form.typed(field):
            self._change({field: event.value})

    @on(Checkbox.Changed)
    def _ticked(self, event: Checkbox.Changed) -> None:
        event.stop()
        if event.value != self._form.hedge:
            self._change({"hedge": event.value})

    def _change(self, changes: Mapping[str, object]) -> None:
        self._form = replace(self._form, **changes)  # type: ignore[arg-type]  # each field has its own type
        self.post_message(self.Changed(self._form))

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, and from the last one to the plan."""
        event.stop()
        if event.input.id == "size-name":
            self.post_message(self.Finished())
        else:
            self.screen.focus_next()
