"""A compositor that draws no more than the cells that changed; Textual's draws all between the first and the last."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

from textual._compositor import ChopsUpdate, Compositor, CompositorMap, ReflowResult
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

_Chops = list[dict[int, Strip | None]]


class LeanCompositor(Compositor):
    """Asks a widget only for lines of which something is drawn, and leaves out what lies beneath others."""

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """Lay out all widgets; the map of all of them is a whole one then, also after one of the visible ones alone."""
        result = super().reflow(parent, size)
        self._full_map_invalidated = False
        return result

    @property
    def full_map(self) -> CompositorMap:
        """Where each widget lies. What has moved since it was drawn is drawn again: Textual, asked in the moment before
        a layout, forgets where a widget was, and what was drawn there stays on screen."""
        if not self._full_map_invalidated:
            return self._full_map
        before = self._full_map if self._visible_map is None else self._visible_map
        found = super().full_map
        # What is drawn before that layout is drawn as the map is now.
        self._cuts = self._layers = self._layers_visible = None
        moved = _places(before) ^ _places(found)
        self._dirty_regions.update(shown for _, region, clip in moved if (shown := clip.intersection(region)))
        return found

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what changed since the last update, or None where nothing did."""
        dirty = self._dirty_regions.copy()
        self._dirty_regions.clear()
        if not dirty:
            return None
        spans = list(self._regions_to_spans(dirty))
        return ChopsUpdate(self._drawn(self._cuts_within(spans)), spans, [cuts[1:] for cuts in self.cuts])

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        wanted = {y: set(self.cuts[y][:-1]) for y in crop.line_range if y < len(self.cuts) and is_rendered_line(y)}
        return self._drawn(wanted)  # type: ignore[return-value]  # Textual leaves gaps where no widget is, too

    def _cuts_within(self, spans: Iterable[tuple[int, int, int]]) -> dict[int, set[int]]:
        """Return by line where the pieces begin of which something lies in `spans`: (line, first cell, cell after)."""
        wanted: dict[int, set[int]] = {}
        for y, first, after in spans:
            cuts = self.cuts[y]
            pieces = itertools.pairwise(cuts)
            wanted.setdefault(y, set()).update(start for start, end in pieces if start < after and end > first)
        return wanted

    def _drawn(self, wanted: dict[int, set[int]]) -> _Chops:
        """Return the pieces of each line by where they begin, those of `wanted` drawn; `wanted` is used up."""
        cuts = self.cuts
        chops: _Chops = [dict.fromkeys(line[:-1]) for line in cuts]
        for widget, (region, clip) in self.visible_widgets.items():  # the topmost first
            shown = region.intersection(clip)
            left, right = shown.column_span
            lines = [y for y in shown.line_range if any(left <= cut < right for cut in wanted.get(y, ()))]
            if not lines:
                continue
            part = _part_to_render(widget, shown, lines)
            strips = widget.render_lines(part.translate(-region.offset))
            for y, strip in zip(part.line_range, strips, strict=False):  # a picture that is not shown gives none
                missing = wanted.get(y)
                if not missing:
                    continue
                ends = [cut for cut in cuts[y] if left <= cut <= right]
                for cut, piece in zip(ends, strip.divide([cut - left for cut in ends[1:]]), strict=False):
                    if cut in missing:
                        chops[y][cut] = piece
                        missing.discard(cut)
        return chops


def _places(widgets: CompositorMap) -> set[tuple[Widget, Region, Region]]:
    """Return where each widget lies and what of the screen is open to it; what else a map says of it moves nothing."""
    return {(widget, geometry.region, geometry.clip) for widget, geometry in widgets.items()}


def _part_to_render(widget: Widget, shown: Region, lines: Sequence[int]) -> Region:
    """Return what a widget is asked for: the lines that are drawn, or all where it draws them as a whole."""
    if type(widget).render_lines is not Widget.render_lines:
        return shown
    return Region(shown.x, lines[0], shown.width, lines[-1] + 1 - lines[0])
