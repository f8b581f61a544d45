"""What the review screen shows: the picture, its pair, and how far one is; it reads and writes no verdict."""

import time

from PIL import Image
from textual import work
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import ReviewPair
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.picture_mode import PictureMode, usual_pictures
from vqa_tui.tui.picture_view import marks_of
from vqa_tui.tui.present import review as words
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.review_desk import ReviewChoice, ReviewDesk
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.pair_editor import PairEditor
from vqa_tui.tui.widgets.picture import NATIVE_SIDE, Picture
from vqa_tui.tui.widgets.trouble_line import TroubleLine

WIDE = 120
"""Columns from which the pair stands beside every picture, and is shown with the whole ground truth."""

_LINES = 3
"""Rows of header, estimate and keys."""

_FOLLOW_S = 1.0
"""Least seconds between two readings of the counts by themselves; ten times what one took, if that is more."""


class ReviewView(LiveScreen):
    """A screen with a desk of pairs of the run that is followed."""

    tells_trouble = True

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self.choice = ReviewChoice()
        self.desk: ReviewDesk | None = None
        self.status: ReviewStatus | None = None
        self.shown: ReviewPair | None = None
        """The pair that is on screen; None while the next one is read."""
        self.picture_number = 0
        """Which of the pictures of that pair's item is shown."""
        self.last = ""
        """What was done last, in words."""
        self.pictures = usual_pictures(services.preferences.settings.pictures)
        self._pairs_in_run = 0
        self._follow_from = float("-inf")
        """When the counts may be read by themselves again."""

    @property
    def pending(self) -> int:
        """Verdicts that are not written yet."""
        return 0

    def compose(self) -> ComposeResult:
        yield Static("", id="review-header")
        yield TroubleLine(self.watch_over.trouble, self.watch_over.trouble_now)
        with Container(id="review-body"):
            with Container(id="review-picture-box"):
                yield Picture(id="review-picture")
            with Vertical(id="review-side"):
                with VerticalScroll(id="review-text", can_focus=False):
                    yield Static("", id="review-pair")
                yield PairEditor(id="review-editor")
        yield Static("", id="review-estimate")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#review-editor").border_title = "Edit"
        self.query_one(Picture).set_mode(self.pictures.mode)
        self.watch_over.run_seen.subscribe(self, self._run_seen)

    def on_screen_resume(self) -> None:
        """Begin with the run that is followed now, or go on with it: new pairs may have come."""
        run_id = self.watch_over.run_id
        if run_id is None:
            self.post_message(ModeWanted("runs"))
            return
        if self.desk is None or self.desk.run_id != run_id:
            self.begin(run_id)
        elif self.status is not None and self.desk.current is None and not self.desk.skipped:
            self.go_on_slowly(self.desk)
        else:
            self.look_ahead()
        # Else the counts stay those of the last verdict, however far run and reviewers went on meanwhile.
        self._follow_from = float("-inf")
        self._follow()

    def on_resize(self) -> None:
        self.show_lines()
        if self.shown is not None:
            self.show_picture(self.shown)
            self._show_text(self.shown)

    def _arrange(self, picture: tuple[int, int]) -> None:
        """Put the pair beside the picture or below it, whichever lets the picture be larger."""
        body = self.size.height - _LINES
        beside = self.size.width >= WIDE or words.stands_beside(picture, self.size.width, body)
        self.set_class(beside, "-beside")

    @property
    def _picture_side(self) -> int | None:
        """Pixels of the longer side that pictures are read with; None is enough for half blocks."""
        return None if self.pictures.mode is PictureMode.HALFBLOCK else NATIVE_SIDE

    def begin(self, run_id: int) -> None:
        """Clear the desk for a run or for another choice."""
        if self.desk is None or self.desk.run_id != run_id:
            self.status, self.last = None, ""
        self.desk = ReviewDesk(self.services, run_id, self.choice, picture_side=self._picture_side)
        self.show_pair()
        self._open_first(self.desk)

    @work(group="first", exclusive=True, exit_on_error=False)
    async def _open_first(self, desk: ReviewDesk) -> None:
        pairs = self.watch_over.last_run.view.samples if self.watch_over.last_run else 0
        await desk.place(lambda left: self._say(words.placing_text(left, pairs)))
        self.status = await self.services.reviewing.status(desk.run_id, self.choice.target)
        await desk.step_slowly()
        if desk is self.desk:
            self.show_pair()
            self.look_ahead()

    @work(group="first", exclusive=True, exit_on_error=False)
    async def go_on_slowly(self, desk: ReviewDesk) -> None:
        """Go on where the next pair was not read ahead: keys faster than the file, the end, or a run that grew."""
        self.shown = None
        try:
            await desk.place(lambda _left: None)
            await desk.step_slowly()
        except Exception:
            self.show_pair()  # the one before still lies open: its keys lead on once the file can be read again
            raise
        self.show_pair()
        self.look_ahead()

    @work(group="ahead", exit_on_error=False)
    async def look_ahead(self) -> None:
        """Read what comes next; while an engine works, pairs that came meanwhile are put into the order first."""
        desk = self.desk
        if desk is None:
            return
        if desk.low:
            await desk.place(lambda _left: None)
        await desk.look_ahead()

    @work(group="status", exclusive=True, exit_on_error=False)
    async def read_status(self) -> None:
        await self._take_counts()

    async def _take_counts(self) -> None:
        if (desk := self.desk) is not None:
            status = await self.services.reviewing.status(desk.run_id, self.choice.target)
            if desk is self.desk:
                moved, self.status = status != self.status, status
                self.show_lines()
                if moved and desk.current is None:
                    self.show_pair()

    def _follow(self) -> None:
        """Bring the counts up to what run and reviewers did meanwhile; the pair on screen stays as it is.

        Both are read from tallies, and only pairs that came since are gone through, so this is cheap at any size.
        """
        if self.status is not None and time.monotonic() >= self._follow_from and not self.at_work("follow", "status"):
            self._count_anew()

    @work(group="follow", exit_on_error=False)
    async def _count_anew(self) -> None:
        if (desk := self.desk) is None:
            return
        started = time.monotonic()
        try:
            await desk.place(lambda _left: None)  # a pair without a place is not counted
            await self._take_counts()
        except VqaError:
            return  # the line of trouble tells that the workspace cannot be read
        finally:
            ended = time.monotonic()
            self._follow_from = ended + max(_FOLLOW_S, 10 * (ended - started))

    def _run_seen(self, seen: SeenRun) -> None:
        """Take in a run that grew: a person who waits for pairs sees the first as it comes."""
        if self is not self.app.screen or self.desk is None or seen.view.id != self.desk.run_id:
            return
        grew, self._pairs_in_run = seen.view.samples != self._pairs_in_run, seen.view.samples
        if grew and self.status is not None and self.desk.current is None and not self.desk.skipped:
            self.go_on_slowly(self.desk)
        self.show_lines()
        self._follow()

    def show_pair(self) -> None:
        """Show the pair that lies open, or why there is none."""
        pair = self.desk.current if self.desk is not None else None
        if pair is None or self.shown is None or pair.item_key != self.shown.item_key:
            self.picture_number = 0
        self.shown = pair
        if pair is None:
            self.query_one("#review-picture-box").border_title = ""
            self.query_one("#review-text").border_title = ""
            self.query_one(Picture).show_remark(Content(""))
            reading = self.desk is None or (self.status is None and self.desk.position == 0)
            skipped = self.desk.skipped if self.desk is not None else 0
            self._say(
                Content("reading …")
                if reading
                else words.nothing_left_text(
                    self.status, self.choice.chosen, skipped, read_only=self.services.read_only
                )
            )
        else:
            self.query_one("#review-text").border_title = words.pair_title(pair, self.desk.position if self.desk else 1)
            self.show_picture(pair)
            self._show_text(pair)
            self.query_one("#review-text").scroll_home(animate=False)
        self.show_lines()
        self.refresh_bindings()

    def _show_text(self, pair: ReviewPair) -> None:
        dense = not (self.has_class("-beside") or self.size.height > 40)
        self._say(words.pair_text(pair, brief=self.size.width < WIDE, dense=dense))

    def _say(self, body: Content) -> None:
        self.query_one("#review-pair", Static).update(body)

    def show_picture(self, pair: ReviewPair) -> None:
        """Show the picture of a pair with its boxes, where they are wanted."""
        desk, picture, number = self.desk, self.query_one(Picture), self.picture_number
        self.query_one("#review-picture-box").border_title = words.picture_title(pair, number)
        if self.pictures.mode is PictureMode.NONE:
            picture.show_remark(Content.styled("Pictures are turned off; o opens this one.", "$foreground 60%"))
            return
        found = desk.picture(pair.pictures[number]) if desk is not None else None
        if found is None:
            picture.show_remark(Content("reading the picture …"))
            self._read_picture(pair)
        elif isinstance(found, Image.Image):
            self._arrange(found.size)
            # Boxes lie in the first picture of an item.
            with_boxes = self.pictures.boxes and not number
            picture.show_marks(marks_of(pair.truth.boxes, *pair.size) if with_boxes else ())
            picture.show_picture(found)
            self.call_after_refresh(picture.draw_native)
        else:
            picture.show_remark(text(found.message, "$text-warning"))

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def _read_picture(self, pair: ReviewPair) -> None:
        if (desk := self.desk) is not None:
            await desk.read_picture(pair.pictures[self.picture_number])
            if self.shown is pair:
                self.show_picture(pair)

    def show_lines(self) -> None:
        seen = self.watch_over.last_run
        name = seen.view.name if seen is not None else ""
        header = words.review_header(name, self.status, self.choice.order, self.choice.chosen, self.size.width - 2)
        self._show_line("review-header", header)
        estimate = words.estimate_line(
            self.status, self.choice.target, last=self.last, pending=self.pending, width=self.size.width - 2
        )
        self._show_line("review-estimate", estimate)
