"""The line of keys at the bottom: made from the bindings, fitted to the width, grey where a key cannot work now."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
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
        return cell_len(self.shown) + (cell_len(self.words) + 3 if self.words else 1)


class KeyBar(Widget):
    """Shows the keys of the screen at the left and those of the app at the right; every entry can be clicked."""

    COMPONENT_CLASSES = {"key-bar--key", "key-bar--grey"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._spots: list[tuple[int, int, str]] = []
        self._drawn: tuple[list[_Entry], list[_Entry], list[_Entry]] | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        """Draw again where a key is called or works otherwise than what is on screen."""
        if self._entries() != self._drawn:
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
        """Return the entries at the left and at the right that fit. Where space is short those of the screen that are
        grey go first, then those of the app but for the first, then the rest; help lists them all. Where there is
        room the modes are shown too."""
        self._drawn = self._entries()
        own, common, modes = (entries.copy() for entries in self._drawn)
        while sum(entry.width for entry in (*own, *common)) > width and (own or common):
            grey = next((entry for entry in reversed(own) if not entry.enabled), None)
            if grey is not None:
                own.remove(grey)
            elif len(common) > 1 or not own:
                common.pop()
            else:
                own.pop()
        if sum(entry.width for entry in (*own, *modes, *common)) <= width:
            common = [*modes, *common]
        return own, common

    @property
    def _few_colours(self) -> bool:
        return self.app.console.color_system == "standard"

    def _entries(self) -> tuple[list[_Entry], list[_Entry], list[_Entry]]:
        """Return the shown bindings of the screen and its widgets, those of the app, and its modes.

        A mode that is left over, where the screen needs the digits of the others itself, is no help.
        With 16 colours grey cannot be told from the background, so what is grey is left out.
        """
        own: list[_Entry] = []
        common: list[_Entry] = []
        modes: list[_Entry] = []
        seen: set[str] = set()
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            is_mode = binding.action.startswith("mode(")
            if not (binding.show or is_mode) or binding.system or binding.action in seen:
                continue
            seen.add(binding.action)
            if self._few_colours and not active.enabled:
                continue
            key_words = getattr(active.node, "key_words", None)
            words = key_words(binding.action) if callable(key_words) else None
            words = binding.description if words is None else words
            entry = _Entry(
                self.app.get_key_display(binding), clean(words, one_line=True, limit=24).lower(), key, active.enabled
            )
            (modes if is_mode else common if active.node is self.app else own).append(entry)
        return own, common, modes if len(modes) > 1 else []

    def _draw(self, entries: list[_Entry], segments: list[Segment], x: int) -> int:
        """Add entries from column `x`; return where the next one would stand."""
        grey = self.get_visual_style("key-bar--grey").rich_style
        key_style, words_style = self.get_visual_style("key-bar--key").rich_style, self.visual_style.rich_style
        if self._few_colours and not self.app.current_theme.dark:
            # The accent becomes yellow on white there, which nobody can read.
            key_style = words_style + Style(bold=True, underline=True)
        for entry in entries:
            segments.append(Segment(" ", words_style))
            segments.append(Segment(entry.shown, key_style if entry.enabled else grey))
            if entry.words:
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
