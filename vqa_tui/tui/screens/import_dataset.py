"""The import dialog: kind, path, name; progress while it works, then what came of it and every problem."""

import asyncio
import time
from collections import deque
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.operations.datasets import DatasetKind, DatasetView, ImportProgress, ImportReport, parse_columns_line
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.importing import (
    COLUMNS_HELP,
    kind_help,
    path_hint,
    progress_text,
    report_text,
    stop_question,
    stopped_text,
)
from vqa_tui.tui.screens.dialogs import Dialog, Question
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import error_words
from vqa_tui.tui.widgets.clip_fields import ClipFields
from vqa_tui.tui.widgets.path_field import PathField
from vqa_tui.tui.widgets.problem_pane import ProblemPane
from vqa_tui.tui.widgets.tick_box import TickBox

_KEYS = "ctrl+s imports · f1 keys · esc leaves"
_TYPING_S = 0.2
"""From the last key until the path is looked at for a name."""
_RATE_OVER_S = 5.0
"""Seconds over which the rate is measured."""


class ImportDialog(Dialog[str]):
    """Answers the name of the dataset that pictures were imported into, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "import_dataset.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Import", id="import.start", tooltip="Import what the form says", priority=True),
        Binding(
            "ctrl+o",
            "choose_columns",
            "Columns",
            id="import.columns",
            tooltip="Choose which column holds what, from those of the table",
            priority=True,
            show=False,
        ),
        Binding("enter", "close_done", "Close", id="import.close", tooltip="Close with what was imported", show=False),
    ]

    def __init__(self, services: Services, *, again: DatasetView | None = None, kind: str = "", path: str = "") -> None:
        """`again` fills in the form with the source that a dataset was imported from, else `kind` and `path` do."""
        super().__init__()
        self._services = services
        self._again = again
        self._first_kind, self._first_path = (again.kind, again.source) if again else (kind, path)
        self._kinds = {kind.name: kind for kind in services.library.dataset_kinds()}
        self._progress = ImportProgress()
        self._seen: deque[tuple[float, int]] = deque()
        self._started_at: float | None = None
        """When the import began; None while none is at work."""
        self._is_over = False
        self._imported: str | None = None

    def compose(self) -> ComposeResult:
        again = self._again
        with Vertical(classes="dialog", id="import") as box:
            box.border_title = "Import again" if again else "Import a dataset"
            box.border_subtitle = _KEYS
            with Vertical(id="import-form"):
                with Horizontal(classes="form-row"):
                    yield Label("Kind")
                    options = [(Content(name), name) for name in self._kinds]
                    known = self._first_kind if self._first_kind in self._kinds else next(iter(self._kinds))
                    yield Select(options, value=known, allow_blank=False, id="kind", compact=True)
                yield Static("", id="kind-help")
                with Horizontal(classes="form-row -tall"):
                    yield Label("Path")
                    yield PathField(id="path", value=self._first_path)
                with Horizontal(classes="form-row -tall", id="images-row"):
                    yield Label("Pictures in", id="images-label")
                    yield PathField(id="images", value=again.root if again else "", placeholder="beside the file")
                yield ClipFields()
                with Horizontal(classes="form-row", id="columns-row"):
                    yield Label("Columns")
                    yield Input(
                        "",
                        id="columns",
                        compact=True,
                        placeholder="known by their names; ctrl+o lets you choose",
                        tooltip=COLUMNS_HELP,
                    )
                    yield Button("Choose …", id="choose", compact=True)
                with Horizontal(classes="form-row"):
                    yield Label("Name")
                    yield Input(
                        clean(again.name, one_line=True) if again else "",
                        id="name",
                        compact=True,
                        placeholder="that of the folder",
                    )
                with Horizontal(classes="form-row"):
                    yield Label("At most")
                    yield Input(
                        "",
                        id="limit",
                        compact=True,
                        placeholder="all pictures",
                        tooltip="Take at most so many usable pictures, from the start of the source",
                    )
                with Horizontal(classes="form-row"):
                    yield Label("Links")
                    yield TickBox(
                        "may lead out of the folder",
                        id="outside",
                        compact=True,
                        tooltip="Read files elsewhere too, where names or links in the dataset lead there",
                    )
                yield Static("", id="problem", classes="problem")
            yield Static("", id="import-state")
            yield ProblemPane(id="import-problems")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="cancel", compact=True)
                yield Button("Import (ctrl+s)", id="start", compact=True, variant="primary")

    def on_mount(self) -> None:
        for part in ("#problem", "#import-state", "#import-problems"):
            self.query_one(part).display = False
        self._show_kind()
        if self._first_path:
            self.query_one("#start").focus()
        else:
            self.query_one("#path", PathField).line.focus()
        self.set_interval(0.5, self._show_progress)

    @property
    def _kind(self) -> DatasetKind:
        return self._kinds[str(self.query_one("#kind", Select).value)]

    @property
    def _images(self) -> Path | None:
        typed = self.query_one("#images", PathField).path
        return Path(typed) if typed and self._kind.takes_images else None

    @on(Select.Changed, "#kind")
    def _show_kind(self) -> None:
        self.query_one("#images-row").display = self._kind.takes_images
        self.query_one("#images-label", Label).update("Videos in" if self._kind.takes_clips else "Pictures in")
        self.query_one("#columns-row").display = self._kind.takes_columns
        self.query_one(ClipFields).show(self._kind)
        self.query_one("#kind-help", Static).update(kind_help(self._kind))
        path = self.query_one("#path", PathField)
        path.set_placeholder(path_hint(self._kind))
        if path.line.has_focus:
            path.ask()
        self.suggest_name()

    @on(PathField.CompletionWanted)
    def _completion_wanted(self, event: PathField.CompletionWanted) -> None:
        event.stop()
        self.complete_path(event.field, event.typed)
        self.suggest_name()

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def complete_path(self, field: PathField, typed: str) -> None:
        """Show what a path may become."""
        wants = "folder" if field.id == "images" else self._kind.wants
        found = await self._services.library.complete_path(typed, wants)
        if found is not None:
            field.take(found)

    @work(group="suggest", exclusive=True, exit_on_error=False)
    async def suggest_name(self) -> None:
        """Show the name that the dataset will have when none is typed."""
        await asyncio.sleep(_TYPING_S)
        words = "that of the folder"
        if path := self.query_one("#path", PathField).path:
            try:
                words = await self._services.library.suggested_name(self._kind.name, Path(path), self._images)
            except VqaError:
                # Half a path is no mistake yet; what is wrong with it is said when the import is asked for.
                words = "that of the folder"
        self.query_one("#name", Input).placeholder = clean(words, one_line=True, limit=100)

    @on(Button.Pressed, "#choose")
    def action_choose_columns(self) -> None:
        """Let the columns of the table be chosen from, where the kind has some."""
        if self._started_at is None and not self._is_over and self._kind.takes_columns:
            self.choose_columns()

    @work(group="columns", exclusive=True, exit_on_error=False)
    async def choose_columns(self) -> None:
        """Read the columns of the table, and put those that are chosen into the form."""
        from vqa_tui.tui.screens.choose_columns import ColumnsDialog

        path, line = self.query_one("#path", PathField).path, self.query_one("#columns", Input)
        self.forgive()
        try:
            if not path:
                raise VqaError("the columns are those of a path", hint="Say first what is to be imported.")
            chosen = parse_columns_line(line.value)
            found = await self._services.library.table_columns(self._kind.name, Path(path))
        except VqaError as error:
            self._show_problem(error_words(error))
            return
        if self.app.screen is self and (taken := await self.app.push_screen_wait(ColumnsDialog(found, chosen))):
            line.value = taken
            line.focus()

    @on(PathField.Left)
    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field, and from the last one to the button."""
        if self.focused is self.query_one("#limit"):
            self.query_one("#start").focus()
        else:
            self.focus_next()

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Import, once: while an import works the key does nothing more."""
        if self._started_at is None and not self._is_over:
            self.import_dataset()

    @work(group="import", exit_on_error=False)
    async def import_dataset(self) -> None:
        """Import what the form says; what is wrong with it is said in the form."""
        started_at = self._started_at = time.monotonic()
        self._progress = ImportProgress()
        self._seen = deque([(started_at, 0)])
        self._show_working(True)
        name: str | None = None
        try:
            path, images = self.query_one("#path", PathField).path, self._images
            if not path:
                raise VqaError("the import needs a path", hint=f"For kind {self._kind.name}: {self._kind.help}.")
            limit = parse_limit(self.query_one("#limit", Input).value)
            library, kind = self._services.library, self._kind.name
            typed = self.query_one("#name", Input).value.strip()
            name = typed or await library.suggested_name(kind, Path(path), images)
            report = await library.import_dataset(
                kind,
                Path(path),
                name=name,
                images=images,
                limit=limit,
                allow_outside=self.query_one("#outside", TickBox).value,
                columns=self.query_one("#columns", Input).value if self._kind.takes_columns else "",
                clips=self.query_one(ClipFields).wishes(),
                progress=self._note_progress,
            )
        except Exception as error:  # Also what nobody expected: the form must not stay as if an import were at work.
            self._started_at = None
            self._show_working(False)
            self._show_problem(error_words(error))
            return
        except asyncio.CancelledError:
            if not self.is_left:
                self.show_stopped(name or "")
            raise
        self._started_at = None
        self._show_report(report, time.monotonic() - started_at)

    def _note_progress(self, progress: ImportProgress) -> None:
        self._progress = progress
        self._seen.append((time.monotonic(), progress.seen))
        self._show_progress()

    def _show_progress(self) -> None:
        if self._started_at is None:
            return
        now = time.monotonic()
        while len(self._seen) > 2 and self._seen[1][0] < now - _RATE_OVER_S:
            self._seen.popleft()
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        rate = (last - first) / (last_at - first_at) if last_at > first_at else None
        words = progress_text(
            self._progress, seconds=now - self._started_at, per_second=rate, opened=bool(self._progress.seen)
        )
        self.query_one("#import-state", Static).update(words)

    def _show_working(self, working: bool) -> None:
        self.query_one("#import-form").disabled = working
        self.query_one("#start", Button).disabled = working
        self.forgive()
        self.query_one("#import-state").display = working
        self.query_one("#import").border_subtitle = "importing · esc stops" if working else _KEYS
        self._show_progress()

    def _show_problem(self, words: str) -> None:
        self.query_one("#path", PathField).line.focus()
        self.refuse(words)

    def _show_report(self, report: ImportReport, seconds: float) -> None:
        self._imported = report.dataset if report.usable else None
        self._show_end(report_text(report, seconds=seconds))
        if report.problems and self._imported is not None:
            self.read_problems(report.dataset)
        elif report.problems:
            self.query_one(ProblemPane).show_these(report.examples, of=report.problems)

    @work(group="problems", exclusive=True, exit_on_error=False)
    async def read_problems(self, name: str) -> None:
        """List every problem of the dataset, read by page."""
        pane = self.query_one(ProblemPane)
        pane.show_ids(await self._services.library.problem_ids(name), name)

    @on(ProblemPane.RowsWanted)
    def _rows_wanted(self, event: ProblemPane.RowsWanted) -> None:
        event.stop()
        self.read_rows(event.dataset, event.ids)

    @work(group="problem-rows", exit_on_error=False)
    async def read_rows(self, dataset: str, ids: tuple[int, ...]) -> None:
        rows: dict[int, ImportProblem] = await self._services.library.problems(dataset, ids)
        self.query_one(ProblemPane).put(rows)

    def _show_end(self, words: Content) -> None:
        self._is_over = True
        self.query_one("#import-form").display = False
        state = self.query_one("#import-state", Static)
        state.display = True
        state.update(words)
        self.query_one("#import").border_subtitle = "enter closes"
        self.query_one("#start").display = False
        close = self.query_one("#cancel", Button)
        close.label = "Close (enter)"
        close.focus()

    @work(group="stop", exit_on_error=False)
    async def ask_to_stop(self) -> None:
        """Stop the import after a question; it goes on while that is open."""
        if self.app.screen is not self:
            return
        question = Question("Stop the import?", stop_question(self._progress), yes="Stop it", no="Go on")
        if await self.app.push_screen_wait(question) and self._started_at is not None:
            self.workers.cancel_group(self, "import")

    @work(group="stopped", exclusive=True, exit_on_error=False)
    async def show_stopped(self, name: str) -> None:
        """Say what stays of an import into the dataset `name` that was stopped; empty where it had no name yet."""
        self._started_at = None
        found = next((each for each in await self._services.library.datasets() if each.name == name), None)
        self._imported = found.name if found is not None else None
        self._show_end(stopped_text(self._imported, self._progress))
        if found is not None and found.problems:
            self.read_problems(name)

    def action_leave(self) -> None:
        """Leave; an import that is at work is stopped after a question."""
        if self._started_at is not None:
            self.ask_to_stop()
        else:
            self.dismiss(self._imported)

    def action_close_done(self) -> None:
        if self._is_over:
            self.dismiss(self._imported)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_leave()


def parse_limit(typed: str) -> int | None:
    """Return the largest number of pictures to take; None for an empty text. Raises VqaError for what is no number."""
    digits = typed.replace(" ", "").replace("_", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 12 or not int(digits):
        raise VqaError(f"at most: {typed.strip()!r} is not a whole number above 0", hint="Empty takes every picture.")
    return int(digits)
