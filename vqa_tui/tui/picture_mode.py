"""How pictures are drawn: half blocks everywhere, or the terminal's own pictures (Sixel, Kitty) where it has them."""

import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vqa_tui.tui.terminal_facts import ask_terminal, draws_in_cells

VARIABLE = "VQA_PICTURES"
"""Environment variable that overrides the setting."""
SETTINGS = ("auto", "halfblock", "kitty", "sixel", "none")

_KITTY_TERMS = ("kitty", "ghostty")
_SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft", "sixel")
_SIXEL_PROGRAMS = ("WezTerm", "iTerm.app", "rio", "contour")


class PictureMode(StrEnum):
    """What a picture is made of."""

    HALFBLOCK = "halfblock"
    """Two pixels to a cell: every terminal that has colours, inside tmux too."""
    SIXEL = "sixel"
    KITTY = "kitty"
    NONE = "none"
    """No picture at all, for slow lines and screen readers."""


@dataclass(slots=True)
class Pictures:
    """How pictures are shown at present; the screens of items share one, so that a choice holds for all of them."""

    mode: PictureMode = PictureMode.HALFBLOCK
    boxes: bool = True
    """Whether the boxes of the ground truth are drawn over them."""


def choose_mode(setting: str, environ: Mapping[str, str]) -> PictureMode:
    """Return the mode that `setting` means in this terminal; the variable VQA_PICTURES overrides it.

    `auto` goes by what the terminal says of itself in its environment. Inside tmux and screen it means half blocks. A
    value that is not known counts as `auto`.
    """
    wanted = environ.get(VARIABLE, "").strip().lower()
    if wanted not in SETTINGS:
        wanted = setting
    if wanted in (mode.value for mode in PictureMode):
        return PictureMode(wanted)
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if environ.get("TMUX") or environ.get("STY") or term.startswith(("tmux", "screen")):
        return PictureMode.HALFBLOCK
    if environ.get("KITTY_WINDOW_ID") or any(name in term for name in _KITTY_TERMS) or program == "ghostty":
        return PictureMode.KITTY
    if any(name in term for name in _SIXEL_TERMS) or program in _SIXEL_PROGRAMS:
        return PictureMode.SIXEL
    return PictureMode.HALFBLOCK


_widgets: dict[PictureMode, Any] = {}
"""The widget classes of textual-image by mode, once they were made ready."""


def make_ready(mode: PictureMode) -> PictureMode:
    """Import what draws `mode`, and return the mode that can be drawn.

    That is half blocks without the extra `images`, and in a Kitty that is too old for pictures in place of characters,
    or that does not tell its version. To be called before the app runs, for the terminal is asked.
    """
    if mode not in (PictureMode.SIXEL, PictureMode.KITTY):
        return mode
    terminal = ask_terminal()
    if mode is PictureMode.KITTY and not draws_in_cells(terminal.name):
        return PictureMode.HALFBLOCK
    try:
        with _not_asking(terminal.cell):
            library = importlib.import_module("textual_image.widget")
    except ImportError:
        return PictureMode.HALFBLOCK
    _widgets[PictureMode.SIXEL], _widgets[PictureMode.KITTY] = library.SixelImage, library.TGPImage
    return mode


@contextmanager
def _not_asking(cell: tuple[int, int] | None) -> Iterator[None]:
    """Let textual-image be imported without asking the terminal, and tell it the size of a cell in pixels.

    It waits a tenth of a second for each answer, and answers that come later would be read as keys. Where there is no
    terminal it asks nothing and takes the size of a cell from these variables, which textual-serve sets too.
    """
    sizes = dict(zip(("TEXTUAL_CELL_WIDTH", "TEXTUAL_CELL_HEIGHT"), map(str, cell), strict=True)) if cell else {}
    terminal = sys.__stdout__
    os.environ.update(sizes)
    sys.__stdout__ = io.StringIO()  # type: ignore[misc, assignment]  # declared as final, and as a file
    try:
        yield
    finally:
        sys.__stdout__ = terminal  # type: ignore[misc]
        for name in sizes:
            del os.environ[name]


def widget_class(mode: PictureMode) -> Any:
    """Return the widget class that draws `mode`; None where half blocks are all there is."""
    return _widgets.get(mode)


def usual_pictures(setting: str) -> Pictures:
    """Return how pictures are shown until a person wants it otherwise: the best that was made ready."""
    mode = choose_mode(setting, os.environ)
    plain = mode in (PictureMode.HALFBLOCK, PictureMode.NONE)
    return Pictures(mode if plain or widget_class(mode) is not None else PictureMode.HALFBLOCK)


def next_mode(mode: PictureMode, preferred: PictureMode) -> PictureMode:
    """Return the mode after this one: what the terminal can best, half blocks, none."""
    order = [preferred] if preferred in _widgets else []
    order += [PictureMode.HALFBLOCK, PictureMode.NONE]
    return order[(order.index(mode) + 1) % len(order)] if mode in order else order[0]
