"""Money: exact to a billionth of a dollar, held as whole nano-dollars."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

NANO_PER_DOLLAR = 1_000_000_000


def to_nano(dollars: Decimal) -> int:
    """Return whole nano-dollars, rounded up so that a cost is never understated."""
    return int((dollars * NANO_PER_DOLLAR).to_integral_value(ROUND_CEILING))


def to_dollars(nano: int) -> Decimal:
    return Decimal(nano) / NANO_PER_DOLLAR


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint reported them."""

    input_tokens: int = 0
    """All input, what came from a cache and what pictures took included."""
    output_tokens: int = 0
    """All output, thinking included."""
    cached_input_tokens: int = 0
    """Input that was read from the provider's cache."""
    image_tokens: int = 0
    """Input that pictures took, where the endpoint tells it apart."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per million tokens."""

    input_per_million: Decimal
    output_per_million: Decimal
    cached_input_per_million: Decimal | None = None
    """Of input read from a cache; None bills it like other input."""
    image_input_per_million: Decimal | None = None
    """Of input that pictures took; None bills it like other input."""

    def cost_nano(self, usage: Usage) -> int:
        """Return the price of `usage` in nano-dollars: tokens × dollars per million × 1000, rounded up."""
        exact = usage.input_tokens * self.input_per_million + usage.output_tokens * self.output_per_million
        return int((exact * 1000).to_integral_value(ROUND_CEILING))
