"""The zoomed panels of throughput and cost: more facts, and the whole run as plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.course import CoursePoint, FailureCourse, Moment, Spending, Stretch
from vqa_tui.domain.run import EngineState, RunView
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.curves import mean_of, newest_of, rate_pieces, state_pieces, straight
from vqa_tui.tui.present.load import calibration_words, projection_words, sent_words
from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, duration, file_size, milliseconds, money, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN
from vqa_tui.tui.present.plot import FRAME_ROWS, LEAST_ROWS, Curve, Drawn, Level, Span, plot
from vqa_tui.tui.present.run_panels import at_work

LEAST_PLOT = FRAME_ROWS + 4
"""Lines that a plot takes at the least, unless it is the only one."""
_CAP_IN_SIGHT = 4
"""A cap this many times what is shown besides it would press the curves flat: it is left out of the plot."""
_SHADE = "$foreground 60%"


@dataclass(frozen=True, slots=True)
class Zoomed:
    """What a zoomed panel is drawn from: the run as it is seen, its recorded course, and the moment looked at."""

    view: RunView
    at: float
    """Unix time of the sight."""
    points: Sequence[CoursePoint] = ()
    steps: Sequence[Stretch] = ()
    """The stretches of work between the points, as many as a plot has room for."""
    moment: Moment | None = None
    spending: Spending | None = None
    failures: FailureCourse | None = None

    @property
    def span(self) -> Span:
        """The whole recorded time, up to now while the engine works."""
        mark = self.moment.at if self.moment else None
        if not self.points:
            return Span(self.at - 60, self.at, mark)
        first, last = self.points[0].at, self.points[-1].at
        return Span(first, max(last, self.at if at_work(self.view) else last, first + 1), mark)


Zoom = Callable[[Zoomed, int, int], Content]
"""(what there is, width in cells, height in lines) -> text, which may be longer than that height."""


def throughput(zoomed: Zoomed, width: int, height: int) -> Content:
    """Return rate, latency, requests in flight and bytes over the whole run; as many of the plots as there is room."""
    facts = wrapped([_pace(zoomed), _load(zoomed)], width)
    steps, span = zoomed.steps, zoomed.span
    finished = mean_of(rate_pieces(steps, lambda step: step.rate), span)
    p50, p95 = (
        mean_of(state_pieces(steps, each), span) for each in (lambda point: point.p50_ms, lambda point: point.p95_ms)
    )
    asking = mean_of(state_pieces(steps, lambda point: float(point.in_flight)), span)
    allowed = mean_of(state_pieces(steps, lambda point: point.throttle_slots), span)
    sent = mean_of(rate_pieces(steps, lambda step: step.bytes_per_s), span)
    plots: list[tuple[str, list[Curve], Callable[[float], str]]] = [
        ("Rate", [Curve(f"{zoomed.view.unit}s finished", finished, "$primary", Drawn.AREA)], rate),
        ("Latency", [Curve("p50", p50, "$text-primary"), Curve("p95", p95, "$text-accent", Drawn.DOTTED)],
         milliseconds),
        ("In flight", [Curve("asking", asking, "$text-primary"),
                       Curve("throttle allows", allowed, "$text-accent", Drawn.DOTTED)],
         lambda value: count(round(value))),
        ("Sent", [Curve("to the endpoint", sent, "$primary", Drawn.AREA)],
         lambda value: f"{file_size(round(value))}/s"),
    ]  # fmt: skip
    lines = list(facts)
    for (title, curves, words), room in zip(plots, shared_out(height - len(facts), len(plots)), strict=False):
        lines += plot(title, curves, span, width, room, words)
    return Content("\n").join(lines)


def _pace(zoomed: Zoomed) -> list[Content]:
    view, moment = zoomed.view, zoomed.moment
    steps = zoomed.steps
    worked = sum(step.seconds for step in steps)
    mean = sum(step.rate * step.seconds for step in steps) / worked if worked else None
    now = moment.rate if moment else view.rate.per_second
    finished = moment.point.finished if moment else view.counts.finished
    parts = [
        Content.assemble(("then " if moment else "now ", QUIET), (rate(now), "bold")),
        _fact("mean of the run", rate(mean)),
        _fact("peak", rate(max((step.rate for step in steps), default=None))),
        _fact("finished", f"{count(finished)} of {count(view.counts.total)}"),
        _fact("worked for", duration(worked)),
    ]
    if moment is None and view.eta_s and at_work(view):
        parts.append(_fact("left", duration(view.eta_s)))
    return parts


def _load(zoomed: Zoomed) -> list[Content]:
    view, moment = zoomed.view, zoomed.moment
    p50, p95 = (moment.point.p50_ms, moment.point.p95_ms) if moment else (view.latency.p50_ms, view.latency.p95_ms)
    asking = moment.point.in_flight if moment else len(view.in_flight)
    most = moment.point.slots if moment else view.limits.concurrency
    sent = sent_words(moment.bytes_per_s if moment else view.bytes_per_s)
    return [
        _fact("p50", milliseconds(p50)),
        _fact("p95", milliseconds(p95)),
        _fact("in flight", f"{count(asking)} of {count(most)}"),
        _fact("sent", sent or UNKNOWN),
    ]


def cost(zoomed: Zoomed, width: int, height: int) -> Content:
    """Return what was spent over time against cap and projection, what tokens it went for, and the estimates."""
    facts = wrapped([_money(zoomed), _prospect(zoomed), *_tokens(zoomed)], width)
    steps, span = zoomed.steps, zoomed.span
    rooms = shared_out(height - len(facts), 2)
    lines = list(facts)
    if zoomed.view.cost.price_known:
        lines += _spent_plot(zoomed, width, rooms[0])
    each_minute = [
        Curve("in", mean_of(rate_pieces(steps, lambda step: _a_minute(step, "input_tokens")), span), "$text-primary"),
        Curve("out", mean_of(rate_pieces(steps, lambda step: _a_minute(step, "output_tokens")), span), "$text-accent",
              Drawn.DOTTED),
    ]  # fmt: skip
    if len(rooms) > 1 or not zoomed.view.cost.price_known:
        lines += plot("Tokens a minute", each_minute, span, width, rooms[-1], compact)
    return Content("\n").join(lines)


def _a_minute(step: Stretch, name: str) -> float:
    gained: int = getattr(step.after, name) - getattr(step.before, name)
    return max(gained, 0) * 60 / step.seconds


def _spent_plot(zoomed: Zoomed, width: int, height: int) -> list[Content]:
    """The money spent, and while the run works the line and the band to its projected end."""
    view, span = zoomed.view, zoomed.span
    money_view = view.cost
    ends = [*zoomed.points[:1], *(step.after for step in zoomed.steps)]
    spent = [(float(point.at), float(point.spent)) for point in ends]
    cap = zoomed.moment.facts.cap if zoomed.moment else money_view.cap
    curves = []
    shown = float(money_view.spent)
    if at_work(view) and view.eta_s and money_view.projected is not None and spent:
        span = Span(span.start, span.end + view.eta_s, span.mark)
        now = (zoomed.at, float(money_view.spent))
        middle = straight(now, (span.end, float(money_view.projected)), span)
        curves.append(Curve("projected", middle, _SHADE))
        shown = float(money_view.projected)
        if money_view.projected_low is not None and money_view.projected_high is not None:
            for name, bound in (("95 % band", money_view.projected_high), ("", money_view.projected_low)):
                curves.append(Curve(name, straight(now, (span.end, float(bound)), span), WARN, Drawn.DOTTED))
            shown = float(money_view.projected_high)
    curves.insert(0, Curve("spent", newest_of(spent, span), "$success", Drawn.AREA))
    in_sight = cap is not None and float(cap) <= shown * _CAP_IN_SIGHT
    levels = [Level("cap", float(cap), "$error")] if cap is not None and in_sight else []
    return plot("Spent", curves, span, width, height, _dollars, levels=levels)


def _dollars(value: float) -> str:
    return money(Decimal(f"{value:.9f}"))


def _money(zoomed: Zoomed) -> list[Content]:
    view, moment = zoomed.view, zoomed.moment
    if not view.cost.price_known:
        return [Content.styled("price unknown: a budget cannot be held", WARN)]
    spent = moment.point.spent if moment else view.cost.spent
    done = moment.point.done if moment else view.counts.done
    parts = [Content.assemble(("spent ", QUIET), (money(spent), "bold"))]
    if done:
        parts.append(_fact(f"a {view.unit}", money(spent / done)))
    cap = moment.facts.cap if moment else view.cost.cap
    if cap is None:
        parts.append(Content.styled("no cap", QUIET))
    else:
        style = "$error" if spent >= cap else "$warning" if spent * 10 >= cap * 8 else "$success"
        gauge = bars.gauge(float(spent), float(cap), 12, style=style)
        parts.append(Content.assemble(("cap ", QUIET), money(cap), " ", gauge, f" {share(float(spent), float(cap))}"))
    if moment is not None:
        parts.append(Content.styled("reserved and uncertain are not recorded", QUIET))
        return parts
    if view.cost.reserved:
        parts.append(_fact("reserved", money(view.cost.reserved)))
    if view.cost.uncertain:
        parts.append(Content.assemble(("uncertain ", QUIET), (money(view.cost.uncertain), WARN)))
    return parts


def _prospect(zoomed: Zoomed) -> list[Content]:
    """What the whole will cost, and how far it stays below the cap."""
    money_view = zoomed.view.cost
    if zoomed.moment is not None or not money_view.price_known:
        return []
    parts = [_fact("projected", projection_words(money_view))]
    if money_view.cap is not None and money_view.projected is not None:
        left = money_view.cap - money_view.projected
        words = f"{money(left)} below the cap" if left >= 0 else f"{money(-left)} above the cap"
        parts.append(Content.styled(words, QUIET if left >= 0 else BAD))
    if (known := zoomed.view.calibration) is not None:
        parts.append(_fact("billed", calibration_words(known)))
    return parts


def _tokens(zoomed: Zoomed) -> list[list[Content]]:
    moment, spending = zoomed.moment, zoomed.spending
    if moment is not None:
        tokens = [
            _fact("tokens in", compact(moment.point.input_tokens)),
            _fact("out", compact(moment.point.output_tokens)),
        ]
        return [[*tokens, Content.styled("cached and image tokens are not recorded", QUIET)]]
    if spending is None:
        return []
    total, cached = spending.input_tokens, spending.cached_input_tokens
    tokens = [
        _fact("tokens in", compact(total)),
        _fact("of these cached", f"{compact(cached)} ({share(cached, total)})"),
        _fact("of pictures", f"{compact(spending.image_tokens)} ({share(spending.image_tokens, total)})"
              if spending.image_tokens else "not told apart"),
        _fact("out", compact(spending.output_tokens)),
    ]  # fmt: skip
    requests = [_fact("requests", count(spending.requests))]
    if spending.requests and zoomed.view.cost.price_known:
        requests.append(_fact("a request", money(spending.spent / spending.requests)))
        wasted = spending.spent_on_failures
        part = share(float(wasted), float(spending.spent)) if spending.spent else UNKNOWN
        requests.append(_fact("for requests that gave no answer", f"{money(wasted)} ({part})"))
    return [tokens, requests]


def _fact(name: str, words: str) -> Content:
    return Content.assemble((f"{name} ", QUIET), words)


def wrapped(rows: Sequence[Sequence[Content]], width: int, *, indent: int = 0) -> list[Content]:
    """Return each row of facts as lines of at most `width` cells, the later ones indented; no fact is broken."""
    lines: list[Content] = []
    for row in rows:
        line: Content | None = None
        for fact in row:
            longer = fact if line is None else Content.assemble(line, "   ", fact)
            if line is not None and longer.cell_length > width:
                lines.append(line)
                longer = Content.assemble(" " * indent, fact)
            line = longer
        if line is not None:
            lines.append(line)
    return lines


def shared_out(height: int, most: int) -> list[int]:
    """Share `height` lines out among at most `most` plots, the first ones first; at least one is tried."""
    number = max(min(height // LEAST_PLOT, most), 1)
    each, over = divmod(max(height, FRAME_ROWS + LEAST_ROWS), number)
    return [each + (1 if position < over else 0) for position in range(number)]


def engine_gone(view: RunView) -> bool:
    """Whether no engine uses the keys now."""
    return view.engine.state in (EngineState.NONE, EngineState.LOST)
