"""A picture of the app as SVG that every viewer shows alike: no font from the net, no spaces at the ends of a text."""

import html
import re

from rich.cells import cell_len

_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_IDS = re.compile(r"terminal-\d+")
_TEXT = re.compile(r'x="([\d.]+)"([^>]*) textLength="([\d.]+)"([^>]*)>([^<]*)</text>')
_LINE_CLIP = re.compile(r'<clipPath id="t-line-\d+">.*?</clipPath>\s*| clip-path="url\(#t-line-\d+\)"', re.DOTALL)
_CELL = 12.2
"""Width of a cell where Rich draws it."""
_CRISP = ' shape-rendering="crispEdges"'
_LETTERS = "font-size: 20px"
_OWN_LETTERS = "font-size: 20.26px"
"""A letter of DejaVu Sans Mono is as wide as a cell then, in viewers too that know no textLength."""


def portable(svg: str) -> str:
    """Return what `App.export_screenshot` made, one element a line, with names that hang on nothing but the screen."""
    svg = _LINE_CLIP.sub("", _IDS.sub("t", _FONTS.sub("", svg)))
    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace(_LETTERS, _OWN_LETTERS)
    svg = svg.replace(_CRISP, "").replace("<style>", "<style>\n    g rect { shape-rendering: crispEdges }", 1)
    return _TEXT.sub(_without_outer_spaces, svg).replace("<text", "\n<text").replace("<rect", "\n<rect")


def _without_outer_spaces(text: re.Match[str]) -> str:
    """Move a text to where its first letter stands: some viewers drop the spaces at its ends.

    Rich counts letters where it should count cells; what is two cells wide would be squeezed into one.
    """
    x, between, after, words = float(text[1]), text[2], text[4], html.unescape(text[5])
    inner = words.strip("\xa0")
    if not inner or not cell_len(inner):
        return text[0]
    x += _CELL * (len(words) - len(words.lstrip("\xa0")))
    shown = html.escape(inner, quote=False).replace("\xa0", "&#160;")
    return f'x="{x:.1f}"{between} textLength="{_CELL * cell_len(inner):.1f}"{after}>{shown}</text>'
