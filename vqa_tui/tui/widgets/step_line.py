"""The line of the wizard's steps; a click on one leads there."""

from collections.abc import Collection
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from vqa_tui.tui.present.wizard_lines import Step, StepSpot, steps_line


class StepLine(Widget):
    """Shows where one is and what is answered."""

    @dataclass
    class Clicked(Message):
        """A step is wanted."""

        step: Step

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words, self._spots = Content(""), tuple[StepSpot, ...]()

    def show(self, current: Step, done: Collection[Step]) -> None:
        self._words, self._spots = steps_line(current, done)
        self.refresh()

    def render(self) -> Content:
        return self._words

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for spot in self._spots:
            if spot.start <= offset.x < spot.end:
                self.post_message(self.Clicked(spot.step))
