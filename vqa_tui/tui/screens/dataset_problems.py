"""What could not be imported into a dataset, each with its reason, read by page."""

from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from vqa_tui.operations.datasets import DatasetView
from vqa_tui.tui.present.dataset_items import problems_header
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.problem_pane import ProblemPane


class DatasetProblemsScreen(LiveScreen):
    """Every problem of one dataset."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dataset_problems.tcss"]
    AUTO_FOCUS = "#problem-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "back", id="problems.back", tooltip="Back to the datasets"),
    ]

    def __init__(self, services: Services, watch: Watch, dataset: DatasetView) -> None:
        super().__init__(services, watch)
        self._dataset = dataset

    def compose(self) -> ComposeResult:
        yield Static(problems_header(self._dataset.name), id="problems-header")
        yield ProblemPane(id="problems")
        yield KeyBar()

    def on_mount(self) -> None:
        self.read_ids()

    @work(group="ids", exclusive=True, exit_on_error=False)
    async def read_ids(self) -> None:
        ids = await self.services.library.problem_ids(self._dataset.name)
        self.query_one(ProblemPane).show_ids(ids, self._dataset.name)

    @on(ProblemPane.RowsWanted)
    def _rows_wanted(self, event: ProblemPane.RowsWanted) -> None:
        event.stop()
        self.read_rows(event.ids)

    @work(group="rows", exit_on_error=False)
    async def read_rows(self, ids: tuple[int, ...]) -> None:
        self.query_one(ProblemPane).put(await self.services.library.problems(self._dataset.name, ids))
