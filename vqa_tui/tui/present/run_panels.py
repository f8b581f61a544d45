"""The text of the dashboard's panels; each function fills the width and height that it is given."""

from collections.abc import Callable
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, milliseconds, money, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words

PanelText = Callable[[RunView, int, int], Content]
"""(view, width in cells, height in lines) -> text."""

_WAITING_KINDS = {FailureKind.RATE_LIMITED.value, FailureKind.QUOTA_EXHAUSTED.value}


def throughput(view: RunView, width: int, height: int) -> Content:
    """Return the rate with its history, latencies and the slots in use; more height gives a taller plot."""
    now = rate(view.rate.per_second) if _at_work(view) else UNKNOWN
    latency = Content.assemble(
        ("p50 ", QUIET), milliseconds(view.latency.p50_ms), ("  p95 ", QUIET), milliseconds(view.latency.p95_ms)
    )
    slots = Content.assemble(
        ("in flight ", QUIET), count(len(view.in_flight)), (" of ", QUIET), count(view.limits.concurrency)
    )
    if height < 5:
        plot_width = max(width - len(now) - 2, 0)
        plot = bars.sparkline(view.rate.history, plot_width)
        first = Content.assemble((plot[0] if plot else "", "$primary"), "  " if plot else "", (now, "bold"))
        return _lines([first, latency, slots], height)
    peak = max(view.rate.history, default=0.0)
    head = Content.assemble((now, "bold"), (f"   peak {rate(peak)}", QUIET) if peak else "")
    together = Content.assemble(latency, "   ", slots)
    tail = [together] if together.cell_length <= width else [latency, slots]
    plot = bars.sparkline(view.rate.history, width, height - 1 - len(tail))
    rows = [Content.styled(row, f"$primary {100 - 60 * y // len(plot)}%") for y, row in enumerate(plot)]
    return _lines([head, *rows, *tail], height)


def _at_work(view: RunView) -> bool:
    """Whether the last rate is that of now; a run that rests or lost its engine has none."""
    return view.engine.state is EngineState.ALIVE and view.phase in (Phase.PILOT, Phase.RUNNING, Phase.PAUSING)


def cost(view: RunView, width: int, height: int) -> Content:
    """Return what was spent, what one picture costs, what the run will cost, and how much of the cap is used."""
    money_view, lines = view.cost, []
    if not money_view.price_known:
        lines = [
            Content.styled("price unknown", WARN),
            Content.styled("a budget cannot be held", QUIET),
        ]
    else:
        spent = money(money_view.spent)
        lines.append(Content.assemble((spent, "bold"), (_per_picture(view, width - len(spent)), QUIET)))
        lines.append(Content.assemble(("projected ", QUIET), money(money_view.projected)))
        cap = money_view.cap if money_view.cap is not None else view.limits.budget_usd
        lines.append(_cap_line(money_view.spent, money_view.reserved, cap, width))
        if money_view.uncertain:
            uncertain = Content.assemble(("uncertain ", QUIET), (money(money_view.uncertain), WARN))
            lines.insert(2 if height > 3 else 3, uncertain)
        if money_view.reserved:
            lines.append(Content.assemble(("reserved ", QUIET), money(money_view.reserved)))
    tokens = view.tokens
    if tokens.input or tokens.output:
        lines.append(
            Content.assemble(
                ("tokens ", QUIET), compact(tokens.input), (" in  ", QUIET), compact(tokens.output), (" out", QUIET)
            )
        )
    if view.samples:
        lines.append(Content.assemble(("pairs ", QUIET), count(view.samples)))
    if height <= 3 and money_view.price_known and money_view.uncertain:
        lines[1] = _joined(lines[1], Content.styled(f"? {money(money_view.uncertain)}", WARN), width)
    return _lines(lines, height)


def _joined(left: Content, right: Content, width: int) -> Content:
    both = Content.assemble(left, "  ", right)
    return both if both.cell_length <= width else left


def _per_picture(view: RunView, room: int) -> str:
    """What one finished picture cost, in `room` cells; pictures that failed are paid for by those that did not."""
    if not view.counts.done or not view.cost.spent:
        return ""
    each = money(view.cost.spent / view.counts.done)
    return next((text for unit in ("/picture", "/pic.") if len(text := f"  {each}{unit}") <= room), "")


def _cap_line(spent: Decimal, reserved: Decimal, cap: Decimal | None, width: int) -> Content:
    if cap is None:
        return Content.styled("no cap  b sets one", QUIET)
    used = spent + reserved
    style = "$error" if used >= cap else "$warning" if used * 10 >= cap * 8 else "$success"
    words = Content.assemble(("cap ", QUIET), money(cap), " ")
    percent = share(float(used), float(cap))
    gauge_width = min(width - words.cell_length - len(percent) - 1, 24)
    if gauge_width < 3:
        return Content.assemble(words, percent)
    return Content.assemble(words, bars.gauge(float(used), float(cap), gauge_width, style=style), " ", percent)


def failures(view: RunView, width: int, height: int) -> Content:
    """Return final failures by kind, then what only had to wait or was asked again."""
    rows: list[tuple[str, int, str, str]] = []
    for kind, number in sorted(view.failures.items(), key=lambda entry: (-entry[1], entry[0])):
        if number > 0:
            rows.append((kind_words(kind), number, BAD, "f look" if not rows else ""))
    passing = [
        (kind in _WAITING_KINDS, n - view.failures.get(kind, 0), kind) for kind, n in view.attempt_failures.items()
    ]
    for waiting, number, kind in sorted(passing, key=lambda entry: (not entry[0], -entry[1], entry[2])):
        if number > 0:
            rows.append((kind_words(kind), number, WARN, "waiting, not lost" if waiting else "asked again"))
    if not rows:
        return Content.styled("none", QUIET)
    if len(rows) > height > 1:
        hidden = len(rows) - height + 1
        rows = [*rows[: height - 1], (f"{hidden} more kinds", sum(row[1] for row in rows[height - 1 :]), QUIET, "")]
    name_width = min(max(len(row[0]) for row in rows), 18)
    number_width = max(len(count(row[1])) for row in rows)
    lines = []
    for name, number, style, note in rows:
        left = Content.assemble(Content(name).truncate(name_width, ellipsis=True, pad=True), "  ")
        right = Content.assemble(
            (count(number).rjust(number_width), style), (_note(note, width - name_width - number_width - 2), QUIET)
        )
        lines.append(Content.assemble(left, right))
    return _lines(lines, height)


def _note(note: str, room: int) -> str:
    """The longest form of a remark that fits into `room` cells."""
    shorter = note.split(",")[0]
    return next((f"  {text}" for text in (note, shorter) if text and len(text) + 2 <= room), "")


def _lines(lines: list[Content], height: int) -> Content:
    return Content("\n").join(lines[: max(height, 1)])
