"""The inspector: one item with its picture and everything that was asked and answered about it."""

from PIL import Image
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.task import TaskDetail
from vqa_tui.tui.present.inspect import Section, headline, sections
from vqa_tui.tui.widgets.picture import Picture

_SECTIONS = 5


class Inspector(VerticalScroll):
    """Shows the detail that it is given; keeps its place and its picture when the same item is shown again."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.detail: TaskDetail | None = None
        self.asked = False
        """Whether the item was shown as one that is being asked."""
        self._picture_path: str | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("no item", "$foreground 60%"), id="inspector-head")
        yield Picture(id="inspector-picture")
        for number in range(_SECTIONS):
            yield Static("", id=f"inspector-section-{number}", classes="inspector-section")

    @property
    def picture(self) -> Picture:
        return self.query_one(Picture)

    def show(self, detail: TaskDetail, *, asked: bool = False) -> bool:
        """Show an item; return whether its picture is another one and has to be read."""
        another = self.detail is None or self.detail.row.id != detail.row.id
        self.detail, self.asked = detail, asked
        self.query_one("#inspector-head", Static).update(headline(detail, asked=asked))
        for number, section in enumerate(sections(detail)):
            self._show_section(number, section)
        if another:
            self.scroll_home(animate=False)
        if self._picture_path == detail.picture:
            return False
        self._picture_path = detail.picture
        self.picture.show_remark(Content("reading the picture …"))
        return True

    def show_picture(self, path: str, image: Image.Image) -> None:
        """Show the decoded picture of `path`, unless another item is shown by now."""
        if path == self._picture_path:
            self.picture.show_picture(image)

    def show_remark(self, path: str, remark: Content) -> None:
        """Say why there is no picture of `path`, unless another item is shown by now."""
        if path == self._picture_path:
            self.picture.show_remark(remark)

    def _show_section(self, number: int, section: Section) -> None:
        widget = self.query_one(f"#inspector-section-{number}", Static)
        widget.border_title = section.title
        widget.update(section.body)

    def clear(self) -> None:
        """Show that there is no item."""
        self.detail = self._picture_path = None
        self.query_one("#inspector-head", Static).update(Content.styled("no item", "$foreground 60%"))
        self.picture.show_remark(Content(""))
        for widget in self.query(".inspector-section").results(Static):
            widget.update("")
            widget.border_title = ""
