"""What the watch display says, as plain sentences; pure functions from a view to text that is not cleaned yet."""

import re
from collections.abc import Iterable, Sequence

from vqa_tui.domain.run import Counts, EngineState, EventView, KeyView, Phase, RunView
from vqa_tui.operations.limits import LimitInForce, limit_words
from vqa_tui.tui.present.load import (
    calibration_words,
    cap_ahead_words,
    gauge_words,
    projection_words,
    ratio_words,
    sent_words,
    throttles_words,
)
from vqa_tui.tui.present.numbers import (
    clock,
    compact,
    count,
    duration,
    known_money,
    milliseconds,
    money,
    plural,
    rate,
    share,
)

PHASE_WORDS = {
    Phase.CREATED: "created",
    Phase.PREFLIGHT: "checking",
    Phase.PILOT: "pilot",
    Phase.AWAITING_APPROVAL: "waits for approval",
    Phase.RUNNING: "running",
    Phase.PAUSING: "pausing",
    Phase.PAUSED: "paused",
    Phase.STOPPING: "stopping",
    Phase.STOPPED: "stopped",
    Phase.DONE: "done",
    Phase.FAILED: "failed",
}


def state_words(phase: Phase, engine: EngineState) -> str:
    """Return what a run is doing; an engine that is lost or hung says so in place of the phase it left behind."""
    if engine is EngineState.LOST:
        return "engine lost"
    if engine is EngineState.HUNG:
        return f"{PHASE_WORDS[phase]}, engine not answering"
    return PHASE_WORDS[phase]


def first_sentence(text: str) -> str:
    """Return what stands before the first line break or end of a sentence: the problem, without what to do about it."""
    return re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0]


def headline(view: RunView) -> str:
    """Return name, state and the reason for it."""
    state = state_words(view.phase, view.engine.state)
    return f"{view.name}: {state}" + (f" ({view.phase_reason})" if view.phase_reason else "")


def progress_words(counts: Counts) -> str:
    """Return how far a run is: `13 487 of 30 044 (44.9 %), 3 failed`."""
    words = f"{count(counts.finished)} of {count(counts.total)} ({share(counts.finished, counts.total)})"
    if counts.failed:
        words += f", {count(counts.failed)} failed"
    if counts.skipped:
        words += f", {count(counts.skipped)} skipped"
    return words


def pace_words(view: RunView) -> str:
    """Return rate, time left and latency, as far as they are known."""
    parts = []
    if view.rate.per_second is not None:
        parts.append(rate(view.rate.per_second))
    if view.eta_s:
        parts.append(f"{duration(view.eta_s)} left")
    if view.latency.p50_ms is not None:
        parts.append(f"p50 {milliseconds(view.latency.p50_ms)}, p95 {milliseconds(view.latency.p95_ms)}")
    if view.in_flight:
        parts.append(f"{len(view.in_flight)} of {view.limits.concurrency} in flight")
    return ", ".join(parts)


def cost_words(view: RunView) -> str:
    """Return what was spent, what the whole will cost, and the cap; says so when prices are unknown."""
    cost = view.cost
    tokens = f"{compact(view.tokens.input)} + {compact(view.tokens.output)} tokens"
    if not cost.price_known:
        return f"{tokens}, price unknown"
    parts = [f"{money(cost.spent)} spent"]
    if cost.projected is not None:
        parts.append(f"{projection_words(cost)} projected")
    if cost.cap is not None:
        parts.append(f"cap {money(cost.cap)}")
    if cost.uncertain:
        parts.append(f"{money(cost.uncertain)} uncertain")
    return ", ".join([*parts, tokens])


def throttle_words(view: RunView, now: float) -> str:
    """Return what the engine allows itself, and how fast pictures go out; '' where there is nothing to say."""
    sent = sent_words(view.bytes_per_s)
    return "; ".join(part for part in (throttles_words(view, now), f"{sent} sent" if sent else "") if part)


def estimate_words(view: RunView) -> str:
    """Return how far the estimates were off what was billed; '' before anything was."""
    known = view.calibration
    if known is None:
        return ""
    return f"{calibration_words(known)}, over {plural(known.attempts, 'reply', 'replies')}"


def limit_facts(limits: Iterable[LimitInForce]) -> list[tuple[str, str]]:
    """Return the limits that hold as name and words, each with what would hold were it not set for this run:
    who started the run may have set it, or somebody later."""
    facts = []
    for limit in limits:
        if limit.overridden:
            facts.append((limit.name, f"{limit_words(limit.value)}  (set for this run, else {limit_words(limit.own)})"))
        elif limit.value is not None or "." not in limit.name:
            facts.append((limit.name, limit_words(limit.value)))
    return facts


def failure_words(view: RunView) -> str:
    """Return final failures by kind, then what was met on the way and asked again."""
    final = [f"{count(n)} {kind.replace('_', ' ')}" for kind, n in sorted(view.failures.items()) if n]
    retried = [
        f"{count(n - view.failures.get(kind, 0))} {kind.replace('_', ' ')}"
        for kind, n in sorted(view.attempt_failures.items())
        if n > view.failures.get(kind, 0)
    ]
    parts = [f"failed: {', '.join(final)}"] if final else []
    if retried:
        parts.append(f"asked again: {', '.join(retried)}")
    return "; ".join(parts)


KEY_TITLES = ("key", "group", "state", "quotas", "requests", "errors", "429", "spent")
FIRST_NUMBER = KEY_TITLES.index("requests")
"""From here on cells are numbers, which stand right."""


def key_words(key: KeyView, now: float) -> tuple[str, ...]:
    """Return one key as cells under KEY_TITLES."""
    state = key.state or "at rest"
    if key.until is not None and key.state != "ok":
        state += f" until {clock(key.until)}"
    if key.reason:
        state += f": {key.reason}"
    spent = known_money(key.spent, price_known=key.price_known)
    quotas = "; ".join(gauge_words(gauge, now, key.gauges) for gauge in key.gauges)
    return (key.name, key.group, state, quotas, count(key.requests), count(key.errors), count(key.rate_limited), spent)


def event_words(event: EventView) -> str:
    """Return one event as a line: time, how loud, what."""
    loud = "" if event.level == "info" else f"{event.level}: "
    return f"{clock(event.at)}  {loud}{event.message}"


def plain_line(view: RunView) -> str:
    """Return the whole state in one line, for logs and pipes."""
    parts = [f"{state_words(view.phase, view.engine.state)}: {progress_words(view.counts)}"]
    if pace := pace_words(view):
        parts.append(pace)
    if view.cost.price_known:
        parts.append(f"{money(view.cost.spent)} spent")
    if view.why_idle:
        parts.append(view.why_idle)
    return "; ".join(parts)


def pilot_words(view: RunView) -> Sequence[str]:
    """Return what the pilot measured and what the whole will take, one statement a line; none without a pilot."""
    pilot = view.pilot
    if pilot is None:
        return ()
    lines = [f"The pilot of {plural(pilot.size, view.unit)} is finished."]
    if pilot.cost_per_item is not None:
        lines.append(f"Measured cost: {money(pilot.cost_per_item)} a {view.unit}.")
    if (known := view.calibration) is not None:
        lines.append(
            f"Billed against estimated: input tokens {ratio_words(known.billed_input, known.estimated_input)}, "
            f"output tokens {ratio_words(known.billed_output, known.expected_output)}."
        )
    if pilot.projected_cost is not None:
        lines.append(f"The whole run will cost about {projection_words(view.cost)}.")
    if ahead := cap_ahead_words(view):
        lines.append(f"{ahead[0].upper()}{ahead[1:]}; the run pauses there.")
    if pilot.projected_s:
        lines.append(f"The rest will take about {duration(pilot.projected_s)}.")
    return lines


def outcome_words(view: RunView) -> str:
    """Return how a run ended, in one sentence."""
    took = ""
    if view.started_at is not None and view.ended_at is not None:
        took = f" in {duration(view.ended_at - view.started_at)}"
    spent = f", {money(view.cost.spent)}" if view.cost.price_known else ""
    return (
        f"{view.name}: {PHASE_WORDS[view.phase]}. {count(view.counts.done)} of {plural(view.counts.total, view.unit)} "
        f"answered, {plural(view.samples, 'pair')}, {count(view.counts.failed)} failed{spent}{took}."
    )
