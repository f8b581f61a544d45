"""What an endpoint told about a quota with one of its replies."""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a quota counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    """Input and output together."""
    INPUT_TOKENS = "input tokens"
    OUTPUT_TOKENS = "output tokens"


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where one quota of a key stood when the endpoint counted the request. None: it did not say, or said nonsense."""

    unit: Unit
    limit: int | None
    """Above 0."""
    remaining: int | None
    """0 or more."""
    resets_in_s: float | None
    """Seconds until it is whole again, above 0."""
