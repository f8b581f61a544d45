"""The new-run form as it was typed, and the request that it means."""

from dataclasses import dataclass
from decimal import Decimal

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.limits import parse_budget
from vqa_tui.operations.planning import RunRequest, parse_max_side
from vqa_tui.tui.verbs import MOST_WORKERS


class NotChosen(VqaError):
    """Something has not been chosen yet: no mistake, only not done."""


@dataclass(frozen=True, slots=True)
class RunForm:
    """The fields as text; names are None where nothing is chosen."""

    dataset: str | None
    recipe: str | None
    endpoint: str | None
    name: str = ""
    limit: str = ""
    pilot: str = "10"
    budget: str = ""
    concurrency: str = ""
    max_side: str = ""
    hedge: bool = False

    def request(self) -> RunRequest:
        """Return what is asked for. Raises VqaError, naming the field, for what cannot be read."""
        for field, value in (("dataset", self.dataset), ("recipe", self.recipe), ("endpoint", self.endpoint)):
            if not value:
                raise NotChosen(f"choose {'an' if field == 'endpoint' else 'a'} {field}")
        return RunRequest(
            dataset=self.dataset or "",
            recipe=self.recipe or "",
            endpoint=self.endpoint or "",
            name=self.name.strip() or None,
            limit=_whole("pictures", self.limit, least=1, most=None, hint="Empty takes every picture."),
            pilot=_whole("pilot", self.pilot, least=0, most=None, hint="0 starts without a pilot.") or 0,
            budget_usd=_dollars(self.budget),
            concurrency=_whole(
                "in flight", self.concurrency, least=1, most=MOST_WORKERS, hint="Empty takes the endpoint's own."
            ),
            max_side=parse_max_side(self.max_side, field="longest px") if self.max_side.strip() else None,
            hedge=self.hedge,
        )


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


def _dollars(typed: str) -> Decimal | None:
    text = typed.strip()
    return parse_dollars(text) if text.removeprefix("$") else None


def parse_dollars(text: str) -> Decimal:
    """Return an amount of dollars that can be a budget. Raises VqaError for anything else."""
    return parse_budget(text, hint="For example 12.50; empty is no cap.")
