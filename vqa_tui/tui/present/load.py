"""What a run is held to and what it will cost, in few words: quotas, throttles, bytes a second, band, calibration."""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

from vqa_tui.domain.run import CalibrationView, CostView, GaugeView, RunView, ThrottleView
from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, countdown, duration, file_size, money, plural, rate

_SHORT = {
    "requests/min": "rpm",
    "tokens/min": "tpm",
    "input tokens/min": "input tpm",
    "output tokens/min": "output tpm",
    "requests/day": "rpd",
    "concurrency": "at once",
}
_RECENT_CUT_S = 60.0


def short_quota(name: str) -> str:
    """Return a quota's name as it is set: `requests/min` -> `rpm`; one that this version does not know stays."""
    return _SHORT.get(name, name)


def binding_first(gauges: Sequence[GaugeView]) -> tuple[GaugeView, ...]:
    """Return gauges with the used-up ones first, else in their order, so that a table does not flicker."""
    return tuple(sorted(gauges, key=lambda gauge: gauge.used < gauge.limit))


def gauge_numbers(gauge: GaugeView) -> str:
    """Return use and limit: 58/60, 41k/1M."""
    return f"{_number(gauge.used)}/{_number(gauge.limit)}"


def gauge_name(gauge: GaugeView, among: Sequence[GaugeView]) -> str:
    """Return a quota's name, apart from others of that name: `tpm`, `group tpm`, `told tpm` by the endpoint."""
    name = short_quota(gauge.name)
    if gauge.learned:
        return f"told {name}"
    alike = [other for other in among if other.name == gauge.name and not other.learned]
    return f"group {name}" if gauge.of_group and len(alike) > 1 else name


def gauge_end(gauge: GaugeView) -> str:
    """Return what a countdown of a used-up quota ends with: one of our own lets the first request go, an endpoint tells
    when all of it is there again."""
    return "back" if gauge.learned else "free"


def gauge_wait(gauge: GaugeView, now: float) -> str:
    """Return the time until a used-up quota has room again, as a countdown; '' while there is some left."""
    if gauge.used < gauge.limit or gauge.resets_at is None or gauge.resets_at <= now:
        return ""
    return countdown(gauge.resets_at - now)


def gauge_words(gauge: GaugeView, now: float, among: Sequence[GaugeView] = ()) -> str:
    """Return one quota, told from the others of its key: `rpm 60/60, free in 0:12`, `told tpm 9/9, back in 0:30`."""
    wait = gauge_wait(gauge, now)
    end = f", {gauge_end(gauge)} in {wait}" if wait else ""
    return f"{gauge_name(gauge, among)} {gauge_numbers(gauge)}{end}"


def _number(value: int) -> str:
    # Without gaps, so that no line breaks inside a number.
    return compact(value) if value >= 10_000 else str(value)


def throttle_words(throttle: ThrottleView, concurrency: int, now: float) -> str:
    """Return what one throttle allows: `slow start, 8 of 16 slots, 8.50/s learned`."""
    parts = [f"{throttle.state or UNKNOWN}, {count(throttle.slots)} of {count(concurrency)} slots"]
    if throttle.per_second is not None:
        parts.append(f"{rate(throttle.per_second)} learned")
    if throttle.cut_at is not None and 0 <= now - throttle.cut_at < _RECENT_CUT_S:
        parts.append(f"cut {duration(now - throttle.cut_at)} ago")
    return ", ".join(parts)


def usable_throttles(view: RunView) -> tuple[ThrottleView, ...]:
    """Return the throttles of the groups that can be asked: those with a key that is not off."""
    off = {key.group for key in view.keys} - {key.group for key in view.keys if key.state != "off"}
    return tuple(each for each in view.throttles if each.group not in off)


def throttles_words(view: RunView, now: float) -> str:
    """Return what the throttles of a run allow, the tightest first; '' where there is none.

    Groups whose keys are all off are left out: nothing is asked with them.
    """
    throttles = sorted(usable_throttles(view), key=lambda each: each.slots)
    words = [throttle_words(each, view.limits.concurrency, now) for each in throttles]
    if len(words) > 1 and len(set(words)) == 1:
        return f"each group: {words[0]}"
    if len(words) > 1:
        return "; ".join(f"{each.group}: {word}" for each, word in zip(throttles, words, strict=True))
    return words[0] if words else ""


def sent_words(bytes_per_s: float | None) -> str:
    """Return how fast pictures go out: `12 MB/s`; '' while nothing is sent."""
    return f"{file_size(round(bytes_per_s))}/s" if bytes_per_s else ""


def projection_words(cost: CostView) -> str:
    """Return the projected cost with its 95 % band: `$4.11 ± 0.06`, or `$0.41 ($0.40 to $0.47)` where it is lopsided.

    A band is shown with the places of the figure that it belongs to, rounded up; one that would read as zero is not.
    """
    text = money(cost.projected)
    if cost.projected is None or cost.projected_low is None or cost.projected_high is None:
        return text
    above, below = cost.projected_high - cost.projected, cost.projected - cost.projected_low
    places = len(text.partition(".")[2])
    smallest = Decimal(1).scaleb(-places)
    if above < smallest / 10:
        return text
    if abs(above - below) < smallest:
        return f"{text} ± {above.quantize(smallest, ROUND_UP):,}".replace(",", " ")
    return f"{text} ({money(cost.projected_low)} to {money(cost.projected_high)})"


def cap_ahead_words(view: RunView) -> str:
    """Return where the cap will end the run by what its pilot measured; '' where it is enough for all of it."""
    if (enough := view.within_cap) is None:
        return ""
    return (
        f"the cap of {money(view.cost.cap)} will be reached after about {count(enough)} of "
        f"{plural(view.counts.total, view.unit)}"
    )


def ratio_words(billed: int, estimated: int) -> str:
    """Return billed ÷ estimated: ×1.08."""
    return f"×{billed / estimated:.2f}" if estimated > 0 else UNKNOWN


def calibration_words(calibration: CalibrationView) -> str:
    """Return how far the estimates were off: `input tokens ×1.08, output tokens ×0.70 of the estimate`."""
    return (
        f"input tokens {ratio_words(calibration.billed_input, calibration.estimated_input)}, "
        f"output tokens {ratio_words(calibration.billed_output, calibration.expected_output)} of the estimate"
    )
