"""What the welcome says."""

from collections.abc import Callable

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET


def welcome_text(command: Callable[[str], str]) -> Content:
    """Return what this is and how it is used; `command` makes the line that a person types."""
    return Content.assemble(
        "From a folder of pictures to training data for a vision-language model: pictures are imported once, a model "
        "is asked about each, and you watch, stop, look and judge.\n\n",
        ("The work is done by a process of its own. Closing this never stops it, and no answer is paid twice.\n", ""),
        ("Everything is a command too: ", QUIET),
        (clean(command("--help"), one_line=True, limit=300), "bold"),
        ("   Keys of any screen: ", QUIET),
        ("?", "bold"),
        ("   Every action by name: ", QUIET),
        (":", "bold"),
    )
