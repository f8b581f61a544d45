"""The list of keys with what they do."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.phases import QUIET, WARN


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """One key: where it belongs, how it is shown, what it does, and why it cannot work now, if so."""

    group: str
    key: str
    title: str
    what: str
    why_not: str = ""


def help_text(keys: Sequence[KeyHelp], narrow: str) -> Content:
    """Return the keys whose key, title or text holds `narrow`, in their groups."""
    wanted = narrow.strip().lower()
    shown = [key for key in keys if not wanted or wanted in f"{key.key} {key.title} {key.what}".lower()]
    if not shown:
        return Content.styled("no key matches", QUIET)
    width = max(len(key.key) for key in shown)
    lines: list[Content] = []
    group = None
    for key in shown:
        if key.group != group:
            group = key.group
            lines += [Content("")] * bool(lines) + [Content.styled(group, "bold $text-primary")]
        style = QUIET if key.why_not else "bold $text-accent"
        what = clean(key.what or key.title, one_line=True, limit=200)
        lines.append(Content.assemble((f"{key.key:>{width}}", style), "  ", (what, QUIET if key.why_not else "")))
        if key.why_not:
            lines.append(Content.assemble(" " * (width + 2), (f"not now: {clean(key.why_not, one_line=True)}", WARN)))
    return Content("\n").join(lines)
