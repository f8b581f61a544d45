"""Titles in borders that change while one looks: Textual draws a whole widget again for a title that it has already."""

from textual.content import Content
from textual.widget import Widget


def show_title(widget: Widget, title: Content | str, *, below: bool = False) -> None:
    """Set the title in the upper border of a widget, or in the lower one, where it reads otherwise than it does."""
    words = title if isinstance(title, str) else title.markup
    if words == (widget.border_subtitle if below else widget.border_title):
        return
    if below:
        widget.border_subtitle = title
    else:
        widget.border_title = title
