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
        self._picture_read = False
        self._bodies: dict[str, Content] = {}

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
        self._update("inspector-head", headline(detail, asked=asked))
        for number, section in enumerate(sections(detail)):
            self._show_section(number, section)
        if another:
            self.scroll_home(animate=False)
        if self._picture_path == detail.picture:
            return False
        self._picture_path, self._picture_read = detail.picture, False
        self.picture.show_remark(Content("reading the picture …"), keep_height=True)
        return True

    def give_up_picture(self) -> None:
        """Say that nobody reads the picture any more; when its item is shown again it has to be read."""
        if not self._picture_read:
            self._picture_path = None

    def show_picture(self, path: str, image: Image.Image) -> None:
        """Show the decoded picture of `path`, unless another item is shown by now."""
        if path == self._picture_path:
            self._picture_read = True
            self.picture.show_picture(image)

    def show_remark(self, path: str, remark: Content) -> None:
        """Say why there is no picture of `path`, unless another item is shown by now."""
        if path == self._picture_path:
            self._picture_read = True
            self.picture.show_remark(remark)

    def _show_section(self, number: int, section: Section) -> None:
        self.query_one(f"#inspector-section-{number}").border_title = section.title
        self._update(f"inspector-section-{number}", section.body)

    def _update(self, part: str, body: Content) -> None:
        """Every update lays out the whole screen, so a part that reads as before is left alone."""
        if part not in self._bodies or not self._bodies[part].is_same(body):
            self._bodies[part] = body
            self.query_one(f"#{part}", Static).update(body)

    def clear(self) -> None:
        """Show that there is no item."""
        self.detail = self._picture_path = None
        self._update("inspector-head", Content.styled("no item", "$foreground 60%"))
        self.picture.show_remark(Content(""))
        for widget in self.query(".inspector-section").results(Static):
            self._update(str(widget.id), Content(""))
            widget.border_title = ""
