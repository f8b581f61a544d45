"""Two runs of one dataset side by side, and the pictures on which they agree least."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.comparison import Comparison
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.comparing import LEAST_COLUMNS, compare_header, fact_columns, fact_rows, least_row
from vqa_tui.tui.present.comparison_words import Fact, agreement_words, comparison_facts, fact_text
from vqa_tui.tui.screens.answers import AnswersScreen
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable


class CompareScreen(LiveScreen):
    """What both runs cost and answered as of one moment; `f5` looks again."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["compare.tcss"]
    AUTO_FOCUS = "#facts"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "other list", id="compare.next", tooltip="Between the facts and the pictures"),
        Binding("f5", "again", "look again", id="compare.again", tooltip="Compare the runs as they are now"),
        Binding("escape", "back", "back", id="compare.back", tooltip="Back to the list of runs"),
    ]

    def __init__(self, services: Services, watch: Watch, first: RunSummary, second: RunSummary) -> None:
        super().__init__(services, watch)
        self._first, self._second = first, second
        self._facts: list[Fact] = []
        self._found: Comparison | None = None

    def compose(self) -> ComposeResult:
        yield Static(compare_header(self._first.name, self._second.name, self._first.dataset), id="compare-header")
        yield Static("comparing …", id="compare-words", markup=False)
        with Container(id="compare-body"):
            yield LiveTable(
                fact_columns(self._first.name, self._second.name), id="facts", empty=Content(""), picks=True
            )
            yield LiveTable(LEAST_COLUMNS, id="least", empty=Content("no picture on which they differ"), picks=True)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#facts", LiveTable).border_title = "Side by side"
        least = self.query_one("#least", LiveTable)
        least.border_title = "Least agreement"
        least.border_subtitle = "enter shows both answers"
        self.action_again()

    @work(group="compare", exclusive=True, exit_on_error=False)
    async def action_again(self) -> None:
        """Read and show both runs; why they cannot be compared stands where the agreement would."""
        words = self.query_one("#compare-words", Static)
        words.update(Content("comparing …"))
        try:
            found = await self.services.run_edits.compare(self._first.id, self._second.id)
        except VqaError as error:
            words.update(Content(clean(str(error), limit=600)))
            return
        self._found, self._facts = found, comparison_facts(found)
        sampled = min(found.first.sampled.pictures, found.second.sampled.pictures)
        words.update(Content(clean(agreement_words(found, sampled))))
        self.query_one("#facts", LiveTable).set_rows(fact_rows(self._facts))
        self.query_one("#least", LiveTable).set_rows([least_row(picture) for picture in found.agreement.least])

    @on(LiveTable.Picked, "#facts")
    def _fact_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if isinstance(event.row_id, int):
            fact = self._facts[event.row_id]
            self.app.push_screen(FullText(fact.name, fact_text(fact, self._first.name, self._second.name)))

    @on(LiveTable.Picked, "#least")
    def _picture_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if self._found is not None:
            least = self._found.agreement.least
            position = next((index for index, each in enumerate(least) if each.first_task == event.row_id), 0)
            self.app.push_screen(
                AnswersScreen(self.services, self.watch_over, self._first, self._second, least, position)
            )

    def action_back(self) -> None:
        self.dismiss()
