"""The inspector: one item with its picture and everything that was asked and answered about it."""

from dataclasses import dataclass
from typing import ClassVar

from PIL import Image
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from vqa_tui.domain.task import TaskDetail
from vqa_tui.tui.picture_mode import PictureMode
from vqa_tui.tui.picture_steps import NEXT_PICTURE, PREVIOUS_PICTURE, stepped
from vqa_tui.tui.picture_view import PAN, STEP, Mark, View, marks_of
from vqa_tui.tui.present.inspect import Section, headline, sections
from vqa_tui.tui.widgets.attempt_list import AttemptList
from vqa_tui.tui.widgets.picture import Picture
from vqa_tui.tui.widgets.settled import Settled, SettledText
from vqa_tui.tui.widgets.titles import show_title

_PARTS = ("pairs", "truth", "prompt", "reply")


class Inspector(VerticalScroll, Settled):
    """Shows the detail that it is given; keeps its place and its picture when the same item is shown again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(1)", "zoom", key_display="+ -", id="picture.nearer", tooltip="Look nearer"),
        Binding("minus", "zoom(-1)", "Zoom out", id="picture.farther", tooltip="Look from farther away", show=False),
        Binding("0", "zoom(0)", "Whole picture", id="picture.whole", tooltip="Show the whole picture", show=False),
        NEXT_PICTURE,
        PREVIOUS_PICTURE,
        Binding("b", "boxes", "boxes", id="picture.boxes", tooltip="Draw the boxes of the ground truth, or leave them"),
        Binding("m", "mode", "picture mode", id="picture.mode", tooltip="Half blocks, the terminal's own, or none"),
        Binding("H,left", "pan(-1, 0)", "Pan left", id="picture.left", tooltip="Move the zoomed picture", show=False),
        Binding("L,right", "pan(1, 0)", "Pan right", id="picture.right", tooltip="Move the zoomed picture", show=False),
        Binding("K,up", "pan(0, -1)", "Pan up", id="picture.up", tooltip="Move it, or scroll", show=False),
        Binding("J,down", "pan(0, 1)", "Pan down", id="picture.down", tooltip="Move it, or scroll", show=False),
    ]

    @dataclass
    class ViewChanged(Message):
        """Another part of the picture is looked at; `detailed` when a small picture is too coarse for it."""

        path: str
        detailed: bool

    @dataclass
    class PictureWanted(Message):
        """Another picture of the item is to be read and shown."""

        path: str

    class BoxesWanted(Message):
        """Boxes are wanted, or not any more."""

    class ModeWanted(Message):
        """Pictures are wanted by other means."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="-blank")
        self.detail: TaskDetail | None = None
        self.asked = False
        """Whether the item was shown as one that is being asked."""
        self.marks: tuple[Mark, ...] = ()
        """The boxes of the ground truth, whether they are drawn or not."""
        self._boxes_drawn = True
        self._number = 0
        """Which of the item's pictures is shown."""
        self._picture_path: str | None = None
        self._picture_read = False
        self._bodies: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        yield SettledText(Content.styled("no item", "$foreground 60%"), id="inspector-head")
        yield Picture(id="inspector-picture")
        yield SettledText("", id="inspector-pairs", classes="inspector-section")
        yield AttemptList(id="inspector-attempts", classes="inspector-section")
        for part in _PARTS[1:]:
            yield SettledText("", id=f"inspector-{part}", classes="inspector-section")

    @property
    def picture(self) -> Picture:
        return self.query_one(Picture)

    @property
    def shown_picture(self) -> str | None:
        """Where the picture lies that is shown or being read."""
        return None if self.detail is None else self.detail.pictures[self._number]

    @property
    def drawn_marks(self) -> tuple[Mark, ...]:
        """The boxes that are drawn over the picture."""
        return self.marks if self._boxes_drawn else ()

    def show(self, detail: TaskDetail, *, asked: bool = False) -> bool:
        """Show an item; return whether its picture is another one and has to be read."""
        another = self.detail is None or self.detail.row.id != detail.row.id
        self._number = 0 if another else min(self._number, len(detail.pictures) - 1)
        self.detail, self.asked = detail, asked
        self.remove_class("-blank")
        for part, section in zip(_PARTS, sections(detail), strict=True):
            self._show_section(part, section)
        self.query_one("#inspector-pairs").display = bool(detail.samples)
        self.query_one(AttemptList).show_attempts(detail.attempts, price_known=detail.row.price_known)
        if another:
            self.scroll_home(animate=False)
        return self._turn_to_picture(detail, afresh=another)

    def _turn_to_picture(self, detail: TaskDetail, *, afresh: bool) -> bool:
        """Get ready for the picture whose turn it is; return whether it has to be read. Boxes lie in the first one."""
        self._update("inspector-head", headline(detail, asked=self.asked, picture=self._number))
        facts = detail.item.facts
        self.marks = () if self._number else marks_of(detail.item.truth.boxes, facts.width, facts.height)
        self.picture.show_marks(self.drawn_marks)
        if afresh:
            self.picture.show_view(View(), enlarged=False)
        path = detail.pictures[self._number]
        if self._picture_path == path:
            return False
        self._picture_path, self._picture_read = path, False
        self.picture.show_remark(Content("reading the picture …"), keep_height=True)
        return True

    def give_up_picture(self) -> None:
        """Say that nobody reads the picture any more; when its item is shown again it has to be read."""
        if not self._picture_read:
            self._picture_path = None

    def show_picture(self, path: str, image: Image.Image) -> bool:
        """Show the decoded picture of `path`, unless another item is shown by now; return whether it is shown."""
        if path != self._picture_path:
            return False
        self._picture_read = True
        self.picture.show_picture(image)
        return True

    def show_remark(self, path: str, remark: Content) -> None:
        """Say why there is no picture of `path`, unless another item is shown by now."""
        if path == self._picture_path:
            self._picture_read = True
            self.picture.show_remark(remark)

    def set_pictures(self, mode: PictureMode, *, boxes: bool) -> None:
        """Draw pictures by these means from now on, with boxes or without."""
        self._boxes_drawn = boxes
        self.set_class(mode is PictureMode.SIXEL, "-sixel")
        self.picture.display = mode is not PictureMode.NONE
        self.picture.set_mode(mode)
        self.picture.show_marks(self.drawn_marks)

    def _show_section(self, part: str, section: Section) -> None:
        show_title(self.query_one(f"#inspector-{part}"), section.title)
        self._update(f"inspector-{part}", section.body)

    def _update(self, part: str, body: Content) -> None:
        """Every update lays out the whole screen, so a part that reads as before is left alone."""
        if part not in self._bodies or not self._bodies[part].is_same(body):
            self._bodies[part] = body
            self.query_one(f"#{part}", Static).update(body)

    def clear(self) -> None:
        """Show that there is no item."""
        self.detail = self._picture_path = None
        self.marks = ()
        self.add_class("-blank")
        self._update("inspector-head", Content.styled("no item", "$foreground 60%"))
        self.picture.show_remark(Content(""))
        self.query_one("#inspector-pairs").display = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to step through in an item of one picture."""
        if action == "other_picture":
            return self.detail is not None and len(self.detail.pictures) > 1
        return super().check_action(action, parameters)

    def action_other_picture(self, by: int) -> None:
        """Show the next picture of the item, or the one before."""
        if self.detail is None:
            return
        self._number = stepped(self._number, by, len(self.detail.pictures))
        if self._turn_to_picture(self.detail, afresh=True) and self._picture_path is not None:
            self.post_message(self.PictureWanted(self._picture_path))

    def action_zoom(self, by: int) -> None:
        """Enlarge the picture first, then go nearer; or back by the same steps."""
        picture = self.picture
        if picture.image is None or self._picture_path is None:
            return
        view = picture.view
        if by == 0 or (by < 0 and view.zoom == 1):
            picture.show_view(View(), enlarged=False)
        elif by > 0 and not picture.enlarged:
            picture.show_view(view, enlarged=True)
        else:
            picture.show_view(view.zoomed(STEP**by), enlarged=True)
        self.scroll_home(animate=False)
        self._tell_view()

    def action_pan(self, right: int, down: int) -> None:
        """Move the picture where it is zoomed, else scroll."""
        if self.picture.view.zoom > 1:
            self.picture.show_view(self.picture.view.panned(right * PAN, down * PAN), enlarged=True)
            self._tell_view()
        elif down:
            self.scroll_relative(y=down, animate=False)

    def _tell_view(self) -> None:
        if self._picture_path is not None:
            self.post_message(self.ViewChanged(self._picture_path, self.picture.enlarged))

    def action_boxes(self) -> None:
        self.post_message(self.BoxesWanted())

    def action_mode(self) -> None:
        self.post_message(self.ModeWanted())
