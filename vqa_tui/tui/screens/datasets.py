"""The datasets of the workspace, opened from the palette: looked into, imported, renamed, deleted."""

import asyncio
import time
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.dataset_contents import DatasetContents
from vqa_tui.operations.datasets import DatasetView
from vqa_tui.safe_text import clean
from vqa_tui.tui.lasting import lasting
from vqa_tui.tui.messages import LookWanted, RunPicked
from vqa_tui.tui.present.dataset_words import deletion_words, why_not_deleted
from vqa_tui.tui.present.datasets import (
    DATASET_COLUMNS,
    contents_text,
    contents_wait,
    dataset_facts,
    dataset_row,
    datasets_empty,
    datasets_header,
)
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.library import LibraryScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable

READ_UNASKED = 20_000
"""Pictures up to which splits, sizes and categories are read as soon as the cursor rests on a dataset."""

_SETTLE_S = 0.15
"""Seconds that the cursor rests on a dataset before it is read."""
_LOOK_S = 1.0
"""Seconds between two looks whether another program changed the workspace."""
_OF_NO_RUN = 0
"""Stands where a wish names its run: what is wanted here is about a dataset."""
_OF_ONE = ("look_in", "contents", "problems", "new_run", "rename", "delete", "import_again")


class DatasetsScreen(LibraryScreen):
    """All datasets, the most recently imported first; the keys act on the one under the cursor."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["library.tcss"]
    WRITES = frozenset({"import_new", "download", "import_again", "new_run", "rename", "delete"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "import_new", "import", id="datasets.import", tooltip="Import pictures as a new dataset"),
        Binding("w", "download", "download", id="datasets.download", tooltip="Get a known dataset from the Hub"),
        Binding("n", "new_run", "new run", id="datasets.new-run", tooltip="Start a run of this dataset"),
        Binding("p", "problems", "problems", id="datasets.problems", tooltip="What could not be imported, and why"),
        Binding("t", "contents", "sizes", id="datasets.contents", tooltip="Read splits, sizes and categories"),
        Binding("N", "rename", "rename", id="datasets.rename", tooltip="Give the dataset another name"),
        Binding("I", "import_again", "re-import", id="datasets.again", tooltip="Import the same source again"),
        Binding("D,delete", "delete", "delete", id="datasets.delete", tooltip="Delete the records; the pictures stay"),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._views: dict[str, DatasetView] = {}
        self._contents: dict[DatasetView, DatasetContents] = {}
        self._wanted: str | None = None
        """The dataset whose contents were asked for by key."""
        self._go_to: str | None = None
        """The dataset that the cursor goes to when it is in the list."""
        self._version: int | None = None

    def compose(self) -> ComposeResult:
        yield Static(datasets_header(self.services.place), id="library-header")
        with Container(id="library-body"):
            yield LiveTable(DATASET_COLUMNS, id="library-list", empty=Content(""), picks=True)
            with VerticalScroll(id="library-detail"):
                yield Static("", id="library-facts")
                yield Static("", id="library-more")
        with VerticalScroll(id="library-empty", can_focus=False):
            yield Static(datasets_empty(self.services.command), id="library-empty-text")
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.border_title = "Datasets"
        self.query_one("#library-detail").border_title = "Dataset"
        self.query_one("#library-empty").display = False
        self.set_interval(_LOOK_S, self._look_in_turn)
        self.finish_deletions()

    @work(group="finish-deletions", exit_on_error=False)
    async def finish_deletions(self) -> None:
        """Go on with deletions that were broken off when the app was left."""
        if not self.services.read_only:
            await self.services.library.finish_dataset_deletions()

    def _look_in_turn(self) -> None:
        """Look for changes, unless the look before is still under way: a list that takes long to read arrives too."""
        if not self.at_work("look"):
            self.look_for_changes()

    @work(group="look", exit_on_error=False)
    async def look_for_changes(self) -> None:
        """Read the list again when another program has written."""
        try:
            version = await self.services.data_version()
            if version != self._version and self.is_on_top:
                await self._read()
                self._version = version
        except VqaError:
            # The watch, which looks at the same file, says it once; this would say it every second.
            self._version = None

    def action_reread(self) -> None:
        self.read_datasets()

    @work(group="datasets", exclusive=True, exit_on_error=False)
    async def read_datasets(self) -> None:
        await self._read()

    async def _read(self) -> None:
        async with self.reading:
            views = await self.services.library.datasets()
            if self.is_left:
                return
            self._views = {view.name: view for view in views}
            had_rows = bool(self.table.rows)
            now = time.time()
            self.table.set_rows([dataset_row(view, now) for view in views])
            if self._go_to in self._views:
                self.table.cursor = list(self._views).index(self._go_to)
                self._go_to = None
        self.query_one("#library-empty").display = not views
        self.query_one("#library-body").display = bool(views)
        if views and not had_rows:
            self.table.focus()
        self.show_detail()
        self.refresh_bindings()

    @property
    def _chosen(self) -> DatasetView | None:
        # Keys are looked at before the list is mounted.
        return self._views.get(str(self.table.cursor_id)) if self._views else None

    @on(LiveTable.CursorMoved)
    def show_detail(self) -> None:
        """Tell what is known at once; the rest is read when the cursor rests, or on demand where that takes long."""
        view = self._chosen
        if view is None:
            return
        self.query_one("#library-facts", Static).update(dataset_facts(view, self.detail_width))
        more = self.query_one("#library-more", Static)
        if (contents := self._contents.get(view)) is not None:
            more.update(contents_text(contents))
        else:
            asked = view.items <= READ_UNASKED or self._wanted == view.name
            more.update(contents_wait(view, asked=asked))
            if asked:
                self.read_contents(view)
        self.refresh_bindings()

    @work(group="contents", exclusive=True, exit_on_error=False)
    async def read_contents(self, view: DatasetView) -> None:
        """Read splits, sizes and categories of one dataset."""
        await asyncio.sleep(_SETTLE_S)
        contents = await self.services.library.contents(view.name)
        self._contents[view] = contents
        if self._chosen == view:
            self.query_one("#library-more", Static).update(contents_text(contents))
            self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        view = self._chosen
        if action in _OF_ONE and view is None:
            return "There is no dataset yet; i imports one."
        if view is None:
            return None
        if action == "problems" and not view.problems:
            return "Everything in this dataset could be imported."
        if action == "contents" and view in self._contents:
            return "Splits, sizes and categories are shown already."
        if action == "delete":
            return why_not_deleted(view)
        return None

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        if (view := self._chosen) is not None:
            from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen  # only here: it is seldom wanted at once

            self.app.push_screen(DatasetItemsScreen(self.services, self.watch_over, view))

    def action_contents(self) -> None:
        if (view := self._chosen) is not None:
            self._wanted = view.name
            self.show_detail()

    def action_problems(self) -> None:
        if (view := self._chosen) is not None:
            from vqa_tui.tui.screens.dataset_problems import DatasetProblemsScreen  # only here, as above

            self.app.push_screen(DatasetProblemsScreen(self.services, self.watch_over, view))

    def action_import_new(self) -> None:
        self.import_dataset(None)

    def action_import_again(self) -> None:
        self.import_dataset(self._chosen)

    def action_download(self) -> None:
        self.download_dataset()

    @work(group="import", exit_on_error=False)
    async def import_dataset(self, again: DatasetView | None) -> None:
        """Import in a dialog, and go to what was imported."""
        from vqa_tui.tui.screens.import_dataset import ImportDialog  # only here: the list is on screen sooner

        if not self.is_on_top:
            return
        self._go_to = await self.ask(ImportDialog(self.services, again=again))
        await self._read()

    @work(group="import", exit_on_error=False)
    async def download_dataset(self) -> None:
        """Download in a dialog, and import what came in the next one."""
        from vqa_tui.tui.screens.download import DownloadDialog  # only here, as above
        from vqa_tui.tui.screens.import_dataset import ImportDialog

        if not self.is_on_top:
            return
        came = await self.ask(DownloadDialog(self.services))
        if came is not None:
            self._go_to = await self.ask(ImportDialog(self.services, kind=came.kind, path=str(came.folder)))
            await self._read()

    @work(group="new-run", exit_on_error=False)
    async def action_new_run(self) -> None:
        from vqa_tui.tui.screens.wizard import NewRunWizard  # only here, as above

        view = self._chosen
        if view is None or not self.is_on_top:
            return
        run_id = await self.ask(NewRunWizard(self.services, dataset=view.name))
        if run_id is not None:
            # Away with this screen first: where the dashboard is the mode already, it would go on lying over it.
            self.dismiss()
            self.app.post_message(LookWanted())
            self.app.post_message(RunPicked(run_id))

    @lasting(group="rename")
    async def action_rename(self) -> None:
        view = self._chosen
        if view is None or not self.is_on_top:
            return
        dialog = ValueDialog(
            "Rename the dataset",
            "Its runs and a later import of the same source follow the new name.",
            value=clean(view.name, one_line=True),
            check=self._check_name,
        )
        new = await self.ask(dialog)
        if new is not None:
            work = self.services.library.rename_dataset(view.name, new)
            verb = f"new name of {view.name}"
            self._go_to = await self.carried_out(_OF_NO_RUN, verb, verb, work)
            tell(self, f"{view.name} is called {new} now.")
            if not self.is_left:
                await self._read()

    def _check_name(self, name: str) -> None:
        self.services.library.check_dataset_name(name)
        if name in self._views:
            raise VqaError(f"there is a dataset named {name} already", hint="Choose another name.")

    @lasting(group="delete")
    async def action_delete(self) -> None:
        view = self._chosen
        if view is None or not self.is_on_top:
            return
        question = Question("Delete the dataset?", deletion_words(view), yes="Delete it", no="Keep it")
        if await self.ask(question):
            verb, work = f"deletion of {view.name}", self.services.library.delete_dataset(view.name)
            words, waits_for = f"{verb}, which goes on in Datasets", f"Deleting {view.name} …"
            gone = await self.carried_out(_OF_NO_RUN, verb, words, work, waits_for=waits_for)
            tell(self, f"{gone.name} is deleted: the records of {plural(gone.items, 'picture')}.")
            if not self.is_left:
                await self._read()
