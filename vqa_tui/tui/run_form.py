"""A new run as it is typed, what is wrong with each field, and the request that it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.operations.limits import parse_budget
from vqa_tui.operations.planning import MOST_PAIRS, RunRequest, parse_max_side, parse_ratio
from vqa_tui.tui.verbs import MOST_WORKERS

TEXT_FIELDS = ("limit", "pilot", "budget", "concurrency", "max_side", "pairs", "structured_ratio", "seed", "name")


@dataclass(frozen=True, slots=True)
class RunForm:
    """The answers as text; names are None where nothing is chosen."""

    dataset: str | None = None
    recipe: str | None = None
    endpoint: str | None = None
    model: str | None = None
    """Another than that of the endpoint's file."""
    name: str = ""
    limit: str = ""
    seed: str = ""
    pilot: str = "10"
    budget: str = ""
    concurrency: str = ""
    max_side: str = ""
    pairs: str = ""
    structured_ratio: str = ""
    hedge: bool = False
    like: int | None = None
    """The run that this one is to be like."""

    def typed(self, field: str) -> str:
        """Return what stands in one of TEXT_FIELDS."""
        return str(getattr(self, field))

    def request(self) -> RunRequest:
        """Return what is asked for. Raises VqaError, naming the field, for what is missing or cannot be read."""
        for field, value in (("dataset", self.dataset), ("recipe", self.recipe), ("endpoint", self.endpoint)):
            if not value:
                raise VqaError(f"choose {'an' if field == 'endpoint' else 'a'} {field}")
        return RunRequest(
            dataset=self.dataset or "",
            recipe=self.recipe or "",
            endpoint=self.endpoint or "",
            name=_name(self.name),
            limit=_limit(self.limit),
            seed=_seed(self.seed),
            pilot=_pilot(self.pilot) or 0,
            budget_usd=_budget(self.budget),
            concurrency=_concurrency(self.concurrency),
            max_side=_max_side(self.max_side),
            pairs=_pairs(self.pairs),
            structured_ratio=_ratio(self.structured_ratio),
            hedge=self.hedge,
            model=self.model,
            like=self.like,
        )


def form_of(request: RunRequest) -> RunForm:
    """Return the form whose request is this one."""

    def words(value: object) -> str:
        return "" if value is None else str(value)

    return RunForm(
        dataset=request.dataset,
        recipe=request.recipe,
        endpoint=request.endpoint,
        model=request.model,
        name=words(request.name),
        limit=words(request.limit),
        seed=words(request.seed),
        pilot=words(request.pilot),
        budget="" if request.budget_usd is None else f"{request.budget_usd:f}",
        concurrency=words(request.concurrency),
        max_side=words(request.max_side),
        pairs=words(request.pairs),
        structured_ratio="" if request.structured_ratio is None else f"{request.structured_ratio:g}",
        hedge=request.hedge,
        like=request.like,
    )


def field_problems(
    form: RunForm, *, taken: frozenset[str] = frozenset(), price_known: bool = True
) -> Mapping[str, VqaError]:
    """Return what is wrong with each field, by its name. `taken` are the names of runs; without a known price of the
    endpoint no budget can be held."""
    problems: dict[str, VqaError] = {}
    for field, read in _READERS.items():
        try:
            read(form.typed(field))
        except VqaError as error:
            problems[field] = error
    if form.seed.strip() and not form.limit.strip():
        problems.setdefault("seed", VqaError("all pictures are asked: none is drawn", hint="Say how many pictures."))
    if (name := form.name.strip()) in taken:
        problems["name"] = VqaError(f"there is already a run named {name}")
    if form.budget.strip() and not price_known:
        problems.setdefault(
            "budget", VqaError("the price of this model is unknown, so a budget cannot be held", hint="Leave it empty.")
        )
    return problems


def _limit(typed: str) -> int | None:
    return _whole("pictures", typed, least=1, most=None, hint="Empty takes every picture.")


def _seed(typed: str) -> int | None:
    return _whole("seed", typed, least=0, most=None, hint="Empty spreads the pictures evenly.")


def _pilot(typed: str) -> int | None:
    return _whole("pilot", typed, least=0, most=None, hint="0 starts without a pilot.")


def _concurrency(typed: str) -> int | None:
    return _whole("in flight", typed, least=1, most=MOST_WORKERS, hint="Empty takes the endpoint's own.")


def _max_side(typed: str) -> int | Literal["original"] | None:
    return parse_max_side(typed, field="longest px") if typed.strip() else None


def _pairs(typed: str) -> int | None:
    return _whole("pairs", typed, least=1, most=MOST_PAIRS, hint="Empty asks as many as the recipe.")


def _ratio(typed: str) -> float | None:
    return parse_ratio(typed, field="structured") if typed.strip() else None


def _name(typed: str) -> str | None:
    name = typed.strip()
    if name:
        require_run_name(name)
    return name or None


def _whole(field: str, typed: str, *, least: int, most: int | None, hint: str) -> int | None:
    text = typed.replace(" ", "").replace("_", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise VqaError(f"{field}: {typed.strip()!r} is not a whole number", hint=hint)
    number = int(text)
    if number < least or (most is not None and number > most):
        allowed = f"at least {least}" if most is None else f"from {least} to {most}"
        raise VqaError(f"{field} must be {allowed}, not {number}", hint=hint)
    return number


def _budget(typed: str) -> Decimal | None:
    text = typed.strip()
    return parse_dollars(text) if text.removeprefix("$") else None


def parse_dollars(text: str) -> Decimal:
    """Return an amount of dollars that can be a budget. Raises VqaError for anything else."""
    return parse_budget(text, hint="For example 12.50; empty is no cap.")


_READERS: dict[str, Callable[[str], object]] = {
    "limit": _limit,
    "seed": _seed,
    "pilot": _pilot,
    "budget": _budget,
    "concurrency": _concurrency,
    "max_side": _max_side,
    "pairs": _pairs,
    "structured_ratio": _ratio,
    "name": _name,
}
