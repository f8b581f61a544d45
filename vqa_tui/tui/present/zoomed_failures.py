"""The zoomed panel of failures: how many of each kind when, what each kind means, and what happens next."""

from collections.abc import Mapping
from textwrap import wrap

from textual.content import Content

from vqa_tui.domain.failure import POLICY, FailureKind, FailurePolicy, KeyEffect
from vqa_tui.domain.run import RunView
from vqa_tui.tui.present.curves import number_of
from vqa_tui.tui.present.numbers import count, duration, plural
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words
from vqa_tui.tui.present.plot import GUTTER, Curve, Drawn, plot
from vqa_tui.tui.present.zoomed import LEAST_PLOT, Zoomed

_MOST_PLOT = 20
_NEXT_OF_KEY = {
    KeyEffect.COOL_DOWN: "asked again as soon as the key may; costs no try",
    KeyEffect.PARK: "the key rests until its quota is back, other keys go on; costs no try",
    KeyEffect.SWITCH_OFF: "the key is switched off, other keys go on; costs no try",
}


def failures(zoomed: Zoomed, width: int, height: int) -> Content:
    """Return failures over time above a list of the kinds; the list may be longer than the height."""
    attempts, pictures = _numbers(zoomed)
    kinds: list[Content] = []
    for kind in sorted({**attempts, **pictures}, key=lambda each: (-pictures.get(each, 0), -attempts.get(each, 0))):
        kinds += _kind(kind, attempts.get(kind, 0), pictures.get(kind, 0), zoomed.view, width)
    room = min(max(height - 1 - len(kinds), height // 3, LEAST_PLOT), _MOST_PLOT)
    return Content("\n").join([_summary(zoomed, attempts, pictures), *_plot(zoomed, width, room), *kinds])


def _numbers(zoomed: Zoomed) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Attempts that failed and pictures that failed for good, by kind; those that are none are left out."""
    moment, view = zoomed.moment, zoomed.view
    attempts = moment.facts.failures.attempts if moment else view.attempt_failures
    pictures = moment.facts.failures.pictures if moment else view.failures
    return ({kind: n for kind, n in attempts.items() if n}, {kind: n for kind, n in pictures.items() if n})


def _summary(zoomed: Zoomed, attempts: Mapping[str, int], pictures: Mapping[str, int]) -> Content:
    if not attempts and not pictures:
        return Content.styled("Nothing has failed." if zoomed.moment is None else "Nothing had failed.", QUIET)
    line = Content.assemble(
        (plural(sum(pictures.values()), zoomed.view.unit), BAD if pictures else ""), (" failed for good, ", QUIET),
        (plural(sum(attempts.values()), "attempt"), WARN), (" failed on the way", QUIET),
    )  # fmt: skip
    if zoomed.moment is not None and (since := zoomed.moment.point.failed - sum(pictures.values())) > 0:
        line = Content.assemble(line, (f"; {count(since)} more then, put back since", QUIET))
    return line


def _plot(zoomed: Zoomed, width: int, height: int) -> list[Content]:
    course = zoomed.failures
    if course is None:
        return []
    span = zoomed.span
    curves = [
        Curve("attempts", number_of(course.attempts, course.every_s, span), "$warning", Drawn.AREA),
        Curve(
            f"{zoomed.view.unit}s for good",
            number_of(course.pictures, course.every_s, span),
            "$text-error",
            Drawn.SHADED,
        ),
    ]
    step = max(span.seconds / max(width - GUTTER, 1), course.every_s)
    return plot(f"Failed in {duration(step)}", curves, span, width, height, _whole)


def _whole(value: float) -> str:
    return count(round(value)) if value == round(value) else f"{value:.1f}"


def _kind(kind: str, attempts: int, pictures: int, view: RunView, width: int) -> list[Content]:
    """One kind: its numbers, then what it means and what happens next, wrapped below."""
    numbers = [(f"{plural(attempts, 'attempt')}", WARN)]
    if pictures:
        numbers.append((f"{plural(pictures, view.unit)} failed for good", BAD))
    head = Content.assemble((kind_words(kind), "bold"), "  ")
    for position, (words, style) in enumerate(numbers):
        head = Content.assemble(head, (", " if position else "", QUIET), (words, style))
    lines = [head]
    for title, words in _meaning(kind, view):
        room = max(width - len(title) - 3, 16)
        for position, line in enumerate(wrap(words, room)):
            shown = f"  {title if position == 0 else ' ' * len(title)} "
            lines.append(Content.assemble((shown, QUIET), line))
    return lines


def _meaning(kind: str, view: RunView) -> list[tuple[str, str]]:
    try:
        policy = POLICY[FailureKind(kind)]
    except ValueError:
        return [("means", "another version of this program wrote this kind; this one does not know it")]
    return [("means", policy.in_words), ("next ", next_words(policy, view.limits.max_attempts, view.unit))]


def next_words(policy: FailurePolicy, most_attempts: int, unit: str) -> str:
    """Return what happens after a failure: to the task, which is called `unit`, to the key and to the run."""
    if policy.key_effect in _NEXT_OF_KEY:
        return _NEXT_OF_KEY[policy.key_effect]
    if policy.pauses_run:
        return f"the {unit} fails, and the run pauses at once"
    if policy.final:
        words = f"the {unit} fails at once: asking again would not help"
    elif policy.spends_attempt:
        words = f"asked again, up to {plural(most_attempts, 'try', 'tries')} in all; then the {unit} fails"
    else:
        words = "asked again; costs no try"
    if policy.counts_for_breaker:
        words += "; when too many fail the run pauses"
    if policy.may_be_billed:
        words += "; the endpoint may bill it"
    return words
