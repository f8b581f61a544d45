"""Money: against exact arithmetic, never below what a bill could be, never below zero."""

from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.cost import Prices, Usage, to_dollars, to_nano

PRICE = st.decimals(min_value=0, max_value=1000, places=9)
MAYBE = st.none() | PRICE
PRICES = st.builds(Prices, PRICE, PRICE, MAYBE, MAYBE, MAYBE)
TOKENS = st.integers(min_value=0, max_value=10**9)
ANY = st.integers(min_value=-(10**10), max_value=10**10)
USAGES = st.builds(Usage, ANY, ANY, ANY, ANY, ANY)
GEMINI = Prices(Decimal("0.30"), Decimal("2.50"), Decimal("0.03"))


@pytest.mark.parametrize(
    ("prices", "usage", "nano"),
    [
        (GEMINI, Usage(1_000_000, 0), 300_000_000),
        (GEMINI, Usage(1500, 300), 1_200_000),
        (GEMINI, Usage(1500, 300, cached_input_tokens=1000), 1_200_000 - 270_000),
        (GEMINI, Usage(1, 0), 300),
        # A tenth of a nano-dollar is still a nano-dollar.
        (Prices(Decimal("0.0001"), Decimal(0)), Usage(1, 0), 1),
        (Prices(Decimal("0.0001"), Decimal(0)), Usage(11, 0), 2),
        # 300 tokens of a picture, of which all 200 cached ones may be: then nothing was cheap.
        (Prices(Decimal(1), Decimal(0), Decimal("0.5"), Decimal(2)), Usage(1000, 0, 200, 300), (700 + 600) * 1000),
        # Without picture tokens in the report, a dearer picture price holds for all input.
        (Prices(Decimal(1), Decimal(0), None, Decimal(2)), Usage(1000, 0), 2_000_000),
        (Prices(Decimal(1), Decimal(0), None, None, Decimal("1.25")), Usage(1000, 0, 0, 0, 400), 1_100_000),
        (Prices(Decimal(0), Decimal(0)), Usage(10**9, 10**9), 0),
    ],
)
def test_worked_examples(prices: Prices, usage: Usage, nano: int) -> None:
    assert prices.cost_nano(usage) == nano


@given(PRICE, PRICE, TOKENS, TOKENS)
def test_plain_tokens_cost_what_decimal_arithmetic_says(
    price_in: Decimal, price_out: Decimal, read: int, written: int
) -> None:
    exact = Fraction(read) * Fraction(price_in) + Fraction(written) * Fraction(price_out)
    nano = Prices(price_in, price_out).cost_nano(Usage(read, written))
    assert 0 <= nano - exact * 1000 < 1


@given(PRICES, USAGES)
def test_any_report_costs_zero_or_more_and_no_more_than_the_bound(prices: Prices, usage: Usage) -> None:
    assert 0 <= prices.cost_nano(usage) <= prices.most_nano(usage.input_tokens, usage.output_tokens)


@given(PRICES, st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_no_possible_overlap_of_cached_and_picture_tokens_would_be_billed_higher(
    prices: Prices, neither: int, only_cached: int, only_picture: int, both: int
) -> None:
    usage = Usage(
        neither + only_cached + only_picture + both,
        cached_input_tokens=only_cached + both,
        image_tokens=only_picture + both,
    )
    plain = Fraction(prices.input_per_million)
    cached = plain if prices.cached_input_per_million is None else Fraction(prices.cached_input_per_million)
    picture = plain if prices.image_input_per_million is None else Fraction(prices.image_input_per_million)
    bill = neither * plain + only_cached * cached + only_picture * picture + both * max(cached, picture)
    assert prices.cost_nano(usage) >= bill * 1000


@given(PRICES, USAGES, USAGES)
def test_two_replies_cost_what_both_together_do_and_at_most_one_rounding_more(
    prices: Prices, first: Usage, second: Usage
) -> None:
    plain = Prices(prices.input_per_million, prices.output_per_million)
    together = Usage(
        max(first.input_tokens, 0) + max(second.input_tokens, 0),
        max(first.output_tokens, 0) + max(second.output_tokens, 0),
    )
    apart = plain.cost_nano(Usage(first.input_tokens, first.output_tokens)) + plain.cost_nano(
        Usage(second.input_tokens, second.output_tokens)
    )
    assert plain.cost_nano(together) <= apart <= plain.cost_nano(together) + 1


@given(st.decimals(min_value=0, max_value=10**9, places=12))
def test_nano_dollars_are_rounded_up_and_come_back(dollars: Decimal) -> None:
    nano = to_nano(dollars)
    assert to_dollars(nano) == dollars.quantize(Decimal("1e-9"), ROUND_CEILING)


@pytest.mark.parametrize("price", ["-0.1", "NaN", "Infinity"])
def test_what_is_no_price_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        Prices(Decimal(1), Decimal(price))


def test_equal_prices_are_equal() -> None:
    assert Prices(Decimal("0.30"), Decimal("2.5"), Decimal("0.03")) == GEMINI
    assert hash(GEMINI) == hash(Prices(Decimal("0.30"), Decimal("2.5"), Decimal("0.03")))
