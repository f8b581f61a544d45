"""A plan in words: the band, where prices are from, and the rows of the table of sizes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from vqa_tui.config.endpoint import EndpointPrices
from vqa_tui.operations.plan import BandPart, RunPlan, SizeRow, TimeBound
from vqa_tui.store.earlier_runs import EarlierRuns
from vqa_tui.tui.present.plan_words import (
    SIZE_COLUMNS,
    band_parts,
    bound_words,
    most_words,
    price_source,
    price_words,
    short_prices,
)
from vqa_tui.tui.present.plans import plan_text
from vqa_tui.tui.present.wizard_rows import size_row

PLAN = RunPlan(
    items=30_044,
    prompt_tokens_per_item=420.2,
    picture_tokens_per_item=14_168.0,
    output_tokens_per_item=300.0,
    cost_per_item=Decimal("0.00237"),
    cost_total=Decimal("71.25"),
    expected_s=172_800.0,
    warnings=("With a longest side of 512 pixels it would cost 35 % less.",),
    cost_low=Decimal("61.5"),
    cost_high=Decimal("88.75"),
    cost_most=Decimal("140"),
    band=(
        BandPart("prompt tokens", Decimal("0.4"), Decimal("0.4"), "4 bytes a token is a rule of thumb"),
        BandPart("reply length", Decimal("2.7"), Decimal("5.4"), "no earlier run; the recipe expects 300 tokens"),
        BandPart("prompt sample", Decimal(0), Decimal(0), "prompts differ; 50 were looked at"),
        BandPart("asked again", Decimal(0), Decimal("3.5"), "replies that cannot be used are paid too"),
    ),
    prices=EndpointPrices(
        input_per_million=Decimal("0.15"),
        output_per_million=Decimal("0.6"),
        cached_input_per_million=Decimal("0.075"),
        source="genai-prices 0.2.3: list price of OpenAI, gpt-4o-mini",
        as_of="2026-11-09",
    ),
    prices_listed=True,
    max_side=600,
    sizes=(
        SizeRow(384, 8500.0, Decimal("43.86"), 538_000_000, 30_044, False),
        SizeRow(600, 14_168.0, Decimal("71.25"), 1_200_000_000, 29_000, True),
        SizeRow(None, 25_501.0, Decimal("120.3"), 4_700_000_000, 0, False),
    ),
    time_bounds=(TimeBound("requests/day", 172_800.0), TimeBound("requests/min", 6_000.0)),
    earlier=EarlierRuns(2, 40, 42, 42, 1000, 1080, 9000, 800.0),
    input_ratio=1.08,
    requests_per_item=1.05,
)


def test_a_plan_shows_band_price_source_sizes_and_measure() -> None:
    text = plan_text(PLAN).plain
    for words in (
        "≈ $71.25   $61.50 to $88.75   $0.00237 a picture",
        "at least 2d 00h by its quotas (requests/day)",
        "▲ With a longest side of 512 pixels",
        "$0.15 in, $0.60 out, $0.075 cached in, per million tokens",
        "genai-prices 0.2.3: list price of OpenAI, gpt-4o-mini, as of 2026-11-09",
        "2 earlier runs of this recipe and model: input 1.08 × the estimate, 300 tokens a reply, 1.05 requests",
        "at most $140.00 if every picture takes 1 request",
    ):
        assert words in text


def test_a_row_of_the_table_of_sizes_answers_what_a_field_would_hold() -> None:
    rows = [size_row(row, PLAN) for row in PLAN.sizes]
    assert [row.id for row in rows] == ["384", "600", "original"]
    assert [cell.plain for cell in rows[1].cells] == ["●", "600 px", "14k", "$71.25", "1.2 GB", "29k"]
    assert [row.cells[0].plain for row in rows] == ["", "●", ""]


def test_no_number_of_a_plan_has_the_name_of_another() -> None:
    assert "tokens each" in plan_text(PLAN).plain
    assert "tokens each" not in SIZE_COLUMNS and "picture tokens" in SIZE_COLUMNS


def test_what_takes_less_than_a_second_is_not_said_to_take_none() -> None:
    quick = replace(PLAN, expected_s=0.2, time_bounds=(TimeBound("in flight", 0.2), TimeBound("requests/min", 0.1)))
    assert "at least a fraction of a second at the latency measured earlier" in plan_text(quick).plain
    assert bound_words(quick) == "a fraction of a second (in flight); a fraction of a second (requests/min)"


def test_the_band_names_its_parts_the_largest_first() -> None:
    assert band_parts(PLAN) == [
        "−$2.70/+$5.40 reply length: no earlier run; the recipe expects 300 tokens",
        "+$3.50 asked again: replies that cannot be used are paid too",
        "±$0.40 prompt tokens: 4 bytes a token is a rule of thumb",
    ]


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2026-11-09", "a contract, as of 2026-11-09"),
        ("list of 2026-11-09", "a contract, list of 2026-11-09"),
        ("", "a contract"),
    ],
)
def test_the_day_of_a_price_and_the_day_of_a_list_are_told_apart(as_of: str, words: str) -> None:
    prices = EndpointPrices(
        input_per_million=Decimal(1), output_per_million=Decimal(1), source="a contract", as_of=as_of
    )
    assert price_source(prices, listed=True) == words


def test_the_most_says_what_it_assumes() -> None:
    most = replace(PLAN, most_requests=4)
    assert most_words(most) == "$140.00 if every picture takes 4 requests and every reply is as long as allowed"
    assert most_words(PLAN) == "$140.00 if every picture takes 1 request and every reply is as long as allowed"
    assert most_words(replace(PLAN, cost_most=None)) == ""


def test_prices_are_shown_in_full() -> None:
    prices = EndpointPrices(input_per_million=Decimal("0.0375"), output_per_million=Decimal("15"))
    assert price_words(prices) == "$0.0375 in, $15.00 out, per million tokens"


def test_a_narrow_column_has_both_prices_in_full() -> None:
    prices = EndpointPrices(input_per_million=Decimal("0.0375"), output_per_million=Decimal("15"))
    assert short_prices(prices) == "0.0375, 15.00"
