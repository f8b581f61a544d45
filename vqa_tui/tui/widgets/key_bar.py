"""The line of keys at the bottom: made from the bindings, fitted to the width, grey where a key cannot work now."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from vqa_tui.safe_text import clean
from vqa_tui.tui.few_colours import SIXTEEN
from vqa_tui.tui.typed_keys import is_typed


@dataclass(frozen=True, slots=True)
class _Entry:
    shown: str
    words: str
    key: str
    action: str
    enabled: bool
    of_app: bool
    """Whether it belongs to the app, not to the screen."""

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """What comes first where space is short."""
        return self.action != "help", not self.enabled, self.of_app

    @property
    def width(self) -> int:
        return cell_len(self.shown) + (cell_len(self.words) + 3 if self.words else 1)


class KeyBar(Widget):
    """Shows the keys of the screen at the left and those of the app at the right; every entry can be clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key", "key-bar--grey"}

    def __init__(self) -> None:
        super().__init__()
        self._spots: list[tuple[int, int, str]] = []
        self._drawn: tuple[list[_Entry], list[_Entry], list[_Entry]] | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        """Draw again where a key is called or works otherwise than what is on screen; a mode that comes looks then."""
        if self.screen in self.app.screen_stack and self._entries() != self._drawn:
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
        start = max(x, width - right_width)
        segments.append(Segment(" " * (start - x), base))
        self._draw(right, segments, start)
        return Strip(segments).adjust_cell_length(width, base)

    def _fitted(self, width: int) -> tuple[list[_Entry], list[_Entry]]:
        """Return the entries at the left and at the right that fit; help lists them all.

        Where space is short the key of the help comes first, then those of the screen that work now, then those of the
        app, then what is grey; one that is too long leaves its place to the next. Where there is room the modes are
        shown too. The blank after the last entry may fall off the edge.
        """
        self._drawn = own, common, modes = self._entries()
        room = width + 1
        fitting: list[_Entry] = []
        for entry in sorted((*common, *own), key=lambda entry: entry.rank):
            if entry.width <= room:
                fitting.append(entry)
                room -= entry.width
        # Of a pair like `+ - workers` the words stand at the second, without which the first says nothing.
        alone = [entry for entry, after in pairwise((*own, *common)) if not entry.words and after not in fitting]
        fitting = [entry for entry in fitting if entry not in alone]
        left, right = ([entry for entry in side if entry in fitting] for side in (own, common))
        if len(fitting) == len(own) + len(common) and sum(entry.width for entry in modes) <= room:
            right = [*modes, *right]
        return left, right

    @property
    def _few_colours(self) -> bool:
        return self.app.console.color_system == SIXTEEN

    def _entries(self) -> tuple[list[_Entry], list[_Entry], list[_Entry]]:
        """Return the shown bindings of the screen and its widgets in order of use, those of the app, and its modes.

        A mode that is left over, where the screen needs the digits of the others itself, is no help.
        With 16 colours grey cannot be told from the background, so what is grey is left out. Of two keys that are
        called the same now the first is enough.
        """
        own: list[_Entry] = []
        common: list[_Entry] = []
        modes: list[_Entry] = []
        seen: set[str] = set()
        told: set[str] = set()
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            is_mode = binding.action.startswith("mode(")
            if not (binding.show or is_mode) or binding.system or binding.action in seen:
                continue
            if is_typed(self.screen, key):
                continue
            seen.add(binding.action)
            if self._few_colours and not active.enabled:
                continue
            key_words = getattr(active.node, "key_words", None)
            words = key_words(binding.action) if callable(key_words) else None
            words = binding.description if words is None else words
            of_app = active.node is self.app
            words = clean(words, one_line=True, limit=24).lower()
            if words and active.enabled and not (is_mode or of_app):
                if words in told:
                    continue
                told.add(words)
            entry = _Entry(self.app.get_key_display(binding), words, key, binding.action, active.enabled, of_app)
            (modes if is_mode else common if of_app else own).append(entry)
        last = getattr(self.screen, "KEYS_LAST", ())
        own.sort(key=lambda entry: last.index(entry.action) + 1 if entry.action in last else 0)
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
