"""The attempts of an item, newest first; with the focus in it one of them is chosen, and Enter shows it in full."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from vqa_tui.domain.task import Attempt
from vqa_tui.tui.present.attempts import MOST_SHOWN, attempt_blocks, older_words
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.widgets.settled import SettledText


class AttemptList(SettledText, can_focus=True):
    """Draws all attempts as one text, so that an item with many costs one layout."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "choose(1)", "Older", id="attempts.older", tooltip="The attempt before this one", show=False),
        Binding("k,up", "choose(-1)", "Newer", id="attempts.newer", tooltip="The attempt after this one", show=False),
        Binding("enter", "show", "reply in full", id="attempts.show", tooltip="The reply of this attempt in full"),
    ]

    @dataclass
    class Picked(Message):
        """One attempt is wanted in full."""

        attempt: Attempt

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes)
        self._attempts: tuple[Attempt, ...] = ()
        self._price_known = True
        self._blocks: list[Content] = []
        self._chosen = 0

    def show_attempts(self, attempts: tuple[Attempt, ...], *, price_known: bool = True) -> None:
        """Show these attempts, given oldest first; `price_known` tells whether their costs say anything."""
        if (attempts, price_known) == (self._attempts, self._price_known) and self._blocks:
            return
        self._attempts, self._price_known, self._chosen = attempts, price_known, 0
        self._blocks = attempt_blocks(attempts, price_known=price_known) or [Content.styled("not asked yet", QUIET)]
        self.border_title = f"Attempts ({len(attempts)})" if attempts else "Attempts (0)"
        self.border_subtitle = older_words(attempts)
        self._draw_blocks()

    def _draw_blocks(self) -> None:
        blocks = list(self._blocks)
        if self.has_focus and self._attempts:
            # Told by a sign too: a background alone cannot be seen with few colours.
            chosen = blocks[self._chosen]
            blocks[self._chosen] = (Content.styled("▶ ", "bold") + chosen).stylize_before("$foreground on $boost")
        self.update(Content("\n").join(blocks))

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        self._draw_blocks()

    def action_choose(self, by: int) -> None:
        """Choose another attempt and bring it into sight."""
        self._chosen = min(max(self._chosen + by, 0), max(min(len(self._attempts), MOST_SHOWN) - 1, 0))
        self._draw_blocks()
        top, height = self._lines_of(self._chosen)
        if isinstance(self.parent, Widget):
            place = self.virtual_region
            block = Region(place.x, place.y + 1 + top, place.width, height)
            self.parent.scroll_to_region(block, animate=False, immediate=True)

    def _lines_of(self, index: int) -> tuple[int, int]:
        """Return the line at which a block begins, and how many it has."""
        width = max(self.content_size.width, 1)
        heights = [block.get_height({}, width) for block in self._blocks[: index + 1]]
        return sum(heights[:-1]), heights[-1]

    def action_show(self) -> None:
        if self._attempts:
            self.post_message(self.Picked(self._attempts[len(self._attempts) - 1 - self._chosen]))

    def on_click(self, event: events.Click) -> None:
        """Choose what the mouse points at; a second click shows it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._attempts:
            return
        for index in range(len(self._blocks)):
            top, height = self._lines_of(index)
            if top <= offset.y < top + height:
                self._chosen = index
                self._draw_blocks()
                if event.chain == 2:
                    self.action_show()
                return
