"""The single lines of the dashboard: header, progress, banner, why idle."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.run import LIVE_PHASES, EngineState, Phase, RunView
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.load import calibration_words, cap_ahead_words, projection_words
from vqa_tui.tui.present.numbers import UNKNOWN, clock, count, duration, money, plural, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, SILENT_AFTER_S, WARN, engine_words, state_content

_NAME_LIMIT = 60
STALE_AFTER_S = 3.0
"""What was read longer ago than this is no longer the present."""


@dataclass(frozen=True, slots=True)
class Banner:
    """What a person must not overlook, and how loudly: error, warning or quiet."""

    content: Content
    tone: str


def choosing_words(key: str, *, newest: bool) -> tuple[str, ...]:
    """Return why this run is shown and which key chooses another, in words of falling length; `key` may be empty."""
    why = "the newest run" if newest else ""
    how = f"{key} chooses another" if key else ""
    short = " · ".join(part for part in ("newest" if newest else "", f"{key}: others" if key else "") if part)
    return tuple(words for words in (" · ".join(part for part in (why, how) if part), short) if words)


def header(view: RunView, now: float, width: int, *, age_s: float = 0.0, choosing: Sequence[str] = ()) -> Content:
    """Return crumbs at the left and the state at the right; where space is short the less important goes first.

    `age_s` is how long ago `view` was read; one that is old says so beside the state. `choosing` is how the run came to
    be shown, in words of falling length.
    """
    name = clean(view.name, one_line=True, limit=_NAME_LIMIT)
    state = state_content(view)
    if age_s > STALE_AFTER_S:
        state = Content.assemble(state, (f" · as of {duration(age_s)} ago", BAD))
    engine = Content.styled(engine_words(view.engine, now), QUIET)
    spent, hour = Content(_money_of_cap(view)), Content.styled(clock(now, seconds=False), QUIET)
    rights = [[state, engine, spent, hour], [state, engine, spent], [state, spent], [state]]
    if view.engine.state is EngineState.LOST:  # the state says it already
        rights = [[part for part in parts if part is not engine] for parts in rights]
    prefixes = ("vqa-tui › runs › ", "runs › ", "")
    noted = [(parts, prefix, note) for parts in rights[:-1] for note in choosing for prefix in prefixes]
    plain = [(parts, prefix, "") for parts in rights for prefix in prefixes]
    for parts, prefix, note in (*noted, *plain):
        right = Content("   ").join(parts)
        left = Content.assemble((prefix, QUIET), (name, "bold"), (f"  {note}" if note else "", QUIET))
        if left.cell_length + 2 + right.cell_length <= width:
            return Content.assemble(left, " " * (width - left.cell_length - right.cell_length), right)
    left = Content.styled(name, "bold").truncate(max(width - state.cell_length - 2, 1), ellipsis=True)
    return Content.assemble(left, "  ", state)


def progress(view: RunView, width: int) -> Content:
    """Return the progress line with counts, share and what is left."""
    counts = view.counts
    words = Content.assemble(
        (count(counts.finished), "bold"),
        (f" / {count(counts.total)}", QUIET),
        f"  {share(counts.finished, counts.total)}",
        ("  " + _time_words(view), QUIET),
    )
    bar_width = width - words.cell_length - 2
    if bar_width < 8:
        return words.truncate(width, ellipsis=True)
    parts = ((counts.done, "$success"), (counts.failed, "$error"), (counts.skipped, "$warning"))
    return Content.assemble(bars.segments(parts, counts.total, bar_width), "  ", words)


def _time_words(view: RunView) -> str:
    if view.phase in (Phase.DONE, Phase.STOPPED, Phase.FAILED):
        if view.started_at is not None and view.ended_at is not None:
            return f"took {duration(view.ended_at - view.started_at)}"
        return "ended"
    if view.engine.state is EngineState.LOST or view.phase is Phase.PAUSED:
        return "stands still"
    if view.engine.state is EngineState.HUNG:
        return "ETA unknown"
    if view.phase is Phase.AWAITING_APPROVAL:
        return "waits for you"
    return f"ETA {duration(view.eta_s)}"


def _money_of_cap(view: RunView) -> str:
    if not view.cost.price_known:
        return "price unknown"
    cap = view.cost.cap if view.cost.cap is not None else view.limits.budget_usd
    return f"{money(view.cost.spent)} of {money(cap)}" if cap is not None else money(view.cost.spent)


def banner(view: RunView) -> Banner | None:
    """Return what needs a person or explains the state; None when there is nothing to say."""
    reason = in_a_line(view.phase_reason, limit=400)
    if view.engine.state is EngineState.LOST:
        back = plural(view.counts.leased, view.unit)
        text = Content.assemble(
            ("✖ engine lost", "bold"),
            " — press ",
            ("r", "bold"),
            f" to resume, {back} will be put back{'. Its last word: ' + reason if reason else ''}",
        )
        return Banner(text, "error")
    if view.engine.state is EngineState.HUNG and view.phase in LIVE_PHASES:
        return Banner(_silent(view), "warning")
    if view.phase is Phase.AWAITING_APPROVAL:
        return Banner(_approval(view), "approval")
    if view.phase is Phase.FAILED:
        return Banner(Content.assemble(("✖ ", "bold"), reason or "failed without a reason"), "error")
    if view.phase is Phase.PAUSING:
        waiting = reason or f"waiting for {plural(len(view.in_flight), 'request')} in flight"
        return Banner(Content.assemble("◑ ", waiting, " — ", ("p", "bold"), " again cancels them"), "warning")
    if view.phase is Phase.PAUSED:
        key, does = ("b", " raises it") if view.at_cap else ("p", " resumes")
        return Banner(Content.assemble("‖ ", reason or "paused", " — ", (key, "bold"), does), "warning")
    if view.phase is Phase.CREATED:
        return Banner(Content.assemble("○ ", reason or "not started yet", " — ", ("r", "bold"), " starts it"), "quiet")
    if view.phase is Phase.STOPPED:
        return Banner(Content.assemble("■ ", reason or "stopped", " — ", ("r", "bold"), " resumes"), "quiet")
    if view.phase is Phase.DONE:
        return Banner(_done(view, reason), "quiet")
    return Banner(Content(reason), "quiet") if reason else None


def trouble_banner(words: str) -> Banner:
    """Return why nothing can be read any more; what is on screen is old then."""
    return Banner(Content.assemble(("✖ cannot read the workspace: ", "bold"), clean(words, limit=400)), "error")


def _silent(view: RunView) -> Content:
    """An engine that lives and says nothing: nobody here can wake it, so what can be done is said."""
    pid = view.engine.pid or UNKNOWN
    return Content.assemble(
        f"◔ the engine (pid {pid}) has said nothing for {duration(view.engine.heartbeat_age_s)} — wait, or end it: ",
        (f"kill -9 {pid}", "bold"),
        ", then ",
        ("r", "bold"),
        "; nothing stored is lost",
    )


def _done(view: RunView, reason: str) -> Content:
    """What can be done with a run that is over."""
    parts = [Content(f"✔ {reason or 'done'} — ")]
    if view.samples or view.counts.done:
        parts.append(Content.assemble(("e", "bold"), " exports"))
    if view.counts.failed:
        parts.append(Content.assemble(("f", "bold"), " looks at the failed"))
        parts.append(Content.assemble(("R", "bold"), " asks them again"))
    return parts[0] + Content(", ").join(parts[1:]) if len(parts) > 1 else Content(f"✔ {reason or 'done'}")


def _approval(view: RunView) -> Content:
    """The pilot's measurements and what they mean for the whole run."""
    pilot = view.pilot
    counts = view.counts
    pieces = [f"{count(counts.done)} done, {count(counts.failed)} failed"]
    if not view.cost.price_known:
        pieces.append("price unknown")
    elif pilot is not None and pilot.cost_per_item is not None:
        pieces.append(f"{money(pilot.cost_per_item)} a {view.unit}")
    if view.rate.per_second:
        pieces.append(rate(view.rate.per_second))
    whole = []
    if pilot is not None and pilot.projected_cost is not None and view.cost.price_known:
        whole.append(projection_words(view.cost))
    if pilot is not None and pilot.projected_s is not None:
        whole.append(f"about {duration(max(pilot.projected_s, 1))}")
    text = f"pilot of {count(pilot.size if pilot else counts.finished)}: {' · '.join(pieces)}"
    known = view.calibration
    checked = ("" if known is None else f"\n  billed: {calibration_words(known)}", QUIET)
    warned = (f"\n  ▲ {ahead}" if (ahead := cap_ahead_words(view)) else "", WARN)
    projection = f"all {count(counts.total)}: {', '.join(whole)}" if whole else f"{count(counts.pending)} are left"
    return Content.assemble(
        ("◆ ", "bold"), text, "\n  ", (projection, "bold"),
        " — ", ("a", "bold"), " approves, ", ("x", "bold"), " stops", warned, checked,
    )  # fmt: skip


def why_idle(view: RunView) -> Content:
    """Return the sentence that names the binding limit; there always is one."""
    words, binding = _idle_words(view)
    return Content.assemble(("why idle: ", QUIET), (words, WARN if binding else QUIET))


def _idle_words(view: RunView) -> tuple[str, bool]:
    """The sentence, and whether it names something that holds the run back."""
    if view.engine.state is EngineState.LOST:
        return "the engine is lost, nothing is being asked", True
    if view.engine.state is EngineState.HUNG and view.phase in LIVE_PHASES:
        return f"unknown, the engine has said nothing for {duration(view.engine.heartbeat_age_s)}", True
    if view.phase is Phase.DONE:
        return f"every {view.unit} is accounted for", False
    if view.phase not in LIVE_PHASES:
        return "no engine is at work", False
    if view.why_idle:
        return clean(view.why_idle, one_line=True, limit=300) + _as_of(view), True
    if view.phase is Phase.AWAITING_APPROVAL:
        return "the pilot waits for a person", False
    if view.phase is Phase.PAUSED:
        return in_a_line(view.phase_reason, limit=300) or "paused", False
    asking, slots = len(view.in_flight), view.limits.concurrency
    numbers = f"{count(asking)} of {count(slots)} slots are asking"
    if asking >= slots and not _as_of(view):
        return f"nothing is idle, {numbers}", False
    return numbers + (_as_of(view) or ", the others are between two requests"), False


def _as_of(view: RunView) -> str:
    """How old the engine's last word is, where that is more than a moment."""
    age = view.engine.heartbeat_age_s
    return f" (its last word, {duration(age)} ago)" if age is not None and age >= SILENT_AFTER_S else ""
