"""Header and status line of the items screen and of one item."""

from textual.content import Content

from vqa_tui.domain.run import RunView
from vqa_tui.domain.task import TaskFilter
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.filters import chips
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN, phase_label


def items_header(view: RunView, width: int) -> Content:
    """Return crumbs, the state of the run, and counts that add up to all its items; the counts outlast the rest."""
    name = clean(view.name, one_line=True, limit=60)
    crumbs = Content.assemble(("vqa-tui › runs › ", QUIET), name, (" › ", QUIET), ("items", "bold"))
    short = Content.assemble(name, (" › ", QUIET), ("items", "bold"))
    state = phase_label(view.phase, view.engine.state).content()
    counts, brief = _counts(view, taken=True), _counts(view, taken=False)
    forms = ([crumbs, state, counts], [crumbs, state, brief], [short, state, brief], [short, brief], [brief])
    lines = [Content("   ").join(parts) for parts in forms]
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def _counts(view: RunView, *, taken: bool) -> Content:
    counts = view.counts
    parts = [
        Content.styled(f"✔ {count(counts.done)} done", GOOD),
        Content.styled(f"✖ {count(counts.failed)} failed", BAD if counts.failed else QUIET),
    ]
    if counts.skipped:
        parts.append(Content.styled(f"↷ {count(counts.skipped)} skipped", QUIET))
    left = f"· {count(counts.pending + counts.leased)} left"
    if taken and counts.leased:
        left += f", {count(counts.leased)} of them taken"
    return Content("  ").join([*parts, Content.styled(left, QUIET)])


def items_status(
    chosen: TaskFilter, *, shown: int, total: int | None, position: int, marked: int, problem: str = ""
) -> Content:
    """Return the filter as chips, where the cursor is, and how many are marked; or why a filter cannot be read."""
    if problem:
        return Content.styled(clean(problem, one_line=True, limit=300), WARN)
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
