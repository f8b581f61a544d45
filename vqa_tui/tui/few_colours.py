"""Which theme is drawn where the terminal has sixteen colours only."""

from textual.theme import Theme

SIXTEEN = "standard"
"""What Rich calls the colours of such a terminal."""
_LIGHT = "ansi-light"


def drawn_theme(wanted: Theme, color_system: str | None) -> str:
    """Return the name of the theme to draw where `wanted` was chosen.

    With sixteen colours the tones of a light theme fall on the nearest of them, so that warnings become yellow on white
    and quiet words light grey; Textual's theme for such terminals keeps them apart. Dark themes stay readable.
    """
    return _LIGHT if color_system == SIXTEEN and not wanted.dark and not wanted.ansi else wanted.name
