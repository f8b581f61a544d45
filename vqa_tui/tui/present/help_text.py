"""The list of keys with what they do."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET, WARN

_LEAST_WORDS = 16


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """One key: where it belongs, how it is shown, what it does, and why it cannot work now, if so."""

    group: str
    key: str
    title: str
    what: str
    why_not: str = ""


def help_text(keys: Sequence[KeyHelp], narrow: str, width: int) -> Content:
    """Return the keys whose key, title or text holds `narrow`, in their groups; words wrap beside their key."""
    wanted = narrow.strip().lower()
    shown = [key for key in keys if not wanted or wanted in f"{key.key} {key.title} {key.what}".lower()]
    if not shown:
        return Content.styled("no key matches", QUIET)
    key_width = max(len(key.key) for key in shown)
    margin = " " * (key_width + 2)
    room = max(width - len(margin), _LEAST_WORDS)
    lines: list[Content] = []
    group = None
    for key in shown:
        if key.group != group:
            group = key.group
            lines += [Content("")] * bool(lines) + [Content.styled(group, "bold $text-primary")]
        style = QUIET if key.why_not else "bold $text-accent"
        what = clean(key.what or key.title, one_line=True, limit=200)
        words = textwrap.wrap(what, room) or [""]
        lines.append(
            Content.assemble((f"{key.key:>{key_width}}", style), "  ", (words[0], QUIET if key.why_not else ""))
        )
        lines += [Content.assemble(margin, (line, QUIET if key.why_not else "")) for line in words[1:]]
        if key.why_not:
            why_not = textwrap.wrap(f"not now: {clean(key.why_not, one_line=True)}", room)
            lines += [Content.assemble(margin, (line, WARN)) for line in why_not]
    return Content("\n").join(lines)
