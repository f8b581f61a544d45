"""Estimates of one request: what is expected, and a bound that no honest bill passes."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import RenderedPrompt
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.item import GroundTruth, Item, PictureFacts
from vqa_tui.engine.estimate import Estimator, sent_size

RECIPE = Recipe.model_validate(
    {
        "name": "r",
        "prompt": {"user": "u"},
        "reply": {"kind": "text", "question": "q"},
        "expected_output_tokens": 90,
    }
)
sides = st.integers(min_value=1, max_value=20_000)


def endpoint(**more: Any) -> Endpoint:
    prices = {"input_per_million": "0.3", "output_per_million": "2.5"}
    fields = {"name": "e", "kind": "embedded", "model": "m", "keys": [{"name": "k"}], "prices": prices}
    return Endpoint.model_validate(fields | {"image_tokens": {"rule": "gemini_tiles"}} | more)


def item(width: int = 640, height: int = 480) -> Item:
    return Item(1, 1, "a", "a.jpg", PictureFacts("JPEG", width, height, 1000, "0", 1, 0), None, GroundTruth())


def test_the_plain_estimate_counts_text_picture_and_reply() -> None:
    estimate = Estimator(RECIPE, endpoint()).request(
        item(), RenderedPrompt("s" * 100, "u" * 300), max_side=None, max_tokens=1000
    )
    assert (estimate.size.input_tokens, estimate.size.output_tokens) == (400 // 4 + 20 + 1032, 90)


def test_the_bound_takes_each_byte_as_a_token_and_the_longest_reply() -> None:
    estimate = Estimator(RECIPE, endpoint()).request(item(), RenderedPrompt("", "é" * 100), max_side=384, max_tokens=50)
    most_input = 200 + 60 + 323
    assert estimate.upper_bound_nano == most_input * 300 + 50 * 2500
    assert estimate.size.output_tokens == 50


def test_without_prices_there_is_no_bound() -> None:
    asked = Estimator(RECIPE, endpoint(prices=None))
    assert asked.request(item(), RenderedPrompt("", "u"), max_side=None, max_tokens=9).upper_bound_nano == 0


@given(st.text(max_size=300), sides, sides, st.none() | st.integers(16, 4000), st.integers(1, 5000), st.data())
def test_no_bill_with_a_token_a_byte_and_the_rules_own_picture_passes_the_bound(
    text: str, width: int, height: int, max_side: int | None, max_tokens: int, data: st.DataObject
) -> None:
    prices = {
        "input_per_million": "0.3",
        "output_per_million": "2.5",
        "cached_input_per_million": data.draw(st.sampled_from([None, "0.03", "0.4"])),
        "image_input_per_million": data.draw(st.sampled_from([None, "0.1", "1.2"])),
        "cache_write_per_million": data.draw(st.sampled_from([None, "0.375"])),
    }
    asked = endpoint(prices=prices)
    estimator = Estimator(RECIPE, asked)
    estimate = estimator.request(
        item(width, height), RenderedPrompt("", text), max_side=max_side, max_tokens=max_tokens
    )
    picture = estimator.picture_tokens(width, height, max_side)
    read = len(text.encode("utf-8", "replace")) + picture
    part = st.integers(0, read)
    usage = Usage(read, max_tokens, data.draw(part), data.draw(part), data.draw(part))
    assert asked.prices is not None
    assert asked.prices.prices.cost_nano(usage) <= estimate.upper_bound_nano
    assert estimate.size.input_tokens <= read + 20


@given(sides, sides, st.none() | st.integers(16, 4000))
def test_a_sent_picture_keeps_its_shape_and_fits(width: int, height: int, max_side: int | None) -> None:
    sent = sent_size(width, height, max_side)
    assert min(sent) >= 1 and max(sent) == min(max(width, height), max_side or max(width, height))
    if max(sent) < max(width, height):
        assert min(sent) == pytest.approx(min(width, height) * max(sent) / max(width, height), abs=1)
    assert Decimal(sent[0]) <= width and Decimal(sent[1]) <= height


def test_a_picture_is_estimated_no_larger_than_the_endpoint_takes_it() -> None:
    limited = endpoint(image_tokens={"rule": "pixels", "pixels_per_token": 1}, picture={"max_side": 100})
    estimator = Estimator(RECIPE, limited)
    assert estimator.picture_tokens(200, 100, None) == estimator.picture_tokens(200, 100, 150) == 100 * 50
    assert estimator.picture_tokens(200, 100, 50) == 50 * 25
