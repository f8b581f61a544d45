"""Two runs side by side in words, for a screen and the command line alike; no part of it knows a terminal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vqa_tui.domain.comparison import Comparison, Difference, RunFigures, Spread
from vqa_tui.domain.part import unit
from vqa_tui.tui.present.numbers import UNKNOWN, count, milliseconds, money, money_words, plural, share


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a comparison: its section, its name, and the value of either run. Values may be hostile text."""

    section: str
    name: str
    first: str
    second: str


def comparison_facts(found: Comparison) -> list[Fact]:
    """Return everything that is compared, section by section; what neither run has is left out."""
    one, two = found.first, found.second
    sections: list[tuple[str, list[tuple[str, str, str]]]] = [
        ("Made of", [(name, getattr(one, name), getattr(two, name)) for name in ("recipe", "endpoint", "model")]),
        ("Cost", _both(one, two, _cost)),
        ("Answers", _both(one, two, _answers)),
        ("Requests", _both(one, two, _requests)),
        (f"Failed {_unit(one, two)}s", _by_kind(one.failures, two.failures)),
        ("Failed requests", _by_kind(one.request_failures, two.request_failures)),
        ("Flagged pairs", _flags(one, two)),
        ("Review", _both(one, two, _review) if one.reviewed or two.reviewed else []),
        ("Settings that differ", [_setting(each) for each in found.differences]),
    ]
    return [Fact(title, *line) for title, lines in sections for line in lines]


def _both(
    one: RunFigures, two: RunFigures, facts: Callable[[RunFigures], list[tuple[str, str]]]
) -> list[tuple[str, str, str]]:
    word = _unit(one, two)
    return [
        (name.replace("picture", word), mine, theirs)
        for (name, mine), (_name, theirs) in zip(facts(one), facts(two), strict=True)
    ]


def _unit(one: RunFigures, two: RunFigures) -> str:
    return unit(in_parts=one.in_parts or two.in_parts)


def _cost(run: RunFigures) -> list[tuple[str, str]]:
    uncertain = f" + {money(run.uncertain)} uncertain" if run.uncertain else ""
    return [
        ("total", money_words(run.spent, price_known=run.price_known) + uncertain),
        ("per picture", money(run.cost_per_picture)),
        ("tokens per picture", _tokens(run)),
    ]


def _tokens(run: RunFigures) -> str:
    if not run.finished:
        return UNKNOWN
    return f"{run.input_tokens / run.finished:.0f} in, {run.output_tokens / run.finished:.0f} out"


def _answers(run: RunFigures) -> list[tuple[str, str]]:
    each = UNKNOWN if run.pairs_per_picture is None else f"{run.pairs_per_picture:.2f}"
    return [
        ("pictures done", f"{count(run.done)} of {count(run.pictures)}"),
        ("pictures failed", f"{count(run.failed)} ({share(run.failed, run.finished)})"),
        ("pairs", count(run.pairs)),
        ("pairs per picture", each),
        ("answer length", _length(run.sampled.answer_length)),
    ]


def _length(spread: Spread | None) -> str:
    if spread is None:
        return UNKNOWN
    return f"{spread.median:.0f} ({spread.p10:.0f}–{spread.p90:.0f}) characters"


def _requests(run: RunFigures) -> list[tuple[str, str]]:
    return [
        ("requests", count(run.requests)),
        ("of them retries", f"{count(run.retries)} ({share(run.retries, run.requests)})"),
        ("latency p50", milliseconds(run.sampled.latency_p50_ms)),
        ("latency p95", milliseconds(run.sampled.latency_p95_ms)),
    ]


def _review(run: RunFigures) -> list[tuple[str, str]]:
    rate = UNKNOWN if run.defect_rate is None else f"{100 * run.defect_rate:.1f} % of {count(run.reviewed)}"
    verdicts = ", ".join(f"{count(run.verdicts[kind])} {_kind(kind)}" for kind in sorted(run.verdicts))
    return [("reviewed", verdicts or "nothing"), ("rejected", rate)]


def _by_kind(mine: Mapping[str, int], theirs: Mapping[str, int]) -> list[tuple[str, str, str]]:
    kinds = sorted(mine.keys() | theirs.keys(), key=lambda kind: (-mine.get(kind, 0) - theirs.get(kind, 0), kind))
    return [(_kind(kind), count(mine.get(kind, 0)), count(theirs.get(kind, 0))) for kind in kinds]


def _flags(one: RunFigures, two: RunFigures) -> list[tuple[str, str, str]]:
    def words(run: RunFigures, flag: str) -> str:
        number = run.sampled.flags.get(flag, 0)
        return f"{count(number)} ({share(number, run.sampled.pairs)})"

    flags = sorted(one.sampled.flags.keys() | two.sampled.flags.keys())
    return [(_kind(flag), words(one, flag), words(two, flag)) for flag in flags]


def _setting(difference: Difference) -> tuple[str, str, str]:
    return difference.setting, difference.first or UNKNOWN, difference.second or UNKNOWN


def _kind(kind: str) -> str:
    return kind.replace("_", " ")


def fact_text(fact: Fact, first: str, second: str) -> str:
    """Return one fact in full, for values that a table cuts."""
    return f"{first}:\n{fact.first}\n\n{second}:\n{fact.second}"


def agreement_words(compared: Comparison, sampled: int) -> str:
    """Return how far the answers agree, in one sentence or two; `sampled` pictures gave lengths, flags and latency."""
    found, word = compared.agreement, _unit(compared.first, compared.second)
    if not found.both:
        return f"No {word} was answered by both runs, so nothing can be said of how far they agree."
    if found.score is None:
        return f"{plural(found.both, word)} {'was' if found.both == 1 else 'were'} answered by both, none with a pair."
    of = f"{plural(found.both, word)} that both answered"
    if found.sampled < found.both:
        of = f"{count(found.sampled)}, evenly spread, of the {of}"
    words = f"Agreement {share(found.score, 1)} (token F1, over {of})"
    if found.equal_share is not None:
        words += (
            f"; {share(found.equal_answers, found.same_questions)} of {count(found.same_questions)} answers to the "
        )
        words += "same question are equal"
    if sampled < found.both:
        words += f". Length, latency and flags: of {plural(sampled, word)}"
    return f"{words}."
