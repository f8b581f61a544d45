"""The curves of a training, with a mark that is moved along their steps."""

from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.tui.present.training_plot import Looks, course_text


class CoursePanel(Widget, can_focus=True):
    """Draws a course at its own size, when it has moved and when it is looked at otherwise."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "mark(-1)", "Step before", id="course.left", tooltip="Point at the step before", show=False),
        Binding("right", "mark(1)", "Next step", id="course.right", tooltip="Point at the next step", show=False),
        Binding("shift+left", "mark(-10)", "Ten back", id="course.back", tooltip="Ten steps back", show=False),
        Binding("shift+right", "mark(10)", "Ten on", id="course.on", tooltip="Ten steps on", show=False),
        Binding("home", "mark_end(0)", "First", id="course.first", tooltip="Point at the first step", show=False),
        Binding("end", "mark_end(1)", "Newest", id="course.newest", tooltip="Point at no step any more", show=False),
    ]

    @dataclass
    class Marked(Message):
        """Another step is pointed at, or none."""

        step: int | None

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._course = TrainingCourse()
        self._drawn: tuple[tuple[TrainingCourse, int, Looks, Size], Content] | None = None
        self._version = -1
        self.looks = Looks()

    @property
    def marked(self) -> int | None:
        """The step that is pointed at."""
        return self.looks.mark

    def show_course(self, course: TrainingCourse, version: int) -> None:
        """Draw a course; `version` moves whenever it does."""
        if course is not self._course:
            self._course = course
            self._look(replace(self.looks, mark=None))
        elif version == self._version:
            return
        self._version = version
        self.refresh()

    def look(self, *, log_scale: bool | None = None, smooth: bool | None = None) -> None:
        """Look at the curves otherwise."""
        looks = self.looks
        log_scale = looks.log_scale if log_scale is None else log_scale
        self._look(replace(looks, log_scale=log_scale, smooth=looks.smooth if smooth is None else smooth))

    def mark(self, step: int | None) -> None:
        """Point at a step, or at none."""
        self._look(replace(self.looks, mark=step))

    def _look(self, looks: Looks) -> None:
        if looks == self.looks:
            return
        moved = looks.mark != self.looks.mark
        self.looks = looks
        self.refresh()
        if moved:
            self.post_message(self.Marked(looks.mark))

    def render(self) -> Content:
        """Return the text for the present size."""
        size = self.content_size
        of = (self._course, self._version, self.looks, size)
        if self._drawn is None or self._drawn[0] != of:
            self._drawn = (of, course_text(self._course, self.looks, size.width, size.height))
        return self._drawn[1]

    def action_mark(self, by: int) -> None:
        """Move the mark along the steps; from no mark it begins at the newest."""
        steps = self._course.steps
        if not steps:
            return
        at = len(steps) - 1 if by < 0 else 0
        if self.looks.mark is not None and (index := self._course.index_of(self.looks.mark)) is not None:
            at = min(max(index + by, 0), len(steps) - 1)
        self.mark(steps[at])

    def action_mark_end(self, newest: int) -> None:
        self.mark(None if newest or not len(self._course) else self._course.steps[0])
