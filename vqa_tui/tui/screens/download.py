"""The download dialog: a known dataset, where it goes, how far it is, and what came; its import is offered."""

import threading
import time
from collections import deque
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label, Select, Static

from vqa_tui.operations.hub_download import DownloadProgress, DownloadReport
from vqa_tui.tui.present.hub_words import (
    STOP_DOWNLOAD,
    dataset_choice,
    download_report_text,
    download_stopped_text,
    download_text,
    token_words,
)
from vqa_tui.tui.screens.dialogs import Dialog, Question
from vqa_tui.tui.services import Services
from vqa_tui.tui.services.hub import DownloadStopped
from vqa_tui.tui.toasts import error_words
from vqa_tui.tui.widgets.path_field import PathField

_KEYS = "ctrl+s downloads · f1 keys · esc leaves"
_RATE_OVER_S = 5.0
"""Seconds over which the speed is measured."""


class DownloadDialog(Dialog[DownloadReport]):
    """Answers what was downloaded and is to be imported, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "download.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s",
            "start",
            "Download",
            id="download.start",
            tooltip="Download what the form says, from where it was cut",
            priority=True,
        ),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._known = {known.name: known for known in services.hub.known_datasets()}
        self._stop: threading.Event | None = None
        """Ends the download that is at work; None while none is."""
        self._progress: DownloadProgress | None = None
        self._seen: deque[tuple[float, int]] = deque()
        self._report: DownloadReport | None = None

    def compose(self) -> ComposeResult:
        first = next(iter(self._known))
        with Vertical(classes="dialog", id="download") as box:
            box.border_title = "Download a dataset"
            box.border_subtitle = _KEYS
            with Vertical(id="download-form"):
                with Horizontal(classes="form-row"):
                    yield Label("Dataset")
                    options = [(dataset_choice(known), known.name) for known in self._known.values()]
                    yield Select(options, value=first, allow_blank=False, id="dataset", compact=True)
                with Horizontal(classes="form-row -tall"):
                    yield Label("Folder")
                    yield PathField(id="folder", placeholder=_here(first))
                with Horizontal(classes="form-row"):
                    yield Label("Token")
                    yield Static(token_words(self._services.hub.has_token(), writes=False), id="token")
                yield Static("", id="problem", classes="problem")
            yield Static("", id="download-state")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Close (esc)", id="close", compact=True)
                yield Button("Download (ctrl+s)", id="start", compact=True, variant="primary")
                yield Button("Import it …", id="then-import", compact=True, variant="primary")

    def on_mount(self) -> None:
        for part in ("#problem", "#download-state", "#then-import"):
            self.query_one(part).display = False
        self.query_one("#dataset").focus()
        self.set_interval(0.5, self._show_progress)

    @on(Select.Changed, "#dataset")
    def _show_folder(self) -> None:
        self.query_one("#folder", PathField).set_placeholder(_here(self._chosen))

    @property
    def _chosen(self) -> str:
        return str(self.query_one("#dataset", Select).value)

    @on(PathField.CompletionWanted)
    def _completion_wanted(self, event: PathField.CompletionWanted) -> None:
        event.stop()
        self.complete_path(event.field, event.typed)

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def complete_path(self, field: PathField, typed: str) -> None:
        """Show what the path may become."""
        found = await self._services.library.complete_path(typed, "folder")
        if found is not None:
            field.take(found)

    @on(PathField.Left)
    def _next_field(self) -> None:
        self.query_one("#start").focus()

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Download, once: while a download works the key does nothing more."""
        if self._stop is None and self._report is None:
            self.download()

    @work(group="download", exit_on_error=False)
    async def download(self) -> None:
        """Download what the form says; what is wrong with it is said in the form."""
        stop = self._stop = threading.Event()
        self._progress, self._seen = None, deque()
        self._show_working(True)
        words: Content | None = None
        try:
            typed = self.query_one("#folder", PathField).path
            folder = Path(typed) if typed else None
            self._report = await self._services.hub.download(
                self._chosen, folder, stop=stop, progress=self._note_progress
            )
        except DownloadStopped:
            words = download_stopped_text()
        except Exception as error:  # Also what nobody expected: the form must not stay as if something were at work.
            self._show_working(False)
            self._show_problem(error_words(error))
            return
        finally:
            self._stop = None
        self._show_working(False)
        state = self.query_one("#download-state", Static)
        state.display = True
        if self._report is None:
            state.update(words or Content(""))
            return
        state.update(download_report_text(self._report))
        self.query_one("#download-form").display = False
        self.query_one("#start").display = False
        self.query_one("#download").border_subtitle = "enter imports it · esc closes"
        then = self.query_one("#then-import", Button)
        then.display = True
        then.label = "Import it … (enter)"
        then.focus()

    def _note_progress(self, progress: DownloadProgress) -> None:
        self._progress = progress
        self._seen.append((time.monotonic(), progress.done_bytes))
        self._show_progress()

    def _show_progress(self) -> None:
        if self._stop is None or self.is_left:
            return
        now = time.monotonic()
        while len(self._seen) > 2 and self._seen[1][0] < now - _RATE_OVER_S:
            self._seen.popleft()
        speed = None
        if self._seen and now > self._seen[0][0]:
            speed = (self._seen[-1][1] - self._seen[0][1]) / (now - self._seen[0][0])
        words = download_text(self._progress, per_second=speed, stopping=self._stop.is_set())
        self.query_one("#download-state", Static).update(words)

    def _show_working(self, working: bool) -> None:
        self.query_one("#download-form").disabled = working
        self.query_one("#start", Button).disabled = working
        self.forgive()
        self.query_one("#download-state").display = working
        self.query_one("#download").border_subtitle = "downloading · esc stops" if working else _KEYS
        self._show_progress()

    def _show_problem(self, words: str) -> None:
        self.query_one("#start").focus()
        self.refuse(words)

    @work(group="stop", exclusive=True, exit_on_error=False)
    async def ask_to_stop(self) -> None:
        """Stop the download after a question; it goes on while that is open."""
        if self.app.screen is not self:
            return
        question = Question("Stop the download?", STOP_DOWNLOAD, yes="Stop it", no="Go on")
        if await self.app.push_screen_wait(question) and self._stop is not None:
            self._stop.set()
            self._show_progress()

    def action_leave(self) -> None:
        """Leave; a download that is at work is stopped after a question, and left while it stops."""
        if self._stop is None or self._stop.is_set():
            self.dismiss(None)
        else:
            self.ask_to_stop()

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#then-import")
    def _import(self) -> None:
        self.dismiss(self._report)


def _here(name: str) -> str:
    return f"./{name}; tab completes"
