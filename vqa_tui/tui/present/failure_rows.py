"""Rows, header and status line of the list of failures."""

from collections.abc import Sequence

from textual.content import Content

from vqa_tui.domain.failure_cluster import TREND_MINUTES, FailureCluster, FailureTable
from vqa_tui.domain.run import RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.failure_words import ago, form_words, kinds_words, number_of
from vqa_tui.tui.present.numbers import count, plural, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words, phase_label
from vqa_tui.tui.present.rows import Row, text

MOST_ROWS = 300
"""Clusters that are listed; a list of more is no list of what went wrong."""

FAILURE_COLUMNS = (
    Column("Count", 5, 9, right=True),
    Column("Share", 6, 7, right=True, drop=2),
    Column("Kind", 12, 17),
    Column("What went wrong", 36, 400, grow=True, soft=True),
    Column("First seen", 6, 10, right=True, drop=3),
    Column("Last seen", 6, 9, right=True, drop=1),
    Column(f"Last {TREND_MINUTES} min", TREND_MINUTES, TREND_MINUTES, drop=4),
)


def failure_row(cluster: FailureCluster, whole: int, now: float, *, tries: bool) -> Row:
    """Return one cluster; `whole` is what all of them count together."""
    number = number_of(cluster, tries=tries)
    (trend,) = bars.sparkline(cluster.tries_by_minute if tries else cluster.pictures_by_minute, TREND_MINUTES) or ("",)
    return Row(
        cluster.id,
        (
            Content.styled(count(number), "bold"),
            Content.styled(share(number, whole), QUIET),
            Content.styled(kinds_words(cluster), WARN if tries and not cluster.pictures else BAD),
            text(form_words(cluster)),
            Content.styled(ago(cluster.first_at, now), QUIET),
            Content(ago(cluster.last_at, now)),
            Content.styled(trend, "$primary"),
        ),
    )


def failures_header(view: RunView, width: int) -> Content:
    """Return crumbs, the state of the run, and how much failed."""
    name = clean(view.name, one_line=True, limit=60)
    crumbs = Content.assemble(("vqa-tui › runs › ", QUIET), name, (" › ", QUIET), ("failures", "bold"))
    short = Content.assemble(name, (" › ", QUIET), ("failures", "bold"))
    state = phase_label(view.phase, view.engine.state).content()
    failed, tries = view.counts.failed, sum(view.attempt_failures.values())
    counts = Content.assemble(
        (f"✖ {plural(failed, view.unit)} failed", BAD if failed else QUIET),
        (f" · {plural(tries, 'try', 'tries')} failed" if tries else "", QUIET),
    )
    brief = Content.styled(f"✖ {count(failed)} failed", BAD if failed else QUIET)
    forms = ([crumbs, state, counts], [crumbs, state, brief], [short, state, brief], [short, brief], [brief])
    lines = [Content("   ").join(parts) for parts in forms]
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def failures_status(
    shown: Sequence[FailureCluster],
    table: FailureTable,
    *,
    tries: bool,
    newest_first: bool,
    marked: int,
    may_write: bool,
) -> Content:
    """Return what is listed and how, how many are marked, and what is not in the list yet."""
    whole = sum(number_of(cluster, tries=tries) for cluster in shown)
    what = plural(whole, "failed try", "failed tries") if tries else plural(whole, f"failed {table.unit}")
    parts = [
        Content.styled(" every try " if tries else " failed for good ", "bold on $panel"),
        Content(f"  {what} in {plural(len(shown), 'cluster')}"),
        Content.styled(", newest first" if newest_first else ", largest first", QUIET),
    ]
    if len(shown) > MOST_ROWS:
        parts.append(Content.styled(f"  {count(len(shown) - MOST_ROWS)} small ones are not listed", QUIET))
    if marked:
        parts.append(Content.styled(f"  ✓ {count(marked)} marked", "bold $text-accent"))
    if table.ungathered:
        words = "being gathered …" if may_write else "not gathered: opened with --readonly"
        parts.append(Content.styled(f"  {plural(table.ungathered, 'older failure')} {words}", WARN))
    return Content.assemble(*parts)


def nothing_failed(view: RunView | None, *, tries: bool) -> Content:
    """Return the empty state: that nothing failed, and what was made up for by asking again."""
    head = Content.styled("No try has failed." if tries else "Nothing has failed for good.", "bold $text-success")
    again = {kind: number for kind, number in (view.attempt_failures if view else {}).items() if number}
    if tries or not again:
        return head
    number = plural(sum(again.values()), "try", "tries")
    kinds = ", ".join(f"{kind_words(kind)} {count(each)}" for kind, each in sorted(again.items(), key=lambda k: -k[1]))
    return Content.assemble(
        head, "\n\n", f"{number} failed on the way, and their pictures were asked again: {kinds}.", "\n",
        ("t", "bold $text-primary"), (" shows what went wrong with them.", QUIET),
    )  # fmt: skip
