"""What the dashboard says of a moment of the past: the same panels, from what was recorded and nothing else."""

import time
from collections.abc import Callable

from textual.content import Content

from vqa_tui.domain.course import Moment
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.load import sent_words
from vqa_tui.tui.present.numbers import clock, compact, count, duration, milliseconds, money, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words, phase_label
from vqa_tui.tui.present.run_lines import Banner
from vqa_tui.tui.present.run_panels import per_picture

NOT_RECORDED = "not recorded for the past"
LOOKING_BACK = "You are looking at the past: press End to be back in the present."
_NAME_LIMIT = 60

PastText = Callable[[RunView, Moment, int, int], Content]
"""(the run as it is now, the moment, width in cells, height in lines) -> text."""


def banner(view: RunView, moment: Moment, now: float) -> Banner:
    """Return when it is that one looks at, and how to be back; the present state with it, lest it be overlooked."""
    present = phase_label(view.phase, view.engine.state)
    text = Content.assemble(
        (f"◷ {moment_words(moment.at, now)}, {duration(now - moment.at)} ago", "bold"), " — ", ("End", "bold"),
        " for now", (f" ({present.glyph} {present.word})", QUIET if view.phase is Phase.RUNNING else WARN),
        ("   [ ] step   { } event", QUIET),
    )  # fmt: skip
    return Banner(text, "past")


def moment_words(at: float, now: float) -> str:
    """Return the time of day, with the date before it where it is not that of today: `21 Nov 14:02:17`."""
    then, today = time.localtime(at), time.localtime(now)
    same_day = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return clock(at) if same_day else time.strftime("%d %b %H:%M:%S", then)


def header(view: RunView, moment: Moment, width: int) -> Content:
    """Return crumbs at the left, and what was spent by then at the right."""
    name = clean(view.name, one_line=True, limit=_NAME_LIMIT)
    cap = moment.facts.cap
    spent = money(moment.point.spent) + (f" of {money(cap)}" if cap is not None else "")
    right = Content.assemble(
        (f"◷ at {clock(moment.at)}", WARN), f"   {spent if view.cost.price_known else ''}".rstrip()
    )
    for prefix in ("vqa-tui › runs › ", "runs › ", ""):
        left = Content.assemble((prefix, QUIET), (name, "bold"))
        if left.cell_length + 2 + right.cell_length <= width:
            return Content.assemble(left, " " * (width - left.cell_length - right.cell_length), right)
    left = Content.styled(name, "bold").truncate(max(width - right.cell_length - 2, 1), ellipsis=True)
    return Content.assemble(left, "  ", right)


def progress(view: RunView, moment: Moment, width: int) -> Content:
    """Return how far the run had come. Skipped pictures are not recorded, so those of now stand in the total alone."""
    point, total = moment.point, view.counts.total
    words = Content.assemble(
        (count(point.finished), "bold"), (f" / {count(total)}", QUIET), f"  {share(point.finished, total)}",
        (f"  {count(point.failed)} failed", BAD if point.failed else QUIET),
    )  # fmt: skip
    bar_width = width - words.cell_length - 2
    if bar_width < 8:
        return words.truncate(width, ellipsis=True)
    parts = ((point.done, "$success"), (point.failed, "$error"))
    return Content.assemble(bars.segments(parts, total, bar_width), "  ", words)


def throughput(_view: RunView, moment: Moment, width: int, height: int) -> Content:
    """Return the rate around the moment with what led up to it, latencies, and the slots in use."""
    point = moment.point
    now = rate(moment.rate)
    latency = Content.assemble(
        ("p50 ", QUIET), milliseconds(point.p50_ms), ("  p95 ", QUIET), milliseconds(point.p95_ms)
    )
    if sent := sent_words(moment.bytes_per_s):
        wider = Content.assemble(latency, ("  ↑ ", QUIET), sent)
        latency = wider if wider.cell_length <= width else latency
    slots = Content.assemble(("in flight ", QUIET), count(point.in_flight), (" of ", QUIET), count(point.slots))
    if point.throttle_slots is not None and point.throttle_slots < point.slots:
        held = Content.assemble(slots, (f", {count(point.throttle_slots)} let in", QUIET))
        slots = held if held.cell_length <= width else slots
    if height < 5:
        plot = bars.sparkline(moment.history, max(width - len(now) - 2, 0))
        first = Content.assemble((plot[0] if plot else "", "$primary"), "  " if plot else "", (now, "bold"))
        return _lines([first, latency, slots], height)
    peak = max(moment.history, default=0.0)
    head = Content.assemble((now, "bold"), (f"   peak before {rate(peak)}", QUIET) if peak else "")
    rows = bars.sparkline(moment.history, width, height - 3)
    plots = [Content.styled(row, f"$primary {100 - 60 * y // len(rows)}%") for y, row in enumerate(rows)]
    return _lines([head, *plots, latency, slots], height)


def cost(view: RunView, moment: Moment, width: int, height: int) -> Content:
    """Return what was spent by then, of the budget that held then."""
    point, cap = moment.point, moment.facts.cap
    lines: list[Content] = []
    if not view.cost.price_known:
        lines.append(Content.styled("price unknown", WARN))
    else:
        spent = money(point.spent)
        lines.append(
            Content.assemble(
                (spent, "bold"),
                (per_picture(point.spent, point.done, width - len(spent), unit=view.unit), QUIET),
            )
        )
        if cap is None:
            lines.append(Content.styled("no cap", QUIET))
        else:
            style = "$error" if point.spent >= cap else "$success"
            percent = share(float(point.spent), float(cap))
            cells = min(max(width - len(money(cap)) - len(percent) - 6, 0), 24)
            gauge = bars.gauge(float(point.spent), float(cap), cells, style=style)
            lines.append(Content.assemble(("cap ", QUIET), money(cap), " ", gauge, " ", percent))
    tokens = (("tokens ", QUIET), compact(point.input_tokens), (" in  ", QUIET), compact(point.output_tokens))
    lines.append(Content.assemble(*tokens, (" out", QUIET)))
    lines.append(Content.styled("projection not recorded", QUIET))
    return _lines(lines, height)


def failures(_view: RunView, moment: Moment, width: int, height: int) -> Content:
    """Return attempts that had failed by then and the pictures among them, by kind."""
    known = moment.facts.failures
    kinds = {**known.pictures, **known.attempts}
    if not kinds and not moment.point.failed:
        return Content.styled("none", QUIET)
    lines = []
    name_width = min(max((len(kind_words(kind)) for kind in kinds), default=0), 18)
    for kind in sorted(kinds, key=lambda each: (-known.pictures.get(each, 0), -known.attempts.get(each, 0))):
        lost, attempts = known.pictures.get(kind, 0), known.attempts.get(kind, 0)
        name = Content(kind_words(kind)).truncate(name_width, ellipsis=True, pad=True)
        pieces = [(count(lost), BAD, " failed")] if lost else []
        if attempts > lost:
            pieces.append((count(attempts - lost), WARN, " asked again"))
        line = Content.assemble(name, "  ")
        for position, (number, style, words) in enumerate(pieces):
            line = Content.assemble(line, (", " if position else "", QUIET), (number, style), (words, QUIET))
        lines.append(line.truncate(width, ellipsis=True))
    if (since := moment.point.failed - sum(known.pictures.values())) > 0:
        lines.append(Content.styled(f"{count(since)} failed, put back since", QUIET))
    return _lines(lines, height)


def why_idle(_view: RunView, _moment: Moment, _width: int, _height: int) -> Content:
    """The sentence itself is not recorded."""
    return Content.styled(f"why idle: {NOT_RECORDED}", QUIET)


def _lines(lines: list[Content], height: int) -> Content:
    return Content("\n").join(lines[: max(height, 1)])
