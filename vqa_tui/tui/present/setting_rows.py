"""Rows of the settings screen: the app's settings, and every key by its id."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.keymap import KeyId
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import Row, text


@dataclass(frozen=True, slots=True)
class SettingAbout:
    """What one setting means, and what it may be; no choices: text."""

    name: str
    words: str
    choices: tuple[str, ...] = ()


SETTINGS: tuple[SettingAbout, ...] = (
    SettingAbout("theme", "colours; Enter chooses among the themes"),
    SettingAbout(
        "pictures",
        "how pictures are drawn; auto: half blocks inside tmux, elsewhere what the terminal can; from the next start",
        ("auto", "halfblock", "sixel", "kitty", "none"),
    ),
    SettingAbout("bell", "ring when a run pauses, ends or needs you", ("true", "false")),
    SettingAbout("desktop", "the same as a desktop notification through the terminal (OSC 9)", ("true", "false")),
    SettingAbout("command", "the same as the last argument of a command of yours; empty for none"),
)

SETTING_COLUMNS = (
    Column("Setting", 8, 10),
    Column("Now", 8, 30),
    Column("What it does", 10, 100, grow=True),
)
KEY_COLUMNS = (
    Column("What it does", 20, 80, grow=True),
    Column("Key", 5, 24),
    Column("Was", 3, 16, drop=2, optional=True),
    Column("Id", 8, 28, drop=1),
)


def setting_rows(settings: Mapping[str, object]) -> list[Row]:
    """Return the settings with what holds now; `settings` are their values by name."""
    return [
        Row(each.name, (text(each.name), _value(settings[each.name]), text(each.words, QUIET))) for each in SETTINGS
    ]


def key_rows(known: Sequence[KeyId], keys: Mapping[str, str]) -> list[Row]:
    """Return every key with its id; one that a person set stands out and says what it was."""
    rows = []
    for each in known:
        own = keys.get(each.id)
        cells = (
            text(each.tooltip or each.description),
            text(_spelled(own or each.keys), "bold" if own else ""),
            text(_spelled(each.keys) if own else "", QUIET),
            text(each.id, QUIET),
        )
        rows.append(Row(each.id, cells))
    return rows


def row_about(name: Hashable, known: Sequence[KeyId]) -> Content:
    """Return in full what a setting or a key is for; nothing where no row has that name."""
    words = {each.name: each.words for each in SETTINGS} | {each.id: each.tooltip or each.description for each in known}
    return Content.assemble((f"{name}: ", QUIET), clean(words[name], limit=300)) if name in words else Content("")


def _value(value: object) -> Content:
    if value == "":
        return text("none", QUIET)
    return text(str(value).lower() if isinstance(value, bool) else str(value), "bold")


def _spelled(keys: str) -> str:
    """Return keys as people read them."""
    return " ".join(_SPELLED.get(key, key) for key in keys.split(","))


_SPELLED = {
    "question_mark": "?", "colon": ":", "slash": "/", "asterisk": "*", "plus": "+", "minus": "-", "equals_sign": "=",
    "escape": "esc", "left_square_bracket": "[", "right_square_bracket": "]",
}  # fmt: skip
