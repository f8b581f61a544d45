"""The limits of a run as rows, and what there is to say about one."""

from textual.content import Content

from vqa_tui.operations.limits import LimitInForce, LimitValue, limit_words
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import Row, text

LIMIT_COLUMNS = (
    Column("Limit", 12, 30),
    Column("Now", 6, 16, right=True),
    Column("Unchanged", 6, 16, right=True, drop=1),
    Column("What it limits", 10, 60, drop=2, grow=True),
)


def limit_row(limit: LimitInForce) -> Row:
    """Return one limit; what a person set stands out, with what would hold without."""
    now = text(_shown(limit.value), "bold" if limit.overridden else "" if limit.value is not None else QUIET)
    own = text(_shown(limit.own) if limit.overridden else "", QUIET)
    return Row(limit.name, (text(limit.name), now, own, text(limit.about, QUIET)))


def limit_about(limit: LimitInForce, *, editing: bool = False) -> Content:
    """Return what a limit is of and what it may be set to."""
    name = clean(f"{limit.name}: {limit.about}", one_line=True, limit=200)
    takes = clean(f"It takes {limit.wanted}.", one_line=True, limit=200)
    head = Content.styled(f"{'Set ' if editing else ''}{name}.", "bold" if editing else "")
    return Content.assemble(head, " ", (takes, QUIET))


def _shown(value: LimitValue) -> str:
    return count(value) if isinstance(value, int) and not isinstance(value, bool) else limit_words(value)
