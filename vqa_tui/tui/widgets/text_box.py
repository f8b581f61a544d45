"""A box of text that is scrolled by j and k as lists are."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll


class TextBox(VerticalScroll):
    """Takes the focus, so that what does not fit can be scrolled to by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", id="text.down", tooltip="Scroll the text down", show=False),
        Binding("k", "scroll_up", "Up", id="text.up", tooltip="Scroll the text up", show=False),
        Binding("g", "scroll_home", "First", id="text.first", tooltip="To the start of the text", show=False),
        Binding("G", "scroll_end", "Last", id="text.last", tooltip="To the end of the text", show=False),
    ]
