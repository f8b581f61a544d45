"""What stands below the zoomed table of keys: quotas of every group and key, and the throttle over the run."""

from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content

from vqa_tui.domain.course import CoursePoint
from vqa_tui.domain.run import GaugeView, KeyView, ThrottleView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.curves import mean_of, state_pieces
from vqa_tui.tui.present.load import gauge_end, gauge_numbers, gauge_wait
from vqa_tui.tui.present.numbers import clock, count, countdown, duration, plural, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, key_state_label
from vqa_tui.tui.present.plot import Curve, Drawn, plot
from vqa_tui.tui.present.zoomed import LEAST_PLOT, Zoomed, engine_gone, wrapped

_GAUGE_CELLS = 24
_NAME_CELLS = 26


def keys(zoomed: Zoomed, width: int, height: int) -> Content:
    """Return the groups with their shared quotas and their keys, above the course of the throttle."""
    lines: list[Content] = []
    if zoomed.moment is not None:
        lines.append(Content.styled("Keys and their quotas are not recorded: they are known of now alone.", QUIET))
        lines += _slots_then(zoomed.moment.point, width)
    else:
        for group in dict.fromkeys(key.group for key in zoomed.view.keys):
            lines += _group(zoomed, group, width)
    groups = _recorded_groups(zoomed)
    plot_height = max((height - len(lines)) // (1 + len(groups)), LEAST_PLOT)
    lines += _throttle_plot(zoomed, width, plot_height)
    for group in groups:
        lines += _group_plot(zoomed, group, width, plot_height)
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in lines)


def _group(zoomed: Zoomed, group: str, width: int) -> list[Content]:
    view, now = zoomed.view, zoomed.at
    members = [key for key in view.keys if key.group == group]
    name = clean(group, one_line=True, limit=40)
    facts = [Content.assemble(("group ", QUIET), (name, "bold"), (f"  {plural(len(members), 'key')}", QUIET))]
    throttle = next((each for each in view.throttles if each.group == group), None)
    if throttle is not None:
        facts += _throttle(throttle, view.limits.concurrency, now)
    lines = wrapped([facts], width, indent=2)
    shared = {(gauge.name, gauge.learned): gauge for key in members for gauge in key.gauges if gauge.of_group}
    lines += [_gauge("  ", gauge, now, width, shared=True) for gauge in shared.values()]
    for key in members:
        lines += _key(key, now, width, at_rest=engine_gone(view))
    return lines


def _throttle(throttle: ThrottleView, concurrency: int, now: float) -> list[Content]:
    parts = [
        f"{clean(throttle.state, one_line=True, limit=20)}, {count(throttle.slots)} of {plural(concurrency, 'slot')}"
    ]
    if throttle.per_second is not None:
        parts.append(f"{rate(throttle.per_second)} learned")
    cuts = plural(throttle.cuts, "cut")
    if throttle.cut_at is not None:
        cuts += f", the last at {clock(throttle.cut_at)} ({duration(max(now - throttle.cut_at, 0))} ago)"
    allowed = Content.assemble(("throttle ", QUIET), ", ".join(parts))
    return [allowed, Content.styled(cuts, WARN if throttle.cuts else QUIET)]


def _key(key: KeyView, now: float, width: int, *, at_rest: bool) -> list[Content]:
    """One key: its state with the countdown, and the quotas that are its own."""
    name = Content.assemble("  ", ("key ", QUIET), (clean(key.name, one_line=True, limit=40), "bold"))
    state = Content.styled("– at rest", QUIET) if at_rest and key.state != "off" else _state(key, now)
    facts = [Content.assemble(name, "  ", state), Content.styled(f"{count(key.in_flight)} in flight", QUIET)]
    if key.requests:
        turned_away = f"429: {count(key.rate_limited)} ({share(key.rate_limited, key.requests)})"
        facts.append(Content.styled(turned_away, WARN if key.rate_limited else QUIET))
    if key.errors:
        facts.append(Content.styled(f"errors {count(key.errors)}", BAD))
    own = [gauge for gauge in key.gauges if not gauge.of_group]
    lines = [*wrapped([facts], width, indent=4), *(_gauge("    ", gauge, now, width) for gauge in own)]
    if not key.gauges:
        lines.append(Content.styled("    no quota", QUIET))
    return lines


def _state(key: KeyView, now: float) -> Content:
    parts = [key_state_label(key.state).content()]
    if key.until is not None and key.until > now:
        parts.append(Content(f"for {countdown(key.until - now)}"))
    if key.reason:
        parts.append(Content.styled(clean(key.reason, one_line=True, limit=80), QUIET))
    return Content(" ").join(parts)


def _gauge(indent: str, gauge: GaugeView, now: float, width: int, *, shared: bool = False) -> Content:
    """`requests/min  ▰▰▰▰▱▱  58/60  96.7 %`, with a countdown where it is used up."""
    source = ", told by the endpoint" if gauge.learned else ", shared" if shared else ""
    name = f"{clean(gauge.name, one_line=True, limit=30)}{source}"
    cells = max(min(_GAUGE_CELLS, width - _NAME_CELLS - len(indent) - 30), 4)
    style = "$warning" if gauge.used >= gauge.limit else "$primary"
    wait = gauge_wait(gauge, now)
    end = f"{gauge_end(gauge)} in {wait}" if wait else share(gauge.used, gauge.limit)
    return Content.assemble(
        indent, (f"{name:<{_NAME_CELLS}} ", QUIET), bars.gauge(gauge.used, gauge.limit, cells, style=style),
        f" {gauge_numbers(gauge)}  ", (end, WARN if wait else QUIET),
    )  # fmt: skip


def _slots_then(point: CoursePoint, width: int) -> list[Content]:
    """What the throttle of each group allowed at a moment of the past; nothing where there was only one."""
    parts = [
        Content.assemble((f"group {clean(group, one_line=True, limit=40)} ", QUIET), plural(slots, "slot"))
        for group, slots in point.group_slots.items()
    ]
    return wrapped([[Content.styled("throttle", QUIET), *parts]], width) if parts else []


def _recorded_groups(zoomed: Zoomed) -> list[str]:
    """The quota groups of which slots were recorded one by one, in the order in which they appear."""
    return list(dict.fromkeys(group for step in zoomed.steps for group in step.after.group_slots))


def _group_plot(zoomed: Zoomed, group: str, width: int, height: int) -> list[Content]:
    """Slots that the throttle of one of several groups allowed over the whole run."""
    pieces = state_pieces(zoomed.steps, lambda point: point.group_slots.get(group))
    curves = [Curve("slots allowed", mean_of(pieces, zoomed.span), "$text-primary")]
    title = f"Throttle of group {clean(group, one_line=True, limit=30)}"
    return plot(title, curves, zoomed.span, width, height, lambda value: count(round(value)))


def _throttle_plot(zoomed: Zoomed, width: int, height: int) -> list[Content]:
    """Slots that the throttles allowed together over the whole run: a cut is a step down."""
    steps, span = zoomed.steps, zoomed.span
    groups: Sequence[str] = list(dict.fromkeys(key.group for key in zoomed.view.keys))
    of = f"of group {clean(groups[0], one_line=True, limit=30)}" if len(groups) == 1 else "of all groups together"
    curves = [
        Curve("slots allowed", mean_of(state_pieces(steps, lambda point: point.throttle_slots), span), "$text-primary"),
        Curve("asking", mean_of(state_pieces(steps, lambda point: float(point.in_flight)), span), "$text-accent",
              Drawn.DOTTED),
    ]  # fmt: skip
    lines = plot(f"Throttle {of}", curves, span, width, height, lambda value: count(round(value)))
    cuts = _cuts(zoomed)
    if lines and cuts:
        lines[0] = Content.assemble(lines[0], ("   ", QUIET), (f"{plural(cuts, 'cut')} to be seen", QUIET))
    return lines


def _cuts(zoomed: Zoomed) -> int:
    """How often the recorded slots went down."""
    known = [point.throttle_slots for point in zoomed.points if point.throttle_slots is not None]
    return sum(after < before for before, after in pairwise(known))
