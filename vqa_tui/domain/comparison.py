"""Two runs of one dataset side by side: their figures, what they were made of, and how far their answers agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from vqa_tui.domain.part import ONLY, Part, with_part

MOST_SAMPLED = 2_000
"""Pictures, evenly spread over the run, that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long answers are: 10 %, half and 90 % of them have at most so many characters."""

    p10: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True)
class SampledFigures:
    """What is known from looking at pictures one by one: of all that are done, or of MOST_SAMPLED, evenly spread."""

    pictures: int = 0
    pairs: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    """Of answered requests."""
    answer_length: Spread | None = None
    flags: Mapping[str, int] = field(default_factory=dict)
    """Pairs by flag; a pair may have several."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One of the runs that are compared, as a whole. Money in dollars."""

    id: int
    name: str
    dataset: str
    recipe: str
    endpoint: str
    model: str
    pictures: int
    done: int
    failed: int
    pairs: int
    spent: Decimal
    uncertain: Decimal
    price_known: bool
    requests: int
    retries: int
    """Requests beyond the first of a picture."""
    input_tokens: int
    output_tokens: int
    failures: Mapping[str, int]
    """Pictures that failed for good, by kind."""
    request_failures: Mapping[str, int]
    """Requests that failed, by kind, those that were made again included."""
    verdicts: Mapping[str, int]
    sampled: SampledFigures = field(default_factory=SampledFigures)
    in_parts: bool = False
    """Whether a picture may be several requests, so that these are what is counted as pictures here."""

    @property
    def finished(self) -> int:
        return self.done + self.failed

    @property
    def cost_per_picture(self) -> Decimal | None:
        """Of finished pictures; None before the first, or where nobody knows the price."""
        return self.spent / self.finished if self.finished and self.price_known else None

    @property
    def pairs_per_picture(self) -> float | None:
        return self.pairs / self.done if self.done else None

    @property
    def reviewed(self) -> int:
        return sum(self.verdicts.values())

    @property
    def defect_rate(self) -> float | None:
        """Share of the reviewed pairs that were rejected; None before any review."""
        return self.verdicts.get("rejected", 0) / self.reviewed if self.reviewed else None


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not the same; '' where the run has none."""

    setting: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class ComparedPicture:
    """One picture that both runs answered, by its tasks."""

    item_key: str
    first_task: int
    second_task: int
    score: float
    """Its agreement, see domain.agreement."""
    part: Part = ONLY

    @property
    def name(self) -> str:
        return with_part(self.item_key, self.part)


@dataclass(frozen=True, slots=True)
class RunAgreement:
    """How far the answers of two runs agree, over the pictures that both answered."""

    both: int
    """Pictures that both runs answered."""
    sampled: int
    """Those of them that were compared, evenly spread."""
    score: float | None
    """Mean agreement of the compared ones; None where there is none."""
    same_questions: int
    equal_answers: int
    least: tuple[ComparedPicture, ...]
    """Those that agree least, worst first; none that agrees wholly."""

    @property
    def equal_share(self) -> float | None:
        """Share of equal answers to the same question; None where no question is the same."""
        return self.equal_answers / self.same_questions if self.same_questions else None


@dataclass(frozen=True, slots=True)
class Comparison:
    first: RunFigures
    second: RunFigures
    differences: tuple[Difference, ...]
    agreement: RunAgreement


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the ordered, non-empty values lie (the nearest one)."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def differences(first: Mapping[str, object], second: Mapping[str, object]) -> tuple[Difference, ...]:
    """Return the settings (nested ones as `prices.input`) in which two configurations differ, in order of name."""
    mine, theirs = dict(_flat(first, "")), dict(_flat(second, ""))
    return tuple(
        Difference(name, mine.get(name, ""), theirs.get(name, ""))
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    )


def _flat(value: object, name: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [each for key, inner in value.items() for each in _flat(inner, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list) and all(isinstance(inner, str | int | float) for inner in value):
        return [(name, ", ".join(str(inner) for inner in value))]
    if isinstance(value, list):
        return [each for index, inner in enumerate(value) for each in _flat(inner, f"{name}[{index}]")]
    return [] if value is None else [(name, str(value))]
