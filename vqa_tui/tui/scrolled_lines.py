"""The drawn lines of a widget that scrolls: those that stay in sight are moved, not drawn again."""

from collections.abc import Mapping

from textual._styles_cache import StylesCache
from textual.strip import Strip


class ScrolledLines(StylesCache):
    """What a widget has drawn, by line, borders and padding included."""

    def moved(self, rows: range, by: int) -> dict[int, Strip]:
        """Return what the lines `rows` show after scrolling down `by` lines, as far as that is drawn already."""
        within = range(max(rows.start, rows.start - by), min(rows.stop, rows.stop - by))
        return {y: self._cache[y + by] for y in within if y + by in self._cache and y + by not in self._dirty_lines}

    def take(self, lines: Mapping[int, Strip]) -> None:
        """Show these lines as they are."""
        self._cache.update(lines)
        self._dirty_lines.difference_update(lines)
