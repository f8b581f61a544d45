"""Header and status line of the items screen and of one item."""

from textual.content import Content

from vqa_tui.domain.run import RunView
from vqa_tui.domain.task import TaskFilter
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.filters import chips
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, phase_label


def items_header(view: RunView) -> Content:
    """Return crumbs, the state of the run and its counts."""
    counts = view.counts
    return Content.assemble(
        ("vqa-tui › runs › ", QUIET),
        clean(view.name, one_line=True, limit=60),
        (" › ", QUIET),
        ("items", "bold"),
        "   ",
        phase_label(view.phase, view.engine.state).content(),
        "   ",
        (f"✔ {count(counts.done)}", GOOD),
        "  ",
        (f"✖ {count(counts.failed)}", BAD if counts.failed else QUIET),
        "  ",
        (f"· {count(counts.pending)}", QUIET),
    )


def items_status(chosen: TaskFilter, *, shown: int, total: int | None, position: int, marked: int) -> Content:
    """Return the filter as chips, where the cursor is, and how many items are marked."""
    place = f"{count(position + 1)} of {count(shown)}" if shown else "0"
    parts = [chips(chosen), Content("  "), Content(place)]
    if total is not None and total != shown:
        parts.append(Content.styled(f" ({count(total)} in the run)", QUIET))
    if marked:
        parts.append(Content.styled(f"  ✓ {count(marked)} marked", "bold $text-accent"))
    return Content.assemble(*parts)


def item_header(run: str, position: int, shown: int) -> Content:
    """Return crumbs and which item of how many this is."""
    return Content.assemble(
        ("vqa-tui › runs › ", QUIET),
        clean(run, one_line=True, limit=60),
        (" › items › ", QUIET),
        (f"{count(position + 1)} of {count(shown)}", "bold"),
    )
