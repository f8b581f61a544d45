"""The upload dialog: an export, where it goes at the Hub, its licence, who sees it; a question first, then how far."""

import time
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.hub_upload import UploadPlan
from vqa_tui.tui.present.hub_lines import upload_line
from vqa_tui.tui.present.hub_words import token_words, upload_question, upload_report_text, upload_text
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.screens.dialogs import Dialog, Question
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import error_words, tell, tell_error
from vqa_tui.tui.widgets.path_field import PathField
from vqa_tui.tui.widgets.tick_box import TickBox

_PRIVATE, _PUBLIC = "private", "public"
_SEEN_BY = (
    (Content("nobody but you and those you let in: private"), _PRIVATE),
    (Content("everybody: public"), _PUBLIC),
)
_KEYS = "ctrl+s uploads · f1 keys · esc leaves"
_UPLOADING = "hub-upload"
"""Group of the workers that upload: they belong to the app, so that leaving the dialog does not cut an upload."""


class UploadDialog(Dialog[None]):
    """Stays open with the address, so that it can be read."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "upload.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s",
            "start",
            "Upload",
            id="upload.start",
            tooltip="Look at what would go to the Hub, ask, and upload it",
            priority=True,
        ),
    ]

    def __init__(self, services: Services, export: str) -> None:
        """`export` is the path of an export, which can be changed in the form."""
        super().__init__()
        self._services, self._export = services, export
        self._plan: UploadPlan | None = None
        """What is on its way; None while nothing is."""
        self._sent, self._started_at = 0, 0.0
        self._is_planning = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="upload") as box:
            box.border_title = "Upload an export to the Hub"
            box.border_subtitle = _KEYS
            with Vertical(id="upload-form"):
                with Horizontal(classes="form-row -tall"):
                    yield Label("Export")
                    yield PathField(id="path", value=self._export, placeholder="its file or manifest; tab completes")
                with Horizontal(classes="form-row"):
                    yield Label("Goes to")
                    yield Input("", id="repo", compact=True, placeholder="OWNER/NAME; made where it is not there")
                with Horizontal(classes="form-row"):
                    yield Label("Licence")
                    yield Input(
                        "", id="license", compact=True, placeholder="cc-by-4.0, cc0-1.0, other, unknown …; no default"
                    )
                with Horizontal(classes="form-row"):
                    yield Label("Seen by")
                    yield Select(_SEEN_BY, value=_PRIVATE, allow_blank=False, id="seen", compact=True)
                with Horizontal(classes="form-row"):
                    yield Label("Links")
                    yield TickBox(
                        "of pictures may lead out of the folder",
                        id="outside",
                        compact=True,
                        tooltip="Upload pictures too whose links lead out of the folder of the export",
                    )
                with Horizontal(classes="form-row"):
                    yield Label("Token")
                    yield Static(token_words(self._services.hub.has_token(), writes=True), id="token")
                yield Static("", id="problem", classes="problem")
            yield Static("", id="upload-state")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Close (esc)", id="close", compact=True)
                yield Button("Upload (ctrl+s)", id="start", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        self.query_one("#upload-state").display = False
        self.query_one("#repo" if self._export else "#path PathInput").focus()
        self.set_interval(0.5, self._show_progress)

    @on(PathField.CompletionWanted)
    def _completion_wanted(self, event: PathField.CompletionWanted) -> None:
        event.stop()
        self.complete_path(event.field, event.typed)

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def complete_path(self, field: PathField, typed: str) -> None:
        """Show what the path may become."""
        found = await self._services.library.complete_path(typed, "any")
        if found is not None:
            field.take(found)

    @on(PathField.Left)
    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field."""
        self.focus_next()

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Upload, once: while something is planned or on its way the key does nothing more."""
        if not self._is_planning and self._plan is None:
            self.plan_and_ask()

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def plan_and_ask(self) -> None:
        """Look at what the form means, ask whether it may go, and let it go."""
        self._is_planning = True
        self._show_working(Content.styled("reading the export …", QUIET))
        public = self.query_one("#seen", Select).value == _PUBLIC
        plan: UploadPlan | None = None
        try:
            plan = await self._planned()
        except Exception as error:  # Also what nobody expected: the form must not stay as if something were at work.
            self._show_problem(error_words(error))
            return
        finally:
            self._is_planning = False
        question = Question(
            "Upload it?", upload_question(plan, public=public), yes="Upload it", no="Not now", late=True
        )
        if self.app.screen is not self or not await self.app.push_screen_wait(question):
            self._show_form()
            return
        self._plan, self._sent, self._started_at = plan, 0, time.monotonic()
        self._show_progress()
        self.query_one("#upload").border_subtitle = "uploading · esc leaves, it goes on"
        self.app.run_worker(self._upload(plan, public), group=_UPLOADING, exit_on_error=False)

    async def _planned(self) -> UploadPlan:
        if any(worker.group == _UPLOADING and not worker.is_finished for worker in self.app.workers):
            raise VqaError("another upload is still at work", hint="Wait until it says that it is done.")
        path = self.query_one("#path", PathField).path
        if not path:
            raise VqaError("the upload needs an export", hint="Name its file or its manifest.")
        license_ = self.query_one("#license", Input).value
        if not license_.strip():
            raise VqaError("the dataset card needs a licence", hint="For example cc-by-4.0, cc0-1.0, other or unknown.")
        return await self._services.hub.plan_upload(
            Path(path),
            self.query_one("#repo", Input).value.strip(),
            license_=license_,
            allow_outside=self.query_one("#outside", TickBox).value,
        )

    async def _upload(self, plan: UploadPlan, public: bool) -> None:
        """Upload; the result or what is wrong is shown in the dialog, or as a toast once that is left."""
        app = self.app
        try:
            report = await self._services.hub.upload(plan, private=not public, progress=self._note_sent)
        except Exception as error:  # As above; nobody else would tell it once the dialog is left.
            self._plan = None
            if not self.is_left:
                self._show_problem(error_words(error))
            else:
                tell_error(app, error)
            return
        self._plan = None
        if self.is_left:
            tell(app, upload_line(report), title="Upload")
            return
        self._show_form()
        state = self.query_one("#upload-state", Static)
        state.display = True
        state.update(upload_report_text(report, public=public))
        self.query_one("#close").focus()
        self.call_after_refresh(state.scroll_visible, animate=False)

    def _note_sent(self, files: int) -> None:
        self._sent = files
        self._show_progress()

    def _show_progress(self) -> None:
        if self._plan is not None and not self.is_left:
            words = upload_text(self._plan, self._sent, seconds=time.monotonic() - self._started_at)
            self.query_one("#upload-state", Static).update(words)

    def _show_working(self, words: Content) -> None:
        self.query_one("#upload-form").disabled = True
        self.query_one("#start", Button).disabled = True
        self.forgive()
        state = self.query_one("#upload-state", Static)
        state.display = True
        state.update(words)

    def _show_form(self) -> None:
        self.query_one("#upload-form").disabled = False
        self.query_one("#start", Button).disabled = False
        self.query_one("#upload-state").display = False
        self.query_one("#upload").border_subtitle = _KEYS

    def _show_problem(self, words: str) -> None:
        self._show_form()
        self.query_one("#repo").focus()
        self.refuse(words)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)
