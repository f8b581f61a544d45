"""The line of keys at the bottom: made from the bindings, fitted to the width, grey where a key cannot work now."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from vqa_tui.safe_text import clean


@dataclass(frozen=True, slots=True)
class _Entry:
    shown: str
    words: str
    key: str
    enabled: bool

    @property
    def width(self) -> int:
        return cell_len(self.shown) + cell_len(self.words) + 3


class KeyBar(Widget):
    """Shows the keys of the screen at the left and those of the app at the right; every entry can be clicked."""

    COMPONENT_CLASSES = {"key-bar--key", "key-bar--grey"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._spots: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.visual_style.rich_style
        if y:
            return Strip.blank(width, base)
        left, right = self._fitted(width)
        right_width = sum(entry.width for entry in right)
        segments: list[Segment] = []
        self._spots = []
        x = self._draw(left, segments, 0)
        if x + right_width <= width:
            segments.append(Segment(" " * (width - right_width - x), base))
            self._draw(right, segments, width - right_width)
        return Strip(segments).adjust_cell_length(width, base)

    def _fitted(self, width: int) -> tuple[list[_Entry], list[_Entry]]:
        """Return the entries at the left and at the right that fit: those of the app but for the first go before
        those of the screen, and among these the grey ones before those that work; help lists them all."""
        own, common = self._entries()
        while sum(entry.width for entry in (*own, *common)) > width and (own or common):
            if len(common) > 1:
                common.pop()
            else:
                own.remove(
                    next((entry for entry in reversed(own) if not entry.enabled), own[-1])
                ) if own else common.pop()
        return own, common

    def _entries(self) -> tuple[list[_Entry], list[_Entry]]:
        """Return the shown bindings of the screen and its widgets, and those of the app."""
        own: list[_Entry] = []
        common: list[_Entry] = []
        seen: set[str] = set()
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if not binding.show or binding.system or binding.action in seen:
                continue
            seen.add(binding.action)
            words = clean(binding.description, one_line=True, limit=24).lower()
            entry = _Entry(self.app.get_key_display(binding), words, key, active.enabled)
            (common if active.node is self.app else own).append(entry)
        return own, common

    def _draw(self, entries: list[_Entry], segments: list[Segment], x: int) -> int:
        """Add entries from column `x`; return where the next one would stand."""
        grey = self.get_visual_style("key-bar--grey").rich_style
        key_style, words_style = self.get_visual_style("key-bar--key").rich_style, self.visual_style.rich_style
        for entry in entries:
            segments.append(Segment(f" {entry.shown}", key_style if entry.enabled else grey))
            segments.append(Segment(f" {entry.words} ", words_style if entry.enabled else grey))
            self._spots.append((x, x + entry.width, entry.key))
            x += entry.width
        return x

    def on_click(self, event: events.Click) -> None:
        """A click is the key press."""
        for start, end, key in self._spots:
            if start <= event.x < end:
                self.app.simulate_key(key)
                return
