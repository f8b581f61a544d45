"""A mend of Textual 8.2: a widget whose content changes before its first idle moment is laid out for it, too."""

from typing import Any

from textual.geometry import Region
from textual.widget import Widget

_refresh = Widget.refresh


def _counting(self: Widget, *regions: Region, layout: bool = False, **wishes: Any) -> Widget:
    # The box of a widget is kept under the number of its wishes for a layout, and Textual counts none while another is
    # open. The first is open until the widget is idle: a layout made meanwhile would keep, say, the height of no text
    # for the text that comes then.
    if layout and self._layout_required:
        self._layout_updates += 1
    return _refresh(self, *regions, layout=layout, **wishes)


def count_every_layout_wish() -> None:
    """Let every wish for a layout count, for all widgets of the process."""
    Widget.refresh = _counting  # type: ignore[method-assign, assignment]
