"""Widgets that one layout is enough for; Textual lays the screen out once more whenever what is in one got larger."""

from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static


class Settled(Widget):
    """A widget that nothing has to make room for when what is in it grows.

    It stands last among the bases: a widget has the styles of its first one.
    """

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        return super()._size_updated(size, virtual_size, container_size, layout=False)


class SettledText(Static, Settled):
    """A text without children: the layout that gave it its height has placed all there is."""
