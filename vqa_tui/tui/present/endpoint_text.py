"""An endpoint in words: what is known of it without asking, and what one real request found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.endpoint_words import quota_words
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.plan_words import price_source, price_words
from vqa_tui.tui.present.rows import text

if TYPE_CHECKING:
    from vqa_tui.operations.endpoint_facts import EndpointFacts, KeyFacts
    from vqa_tui.operations.endpoint_trial import EndpointTrial, TrialStep

_NAME_WIDTH = 10
_UNDERSTOOD = ("key", "authorised")
"""Steps that went well if the model answered."""


Fact = tuple[str, Content]
"""A name of ours, and what is known."""


def endpoint_text(facts: "EndpointFacts", width: int) -> Content:
    """Return address, model, keys with whether each has a value, prices with their source, and quota; lines are wrapped
    beside their names."""
    found = [
        ("address", text(facts.address) if facts.address else Content("built in, on this computer")),
        ("model", _model(facts)),
        *_keys(facts),
        *_prices(facts),
        ("quota", Content(quota_words(facts.quota))),
        ("in flight", Content(f"at most {facts.concurrency}")),
    ]
    return Content("\n").join(line for name, value in found for line in _beside(name, value, width))


def trial_text(trial: "EndpointTrial") -> Content:
    """Return what was tried and what to do about what failed."""
    head = (
        Content.styled("✔ it works", GOOD)
        if trial.ok
        else Content.styled("✖ it does not work with every key" if trial.steps else "✖ nothing could be tried", BAD)
    )
    lines = [Content.assemble(head, (f"  {clean(trial.model, one_line=True, limit=80)}", QUIET))]
    answered = {step.key for step in trial.steps if step.ok and step.name == "model"}
    for step in trial.steps:
        if not (step.ok and step.key in answered and step.name in _UNDERSTOOD):
            lines += _step(step)
    return Content("\n").join(lines)


def trial_problem(words: str) -> Content:
    """Return why an endpoint could not be tried."""
    return Content.styled(f"✖ {clean(words, limit=1_000)}", BAD)


def _step(step: "TrialStep") -> Iterator[Content]:
    mark = ("✔ ", GOOD) if step.ok else ("✖ ", BAD)
    key = f" ({clean(step.key, one_line=True, limit=40)})" if step.key else ""
    subject = f"{clean(step.name, one_line=True, limit=20)}{key}: "
    yield Content.assemble(mark, (subject, QUIET), clean(step.detail, one_line=True, limit=600))
    if step.advice:
        yield Content.assemble("  → ", clean(step.advice, one_line=True, limit=600))


def _model(facts: "EndpointFacts") -> Content:
    if facts.model == facts.model_in_file:
        return text(facts.model)
    in_file = clean(facts.model_in_file, one_line=True, limit=80)
    return Content.assemble(text(facts.model, "bold"), (f"  instead of {in_file}", QUIET))


def _keys(facts: "EndpointFacts") -> Iterator[Fact]:
    lacking = sum(bool(key.missing) for key in facts.keys)
    head = plural(len(facts.keys), "key")
    if lacking:
        words = f"▲ {lacking} of {head} without a value" if lacking < len(facts.keys) else "✖ no key has a value"
        yield ("keys", Content.styled(words, WARN if lacking < len(facts.keys) else BAD))
    else:
        yield ("keys", Content.styled(f"✔ {head} at hand", GOOD))
    for key in facts.keys:
        yield ("", _key(key))


def _key(key: "KeyFacts") -> Content:
    mark = ("✖ ", BAD) if key.missing else ("✔ ", GOOD)
    name = clean(key.name, one_line=True, limit=40)
    where = clean(key.variable, one_line=True, limit=60) or "none needed"
    group = f"  group {clean(key.group, one_line=True, limit=40)}" if key.group != key.name else ""
    line = Content.assemble(mark, name, (f"  {where}{group}", QUIET))
    if not key.missing:
        return line
    return Content.assemble(line, ": ", (clean(key.missing, one_line=True, limit=300), BAD))


def _prices(facts: "EndpointFacts") -> Iterator[Fact]:
    if facts.prices is None:
        yield ("prices", Content.styled("▲ unknown: a budget cannot be held", WARN))
        return
    yield ("prices", text(price_words(facts.prices)))
    yield ("", text(price_source(facts.prices, listed=facts.prices_listed), QUIET))


def _beside(name: str, value: Content, width: int) -> Iterator[Content]:
    """Yield the lines of one fact, the first of them beside its name."""
    for number, line in enumerate(value.wrap(max(width - _NAME_WIDTH, 20))):
        yield Content.assemble((f"{'' if number else name:<{_NAME_WIDTH}}", QUIET), line)
