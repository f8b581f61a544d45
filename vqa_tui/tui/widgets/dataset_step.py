"""The wizard's first step: which pictures."""

import time
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from vqa_tui.operations.datasets import DatasetView
from vqa_tui.tui.present.wizard_rows import DATASET_COLUMNS, dataset_about, dataset_row
from vqa_tui.tui.widgets.choice_list import ChoiceList


class DatasetStep(Vertical):
    """The datasets, and more about the one under the cursor."""

    def __init__(self, empty: Content, *, id: str) -> None:
        """`empty` says what to do where there is none."""
        super().__init__(id=id, classes="step")
        self._empty = empty
        self._datasets: dict[str, DatasetView] = {}

    def compose(self) -> ComposeResult:
        yield ChoiceList(DATASET_COLUMNS, id="datasets", title="Dataset")
        yield Static("", id="dataset-about", classes="about")

    @property
    def choices(self) -> ChoiceList:
        return self.query_one(ChoiceList)

    def show(
        self, datasets: Sequence[DatasetView], *, chosen: str | None, cursor: str | None = None, stay: bool = False
    ) -> None:
        """Show what is imported; the cursor goes to `cursor`, else to what is chosen, unless it is to `stay`."""
        self._datasets = {dataset.name: dataset for dataset in datasets}
        now = time.time()
        rows = [dataset_row(dataset, chosen, now) for dataset in datasets]
        self.choices.show(rows, cursor=None if stay else cursor or chosen, none="none imported yet; i imports one")
        self._tell_about(self.choices.cursor_id)

    @on(ChoiceList.Moved)
    def _moved(self, event: ChoiceList.Moved) -> None:
        self._tell_about(event.row_id)

    def _tell_about(self, name: object) -> None:
        dataset = self._datasets.get(str(name))
        words = self._empty if not self._datasets else dataset_about(dataset) if dataset else Content("")
        self.query_one("#dataset-about", Static).update(words)
