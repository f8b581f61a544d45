"""One picture with what two runs answered to it, side by side."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.comparison import ComparedPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.comparing import answers_header
from vqa_tui.tui.present.inspect import pairs_text
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.picture import Picture


class AnswersScreen(LiveScreen):
    """The picture above, the answers of the runs beneath; j and k go through the pictures that were listed."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["answers.tcss"]
    AUTO_FOCUS = "#first-answers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "step(1)", "next", key_display="j k", id="answers.next", tooltip="The next picture of the list"),
        Binding("k", "step(-1)", "previous", id="answers.previous", tooltip="The picture before it", show=False),
        Binding("o", "open_picture", "open", id="answers.open", tooltip="Open the picture in the desktop's own viewer"),
        Binding("tab", "app.focus_next", "other run", id="answers.other", tooltip="Scroll the other run's answers"),
        Binding("escape,enter", "back", "back", id="answers.back", tooltip="Back to the comparison"),
    ]

    def __init__(
        self,
        services: Services,
        watch: Watch,
        first: RunSummary,
        second: RunSummary,
        pictures: Sequence[ComparedPicture],
        position: int,
    ) -> None:
        super().__init__(services, watch)
        self._first, self._second = first, second
        self._pictures, self._position = pictures, position
        self._path = ""

    def compose(self) -> ComposeResult:
        yield Static("", id="answers-header")
        yield Picture(id="answers-picture")
        with Horizontal(id="answers"):
            for name, run in (("first-answers", self._first), ("second-answers", self._second)):
                with VerticalScroll(id=name, classes="answers") as box:
                    box.border_title = Content(clean(run.name, one_line=True, limit=60))
                    yield Static("", id=f"{name}-text")
        yield KeyBar()

    def on_mount(self) -> None:
        self.show()

    @work(group="answers", exclusive=True, exit_on_error=False)
    async def show(self) -> None:
        """Read and show both answers, then the picture."""
        picture = self._pictures[self._position]
        header = answers_header(picture, self._position, len(self._pictures))
        self.query_one("#answers-header", Static).update(header)
        self._path = ""
        sides = (
            ("first-answers", self._first, picture.first_task),
            ("second-answers", self._second, picture.second_task),
        )
        for name, run, task in sides:
            detail = await self.services.task_detail(run.id, task)
            self.query_one(f"#{name}-text", Static).update(pairs_text(detail.samples))
            self.query_one(f"#{name}").scroll_home(animate=False)
            self._path = detail.picture
        self.refresh_bindings()
        shown = self.query_one(Picture)
        shown.show_remark(Content("reading the picture …"), keep_height=True)
        try:
            shown.show_picture(await self.services.thumbnail(self._path))
        except VqaError as error:
            shown.show_remark(text(error.message, "$text-warning"))

    def why_not(self, action: str) -> str | None:
        return "The picture has not been read yet." if action == "open_picture" and not self._path else None

    def action_step(self, by: int) -> None:
        position = min(max(self._position + by, 0), len(self._pictures) - 1)
        if position == self._position:
            tell(self, "That is the end of the list.")
            return
        self._position = position
        self.show()

    @work(group="open", exit_on_error=False)
    async def action_open_picture(self) -> None:
        await self.services.open_externally(self._path)
        tell(self, f"Opened {self._path}")

    def action_back(self) -> None:
        self.dismiss()
