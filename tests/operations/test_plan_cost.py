"""The money of a plan: it is the bill that the same tokens would give, and its ends hold what happens."""

import math
import random
from decimal import Decimal
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.cost import Usage, to_dollars
from vqa_tui.domain.run import Limits
from vqa_tui.engine.estimate import Estimator, most_input_tokens
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.plan_cost import Load, cost_plan
from vqa_tui.store.datasets import PictureSizes, SizeGroup
from vqa_tui.store.earlier_runs import EarlierRuns

ITEMS = 1000
SIZES = PictureSizes((SizeGroup(1000, 800, ITEMS, ITEMS * 10**5),), 1)
LOAD = Load(ITEMS, SIZES, [1200] * 50, ITEMS)
PROMPT, PICTURE, REPLY = 1200 // 4 + 20, 1120, 300


def endpoint(prices: dict[str, str] | None = None, **fields: Any) -> Endpoint:
    whole = {
        "name": "e",
        "base_url": "https://models.example.com/v1",
        "model": "m",
        "keys": [{"name": "k"}],
        "prices": prices or {"input_per_million": "0.30", "output_per_million": "2.50"},
        "image_tokens": {"rule": "gemini_media_resolution"},
    }
    return Endpoint.model_validate(whole | fields)


def recipe(**generation: Any) -> Recipe:
    return Recipe.model_validate(
        {"name": "r", "prompt": {"user": "x"}, "reply": {"kind": "json_pairs"}, "generation": generation}
    )


def plan(
    there: Endpoint, earlier: EarlierRuns | None = None, *, asking: Recipe | None = None, **limits: Any
) -> RunPlan:
    return cost_plan(asking or recipe(), there, LOAD, max_side=1024, earlier=earlier, limits=Limits(**limits))


def earlier(
    requests: int = 100,
    *,
    pictures: int | None = None,
    ratio: float = 1.0,
    reply: int = REPLY,
    hedges: int = 0,
    **measured: Any,
) -> EarlierRuns:
    estimated = requests * (PROMPT + PICTURE)
    return EarlierRuns(
        1,
        pictures or requests,
        requests,
        requests,
        estimated,
        round(estimated * ratio),
        requests * reply,
        None,
        hedges=hedges,
        **measured,
    )


def money(amount: Decimal | None) -> Decimal:
    assert amount is not None
    return amount


PRICE = st.decimals(min_value=0, max_value=100, places=4).map(str)


@given(PRICE, PRICE, PRICE | st.none(), st.booleans())
def test_the_plan_is_the_bill_of_the_same_tokens(
    price_in: str, price_out: str, price_image: str | None, told: bool
) -> None:
    prices = {"input_per_million": price_in, "output_per_million": price_out}
    there = endpoint(prices if price_image is None else prices | {"image_input_per_million": price_image})
    assert there.prices is not None
    made = plan(there, earlier(told_image_tokens=told))
    usage = Usage(PROMPT + PICTURE, REPLY, image_tokens=PICTURE if told else 0)
    bill = to_dollars(ITEMS * there.prices.prices.cost_nano(usage))
    # Each bill is rounded up to a nano-dollar on its own.
    assert abs(bill - money(made.cost_total)) <= to_dollars(ITEMS + 3)


def test_without_a_measure_a_dearer_picture_price_holds_for_all_input() -> None:
    prices = {"input_per_million": "1", "output_per_million": "0", "image_input_per_million": "3"}
    assert plan(endpoint(prices)).cost_total == to_dollars(ITEMS * (PROMPT + PICTURE) * 3000)
    cheaper = plan(endpoint(prices | {"image_input_per_million": "0.5"}))
    assert cheaper.cost_total == to_dollars(ITEMS * (PROMPT + PICTURE) * 1000)


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.decimals(min_value=0, max_value=1000, places=12).map(str),
    st.integers(5, 10**6),
)
def test_money_is_whole_billionths_rounded_up_and_never_a_float(
    billed: int, written: int, price: str, compared: int
) -> None:
    there = endpoint({"input_per_million": price, "output_per_million": price})
    measured = EarlierRuns(1, compared, compared, compared, 10**6, billed, written, None)
    made = plan(there, measured)
    exact = ITEMS * Decimal(PROMPT + PICTURE) * billed / 10**6 + ITEMS * Decimal(written) / compared
    exact = exact * Decimal(price) / 10**6
    total = money(made.cost_total)
    assert Decimal(-1) / 10**15 <= total - exact <= Decimal(3) / 10**9 + exact / 10**20
    parts = [each for part in made.band for each in (part.low, part.high)]
    rows = [money(row.cost_total) for row in made.sizes]
    ends = [money(each) for each in (made.cost_per_item, made.cost_low, made.cost_high, made.cost_most)]
    for amount in (total, *parts, *rows, *ends):
        assert amount == round(amount, 9)


def simulated(generator: random.Random, spread: float, count: int) -> EarlierRuns:
    """Return what a pilot measures whose replies are lognormal with a mean of REPLY tokens."""
    sigma = math.sqrt(math.log(1 + spread**2))
    replies = [int(generator.lognormvariate(math.log(REPLY) - sigma**2 / 2, sigma)) for _ in range(count)]
    estimated = count * (PROMPT + PICTURE)
    found = stdev(replies) / fmean(replies)
    return EarlierRuns(
        1, count, count, count, estimated, estimated, sum(replies), None, output_spread=found, input_spread=0.0
    )


@pytest.mark.parametrize("price_in", ["0.30", "0"])
@pytest.mark.parametrize(("spread", "count", "least"), [(0.3, 5, 0.95), (0.5, 10, 0.95), (0.8, 10, 0.85)])
def test_the_band_after_a_pilot_holds_the_true_cost(price_in: str, spread: float, count: int, least: float) -> None:
    there = endpoint({"input_per_million": price_in, "output_per_million": "2.50"})
    true = ITEMS * (Decimal(PROMPT + PICTURE) * Decimal(price_in) + REPLY * Decimal("2.5")) / 10**6
    generator = random.Random(5)
    made = [plan(there, simulated(generator, spread, count)) for _ in range(200)]
    held = [money(each.cost_low) <= true <= money(each.cost_high) for each in made]
    assert fmean(held) >= least


def test_more_replies_make_the_band_narrower_and_other_replies_wider() -> None:
    def width(measured: EarlierRuns) -> Decimal:
        made = plan(endpoint(), measured)
        return money(made.cost_high) - money(made.cost_low)

    widths = [width(earlier(count, output_spread=0.5, input_spread=0.0)) for count in (5, 10, 30, 100, 1000)]
    assert widths == sorted(widths, reverse=True)
    assert width(earlier(30, output_spread=1.0, input_spread=0.0)) > width(earlier(30, output_spread=0.2))
    # No failure among ten does not mean that there will be none.
    (again,) = [part for part in plan(endpoint(), earlier(10)).band if part.name == "asked again"]
    assert again.low == 0 < again.high


@given(
    st.floats(0.1, 20),
    st.integers(5, 200),
    st.integers(1, 50),
    st.integers(1, 5000),
    st.booleans(),
    st.integers(1, 6),
    st.none() | st.integers(1001, 9000),
)
def test_the_most_is_never_below_what_is_expected(
    ratio: float, requests: int, pictures: int, reply: int, hedge: bool, attempts: int, longer: int | None
) -> None:
    measured = earlier(requests, pictures=min(pictures, requests), ratio=ratio, reply=reply, hedges=requests // 3)
    asking = recipe(max_tokens=1000, longer_max_tokens=longer)
    made = plan(endpoint(), measured, asking=asking, hedge=hedge, max_attempts=attempts)
    assert money(made.cost_low) <= money(made.cost_total) <= money(made.cost_high) <= money(made.cost_most)


def test_the_most_is_made_of_every_attempt_at_its_longest() -> None:
    there = endpoint()
    picture = Estimator(recipe(), there).picture_tokens(1000, 800, 1024)
    prices = there.prices.prices if there.prices else None
    assert prices is not None
    once = to_dollars(ITEMS * prices.most_nano(most_input_tokens(1200, picture), 1000))
    one = plan(there, max_attempts=1)
    assert (one.cost_most, one.most_requests) == (once, 1)
    assert plan(there, max_attempts=1, hedge=True).cost_most == 2 * once
    four = plan(there, max_attempts=4)
    assert money(four.cost_most) > 4 * once and four.most_requests == 4
    longer = plan(there, max_attempts=4, asking=recipe(longer_max_tokens=3000))
    assert money(longer.cost_most) - money(four.cost_most) == to_dollars(ITEMS * 2000 * 2500)
    dearer = plan(there, earlier(ratio=10.0), max_attempts=1)
    longest = prices.most_nano(10 * most_input_tokens(1200, picture), 1000)
    assert dearer.cost_most == to_dollars(ITEMS * longest)


def test_requests_are_counted_by_finished_picture_and_hedges_only_where_they_will_be() -> None:
    measured = earlier(140, pictures=100, hedges=20)
    assert plan(endpoint(), measured).requests_per_item == 1.4
    assert plan(endpoint(), measured, hedge=True).requests_per_item == pytest.approx(1.6)
    hedging = {part.name for part in plan(endpoint(), earlier(), hedge=True).band}
    assert "hedging" in hedging and "hedging" not in {part.name for part in plan(endpoint(), measured, hedge=True).band}
