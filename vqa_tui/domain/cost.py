"""Money: exact to a billionth of a dollar, held as whole nano-dollars."""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import lcm

NANO_PER_DOLLAR = 1_000_000_000
IMPLAUSIBLE = 100
"""Times what was set aside for a request from which on its reported cost says nothing about other requests."""


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
    cache_write_tokens: int = 0
    """Input that was written into the provider's cache."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per million tokens, none below zero."""

    input_per_million: Decimal
    output_per_million: Decimal
    cached_input_per_million: Decimal | None = None
    """Of input read from a cache; None bills it like other input."""
    image_input_per_million: Decimal | None = None
    """Of input that pictures took; None bills it like other input."""
    cache_write_per_million: Decimal | None = None
    """Of input written into a cache; None bills it like other input."""
    _rates: "_Rates" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a price below zero or that is no number."""
        object.__setattr__(self, "_rates", _Rates.of(self))

    def cost_nano(self, usage: Usage) -> int:
        """Return the price of `usage` in nano-dollars: tokens × dollars per million × 1000, rounded up.

        Where reports leave room, the dearest reading counts, so that a bill is not understated: how many of the cached
        tokens were also a picture's is not told, and a report without picture tokens does not say that there were none.
        Parts that are larger than the whole are cut to it, and what is below zero is zero.
        """
        rates = self._rates
        total = max(usage.input_tokens, 0)
        cost = max(usage.output_tokens, 0) * rates.output
        if usage.cached_input_tokens or usage.image_tokens or usage.cache_write_tokens or rates.picture_is_dearer:
            cost += _input_cost(rates, usage, total)
        else:
            cost += total * rates.input
        return -(-cost // rates.scale)

    def most_nano(self, input_tokens: int, output_tokens: int) -> int:
        """Return the most that so many tokens can cost in nano-dollars, whatever they turn out to have been."""
        rates = self._rates
        return -(-(max(input_tokens, 0) * rates.dearest_input + max(output_tokens, 0) * rates.output) // rates.scale)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Prices as whole numbers of 1/`scale` nano-dollars a token: replies come by the thousand, and Decimal is slow."""

    scale: int
    input: int
    output: int
    cached: int
    picture: int
    written: int

    @classmethod
    def of(cls, prices: Prices) -> "_Rates":
        plain = prices.input_per_million
        given = (
            plain,
            prices.output_per_million,
            prices.cached_input_per_million,
            prices.image_input_per_million,
            prices.cache_write_per_million,
        )
        if not all(price is None or (price.is_finite() and price >= 0) for price in given):
            raise ValueError("a price is a number of dollars, zero or more")
        exact = [Fraction(plain if price is None else price) * 1000 for price in given]
        scale = lcm(*(each.denominator for each in exact))
        return cls(scale, *(int(each * scale) for each in exact))

    @property
    def picture_is_dearer(self) -> bool:
        return self.picture > self.input

    @property
    def dearest_input(self) -> int:
        # What is written into a cache may be a picture's: then both surcharges are on the bill.
        return max(self.cached, max(self.input, self.picture) + max(self.written - self.input, 0))


def _input_cost(rates: _Rates, usage: Usage, total: int) -> int:
    cached = min(max(usage.cached_input_tokens, 0), total)
    written = min(max(usage.cache_write_tokens, 0), total - cached)
    picture = min(max(usage.image_tokens, 0), total)
    if picture == 0 and rates.picture_is_dearer:
        picture = total
    # Tokens that are both count once at the dearer price; each saves one of `plain` and frees the cheaper of the two.
    both = min(cached, picture) if rates.input >= min(rates.cached, rates.picture) else max(cached + picture - total, 0)
    plain = total - cached - picture + both
    cost = (
        plain * rates.input
        + (cached - both) * rates.cached
        + (picture - both) * rates.picture
        + both * max(rates.cached, rates.picture)
    )
    return cost + written * max(rates.written - rates.input, 0)
