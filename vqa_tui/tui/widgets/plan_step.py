"""The wizard's last step: what the run will take, what other picture sizes would, and the button that starts it."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Static

from vqa_tui.operations.plan import RunPlan
from vqa_tui.tui.present.plans import plan_text
from vqa_tui.tui.present.wizard_lines import problem_line
from vqa_tui.tui.present.wizard_rows import SIZE_TABLE_COLUMNS, size_row
from vqa_tui.tui.widgets.choice_list import ChoiceTable
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.text_box import TextBox

_TITLE = "What other picture sizes would take · enter takes one"


class PlanStep(Vertical):
    """A plan, or why there is none; sizes can be taken from its table."""

    @dataclass
    class SizeTaken(Message):
        """Another longest side is wanted, as it would be typed."""

        max_side: str

    class StartWanted(Message):
        """The button was pressed."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="step")

    def compose(self) -> ComposeResult:
        with TextBox(id="plan-box"):
            yield Static("", id="plan")
        yield Static("", id="plan-problem")
        yield ChoiceTable(SIZE_TABLE_COLUMNS, id="sizes", picks=True, empty=Content(""))
        with Horizontal(id="plan-buttons"):
            yield Button("Start (ctrl+s)", id="start", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#plan-box").border_title = "Plan"
        self.query_one("#sizes").border_title = _TITLE
        self.query_one("#sizes").display = False
        self.show_refusal("")

    @property
    def _box(self) -> TextBox:
        return self.query_one("#plan-box", TextBox)

    def show_cap(self, words: str) -> None:
        """Say what the run may spend, where no length of the plan or of the answers cuts it off."""
        self._box.border_subtitle = Content(words)

    def show_busy(self) -> None:
        """Say that pictures are counted; an earlier plan stays until the new one is there."""
        self._box.border_title = "Plan · counting …"
        if not self.query_one("#sizes").display:
            words = "counting the pictures and their tokens … esc goes back"
            self.query_one("#plan", Static).update(Content.styled(words, "$foreground 60%"))

    def show_plan(self, plan: RunPlan) -> None:
        self._box.border_title = "Plan"
        self.query_one("#plan", Static).update(plan_text(plan))
        table = self.query_one("#sizes", ChoiceTable)
        table.display = bool(plan.sizes)
        table.styles.height = len(plan.sizes) + 3
        first = not table.rows
        table.set_rows([size_row(row, plan) for row in plan.sizes])
        if first:
            table.cursor = next((index for index, row in enumerate(plan.sizes) if row.chosen), 0)

    def show_problem(self, words: str) -> None:
        """Say why there is no plan."""
        self._box.border_title = "Plan"
        self.query_one("#plan", Static).update(problem_line(words))
        self.query_one("#sizes").display = False

    def show_refusal(self, words: str) -> None:
        """Say why the run could not be started; nothing where it was not tried."""
        line = self.query_one("#plan-problem", Static)
        line.update(problem_line(words))
        line.display = bool(words)

    def set_starting(self, starting: bool) -> None:
        """Show that the run is being started: the button does nothing then."""
        button = self.query_one("#start", Button)
        button.disabled = starting
        self._box.border_title = "Plan · starting the engine …" if starting else "Plan"

    def focus_sizes(self) -> None:
        table = self.query_one("#sizes")
        (table if table.display else self._box).focus()

    @on(LiveTable.Picked)
    def _size_taken(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.post_message(self.SizeTaken(str(event.row_id)))

    @on(LiveTable.CursorMoved)
    def _size_looked_at(self, event: LiveTable.CursorMoved) -> None:
        event.stop()

    @on(Button.Pressed, "#start")
    def _start(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.StartWanted())
