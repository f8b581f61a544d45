"""Stepping through the pictures of an item that has several: the keys, and where they lead."""

from textual.binding import Binding

NEXT_PICTURE = Binding(
    "right_square_bracket",
    "other_picture(1)",
    "picture",
    key_display="]",
    id="picture.next",
    tooltip="The next picture of this item",
)
PREVIOUS_PICTURE = Binding(
    "left_square_bracket",
    "other_picture(-1)",
    "Picture before",
    key_display="[",
    id="picture.previous",
    tooltip="The picture of this item before",
    show=False,
)


def stepped(number: int, by: int, count: int) -> int:
    """Return the picture `by` steps after picture `number` of `count`, from 0; behind the last is the first."""
    return (number + by) % count
