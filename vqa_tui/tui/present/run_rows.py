"""The list of runs: its columns, its rows, and which of them are in sight."""

from collections.abc import Sequence

from textual.content import Content

from vqa_tui.domain.run import Counts, RunSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import duration, known_money, money, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, phase_label, state_content
from vqa_tui.tui.present.rows import Row, number, text
from vqa_tui.tui.present.seen import RunLine

BAR_CELLS = 10
COURSE_CELLS = 8

RUN_COLUMNS = (
    Column("Run", 12, 30, grow=True),
    Column("Dataset → recipe @ endpoint", 20, 70, drop=7, grow=True),
    Column("State", 9, 31),
    Column("Done", 6, 6, right=True),
    Column("", BAR_CELLS, BAR_CELLS, drop=8),
    Column("Rate", 6, 8, right=True, drop=4, optional=True),
    Column("Course", COURSE_CELLS, COURSE_CELLS, drop=6, optional=True),
    Column("ETA", 7, 8, right=True, drop=3, optional=True),
    Column("Cost", 5, 10, right=True),
    Column("Cap", 6, 13, drop=9, optional=True),
    Column("Fail", 4, 8, right=True),
    Column("Age", 3, 4, right=True, drop=10),
)
"""Where space is short the age goes first, then the cap, the bar, what the run is made of and the course; the rest
stands at 80 columns too, and the lines below the list tell what went. Only engines at work have a rate and time left.
"""


class RunRows:
    """Makes the rows of the list, and of a run of which nothing has changed not a second time: most are at rest."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[RunLine, str, Row]] = {}

    def rows(self, lines: Sequence[RunLine], now: float) -> list[Row]:
        """Return a row for each of `lines` as of Unix time `now`."""
        made: dict[int, tuple[RunLine, str, Row]] = {}
        for line in lines:
            aged = age(now - line.summary.created_at)
            known = self._made.get(line.summary.id)
            same = known is not None and known[1] == aged and known[0] == line
            made[line.summary.id] = known if known is not None and same else (line, aged, run_row(line, now))
        self._made = made
        return [row for _line, _aged, row in made.values()]


def run_row(line: RunLine, now: float) -> Row:
    """Return one run of the list; an archived one is quiet, and says so."""
    run, view = line.summary, line.view
    state = state_content(view) if view is not None else phase_label(run.phase, run.engine).content()
    if line.archived:
        state = Content.styled(f"▫ {phase_label(run.phase, run.engine).word} · archived", QUIET)
    source = Content.assemble(text(run.dataset), (" → ", QUIET), text(run.recipe), (" @ ", QUIET), text(run.endpoint))
    works = line.at_work and view is not None
    return Row(
        run.id,
        (
            text(run.name, QUIET if line.archived else "bold"),
            source,
            state,
            Content(_percent(run.counts)),
            bars.line(
                run.counts.finished, run.counts.total, BAR_CELLS, style="$success" if run.counts.total else QUIET
            ),
            Content(rate(view.rate.per_second) if works and view else ""),
            course(line),
            Content(duration(view.eta_s) if works and view else ""),
            Content(known_money(run.spent, price_known=run.price_known)),
            Content.styled(f"of {money(run.cap)}" if run.cap is not None else "", _cap_style(run)),
            number(run.counts.failed, BAD),
            Content.styled(age(now - run.created_at), QUIET),
        ),
    )


def _percent(counts: Counts) -> str:
    return "100 %" if counts.finished == counts.total > 0 else share(counts.finished, counts.total)


def course(line: RunLine) -> Content:
    """Return how fast the run went as a sparkline; that of a run at rest is quiet."""
    if not any(value > 0 for value in line.course):
        return Content("")
    (drawn,) = bars.sparkline(line.course, COURSE_CELLS)
    return Content.styled(drawn, "$primary" if line.at_work else QUIET)


def _cap_style(run: RunSummary) -> str:
    return WARN if run.cap is not None and run.spent * 10 >= run.cap * 9 else QUIET


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: 45s, 12m, 3h, 5d, 2y."""
    for limit, unit, size in ((60, "s", 1), (3_600, "m", 60), (86_400, "h", 3_600), (31_557_600, "d", 86_400)):
        if seconds < limit:
            return f"{int(max(seconds, 0)) // size}{unit}"
    return f"{int(seconds) // 31_557_600}y"


def matches(line: RunLine, typed: str) -> bool:
    """Tell whether a run has every word of `typed` in its name, dataset, recipe, endpoint or state; `!word` means none.

    Case does not matter.
    """
    run = line.summary
    state = phase_label(run.phase, line.engine).word
    fields = [field.casefold() for field in (run.name, run.dataset, run.recipe, run.endpoint, state)]
    for word in typed.casefold().split():
        unwanted, sought = word.startswith("!"), word.removeprefix("!")
        if sought and any(sought in field for field in fields) is unwanted:
            return False
    return True


def in_sight(lines: Sequence[RunLine], typed: str, *, archived: bool) -> list[RunLine]:
    """Return the runs that the list shows: those that match, and archived ones where they are wanted."""
    return [line for line in lines if (archived or not line.archived) and matches(line, typed)]


def nothing_in_sight(typed: str, hidden: int) -> Content:
    """Return what stands in the list where no run is in sight; `hidden` are archived."""
    if typed:
        also = ", Z looks at archived ones too" if hidden else ""
        return Content.assemble(
            ("no run matches ", QUIET), clean(typed, one_line=True, limit=60), (f"   esc shows them all{also}", QUIET)
        )
    return Content.styled(f"every run is archived ({hidden}): H shows them", QUIET)
