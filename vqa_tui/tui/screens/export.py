"""The export dialog: format, path, split; writes, validates, and shows the verdict."""

from pathlib import Path, PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.split_shares import read_shares
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.export_result import export_text, export_words
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.services import FormatChoice, Services
from vqa_tui.tui.toasts import error_words, tell, tell_error

_EACH, _TOGETHER = "each", "together"
_GROUPING = (
    (Content("each pair in a conversation of its own"), _EACH),
    (Content("all pairs of a picture in one conversation"), _TOGETHER),
)

_REVIEWED = (
    (Content("not rejected: accepted, unsure and unreviewed"), "not-rejected"),
    (Content("accepted only"), "accepted"),
    (Content("any, rejected ones too"), "any"),
)

_BY_HASH, _BY_LABELS = "hash", "labels"
_DRAWING = (
    (Content("by their hashes: few change sides as the run grows"), _BY_HASH),
    (Content("the same shares of pictures with the same labels"), _BY_LABELS),
)

_IN_PLACE = "in-place"
_PICTURES = (
    (Content("where the dataset has them"), _IN_PLACE),
    (Content("copied beside the file"), "copy"),
    (Content("linked beside the file"), "link"),
    (Content("in the file itself, where the format can"), "inline"),
)

_KEYS = "ctrl+s writes · f1 keys · esc leaves"
_BEFORE = Content.styled("What is finished by now is written; a run may go on.", QUIET)
_WRITING = "export-writing"
"""Group of the workers that write: they belong to the app, so that leaving the dialog does not cut a file short."""


class ExportDialog(Dialog[None]):
    """Stays open with the result, so that the verdict can be read."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "export.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "export", "Export", id="export.write", tooltip="Write the file and validate it", priority=True
        ),
        Binding(
            "ctrl+t",
            "upload",
            "Upload",
            id="export.upload",
            tooltip="Bring an export to the Hugging Face Hub: the one written now, or another",
            priority=True,
        ),
    ]

    def __init__(self, services: Services, run_id: int, run_name: str) -> None:
        super().__init__()
        self._services, self._run_id = services, run_id
        self._writing = False
        self._written = ""
        """The manifest of what was written last."""
        self._stem = clean(run_name, one_line=True, limit=80).replace("/", "-")
        self._formats = {form.name: form for form in services.export_formats()}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="export") as box:
            box.border_title = "Export"
            box.border_subtitle = _KEYS
            with Horizontal(classes="form-row"):
                yield Label("Format")
                options = [(_format_words(form), form.name) for form in self._formats.values()]
                yield Select(options, allow_blank=False, id="format", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Path")
                yield Input(self._suggested(next(iter(self._formats))), id="path", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Split")
                yield Input("", id="split", compact=True, placeholder="none; train/val(/test): 0.9/0.1")
                yield Label("Seed", classes="second-label")
                yield Input("", id="seed", compact=True, placeholder="none; 42")
            with Horizontal(classes="form-row"):
                yield Label("Divided")
                yield Select(_DRAWING, allow_blank=False, id="drawing", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Grouping")
                yield Select(_GROUPING, allow_blank=False, id="grouped", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Pairs")
                yield Select(_REVIEWED, allow_blank=False, id="reviewed", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("At most")
                yield Input("", id="most-pairs", compact=True, placeholder="all; 2 for two of each picture")
                yield Label("File", classes="second-label")
                yield Input("", id="shard-size", compact=True, placeholder="all rows; 500")
            with Horizontal(classes="form-row"):
                yield Label("Answers")
                yield Input("", id="answer-types", compact=True, placeholder="as they come; yes/no=0.5,number=0.2")
            with Horizontal(classes="form-row"):
                yield Label("Pictures")
                yield Select(_PICTURES, allow_blank=False, id="pictures", compact=True)
            with VerticalScroll(id="result-box"):
                yield Static(
                    _BEFORE,
                    id="result",
                )
            with Horizontal(classes="dialog-buttons"):
                yield Button("Close (esc)", id="close", compact=True)
                yield Button("Upload … (ctrl+t)", id="to-hub", compact=True)
                yield Button("Export (ctrl+s)", id="write", compact=True, variant="primary")

    def _suggested(self, form: str) -> str:
        return f"{self._stem}.{form}{self._formats[form].suffix}"

    @on(Select.Changed, "#format")
    def _format_changed(self, event: Select.Changed) -> None:
        chosen = str(event.value)
        path, grouped = self.query_one("#path", Input), self.query_one("#grouped", Select)
        if path.value in {self._suggested(name) for name in self._formats}:
            path.value = self._suggested(chosen)
        grouped.disabled = not self._formats[chosen].can_group
        if grouped.disabled:
            grouped.value = _EACH
        pictures = self.query_one("#pictures", Select)
        pictures.disabled = self._formats[chosen].holds_pictures
        if pictures.disabled:
            pictures.value = _IN_PLACE

    def on_mount(self) -> None:
        self.query_one("#result-box").can_focus = False

    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field."""
        self.focus_next()

    @on(Button.Pressed, "#write")
    def action_export(self) -> None:
        """Write, once: while an export is being written the key does nothing more."""
        if any(worker.group == _WRITING and not worker.is_finished for worker in self.app.workers):
            if not self._writing:
                self._show(Content.styled("Another export is still being written.", WARN))
            return
        self._set_writing(True)
        self.app.run_worker(self._write(), group=_WRITING, exit_on_error=False)

    @on(Button.Pressed, "#to-hub")
    def action_upload(self) -> None:
        """Ask in a dialog of its own where the export goes."""
        from vqa_tui.tui.screens.upload import UploadDialog  # only here: it is seldom wanted

        if not self._writing and self.app.screen is self:
            self.app.push_screen(UploadDialog(self._services, self._written))

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    def _set_writing(self, writing: bool) -> None:
        self._writing = writing
        self.query_one("#write", Button).disabled = self.query_one("#to-hub", Button).disabled = writing
        self.query_one("#export").border_subtitle = "writing · esc leaves, it goes on" if writing else _KEYS

    def _show(self, words: Content) -> None:
        self.query_one("#result", Static).update(words)

    def forgive(self) -> None:
        self._refused = None
        self._show(_BEFORE)

    async def _write(self) -> None:
        """Write and validate; the result or what is wrong is shown in the dialog, or as a toast once that is left."""
        # The word about a field that was changed just before may come late: it must not take the place of the result.
        self._refused = None
        self._show(Content.styled("writing and validating …", QUIET))
        try:
            path = self.query_one("#path", Input).value.strip()
            if not path:
                raise VqaError("the export needs a path", hint="For example train.jsonl.")
            typed = self.query_one("#split", Input).value
            split = read_shares(typed) if typed.strip() else None
            most_pairs = parse_count(self.query_one("#most-pairs", Input).value, "pairs")
            shard_size = parse_count(self.query_one("#shard-size", Input).value, "rows")
            seed = parse_seed(self.query_one("#seed", Input).value)
            written = await self._services.export(
                self._run_id,
                str(self.query_one("#format", Select).value),
                Path(path),
                split,
                self.query_one("#grouped", Select).value == _TOGETHER,
                str(self.query_one("#reviewed", Select).value),
                str(self.query_one("#pictures", Select).value),
                most_pairs,
                split is not None and self.query_one("#drawing", Select).value == _BY_LABELS,
                shard_size,
                seed,
                self.query_one("#answer-types", Input).value,
            )
        except VqaError as error:
            if not self.is_left:
                self._show(Content.styled(clean(error_words(error), limit=1_000), "$text-error"))
                self.note_refused()
            else:
                tell_error(self.app, error)
            return
        finally:
            if not self.is_left:
                self._set_writing(False)
        if self.is_left:
            tell(self.app, export_words(written), title="Export", severity="information" if written.ok else "warning")
            return
        self._written = written.manifest
        self._show(export_text(written))
        box = self.query_one("#result-box")
        box.can_focus = True
        box.focus()


def _format_words(form: FormatChoice) -> Content:
    return Content.assemble(form.name, (f"  {form.summary}", QUIET))


def parse_count(typed: str, things: str) -> int | None:
    """Return how many pairs or rows are wanted, None for an empty text. Raises VqaError unless it is 1 or more."""
    text = typed.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise VqaError(f"{text!r} is no number of {things}", hint="A whole number from 1, or nothing for all.")
    return int(text)


def parse_seed(typed: str) -> int | None:
    """Return the seed of a draw, None for an empty text. Raises VqaError unless it is a whole number from 0."""
    text = typed.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise VqaError(f"{text!r} is no seed", hint="A whole number such as 42, or nothing.")
    return int(text)
