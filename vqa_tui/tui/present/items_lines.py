"""Header and status line of the items screen and of one item."""

from textual.content import Content

from vqa_tui.domain.run import RunView
from vqa_tui.domain.task import BY_ID, SortField, TaskSort
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import BAD, BUSY, GOOD, QUIET, WARN, phase_label


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


_SORT_WORDS = {
    SortField.ID: ("by number", "by number, last first"),
    SortField.COST: ("by cost, lowest first", "by cost, highest first"),
    SortField.ATTEMPTS: ("by tries, fewest first", "by tries, most first"),
    SortField.LATENCY: ("by slowest request, fastest first", "by slowest request first"),
    SortField.FINISHED: ("by time, oldest first", "by time, newest first"),
}


def items_status(
    *,
    shown: int,
    total: int | None,
    position: int,
    marked: int,
    left: int = 0,
    ranging: bool = False,
    sort: TaskSort = BY_ID,
    reading: bool = False,
    problem: str = "",
) -> Content:
    """Return where the cursor is, how the list is sorted and what is marked; or why a filter cannot be read.

    `left`: items that were marked and are in the list no more.
    """
    if problem:
        return Content.styled(in_a_line(problem, limit=300), WARN)
    parts = [Content(f"{count(position + 1)} of {count(shown)}" if shown else "0")]
    if total is not None and total != shown:
        parts.append(Content.styled(f" ({count(total)} in the run)", QUIET))
    if ranging:
        parts.append(Content.styled("  ✓ range: v marks up to here, esc drops it", "bold $text-accent"))
    if marked or left:
        parts.append(Content.styled(f"  ✓ {count(marked)} marked", "bold $text-accent"))
    if left:
        parts.append(Content.styled(f", {count(left)} of {count(marked + left)} left the list", WARN))
    if sort != BY_ID:
        parts.append(
            Content.styled(f"  {'▼' if sort.descending else '▲'} {_SORT_WORDS[sort.by][sort.descending]}", QUIET)
        )
    if reading:
        parts.append(Content.styled("  looking …", BUSY))
    return Content.assemble(*parts)


def item_header(run: str, position: int, shown: int) -> Content:
    """Return crumbs and which item of how many this is."""
    return Content.assemble(
        ("vqa-tui › runs › ", QUIET),
        clean(run, one_line=True, limit=60),
        (" › items › ", QUIET),
        (f"{count(position + 1)} of {count(shown)}", "bold"),
    )
