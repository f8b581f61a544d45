"""Freezing: equal things give equal text, and nothing is lost on the way back."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint, EndpointPrices, KeyConfig
from vqa_tui.config.freeze import fingerprint, freeze, thaw_endpoint, thaw_recipe
from vqa_tui.config.recipe import PromptTemplates, Recipe, ReplyFormat, VideoRules
from vqa_tui.domain.failure import VqaError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def recipe(variables: dict[str, Any]) -> Recipe:
    return Recipe(
        name="r", prompt=PromptTemplates(user="Describe it."), reply=ReplyFormat(kind="json_pairs"), variables=variables
    )


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), json_values, max_size=4))
def test_a_recipe_comes_back_as_it_was(variables: dict[str, Any]) -> None:
    frozen = freeze(recipe(variables))
    assert frozen.isascii()
    assert thaw_recipe(frozen) == recipe(variables)
    assert freeze(thaw_recipe(frozen)) == frozen


def test_a_clip_without_sound_is_frozen_as_if_there_were_none() -> None:
    silent, loud = recipe({}), recipe({}).model_copy(update={"video": VideoRules(send="data", sound=True)})
    assert "sound" not in freeze(silent) and json.loads(freeze(loud))["video"]["sound"] is True
    assert thaw_recipe(freeze(loud)) == loud
    with pytest.raises(ValidationError, match="send: data"):
        VideoRules(send="frames", sound=True)


def test_the_order_of_keys_does_not_matter_and_decimals_are_exact() -> None:
    assert freeze(recipe({"a": 1, "b": 2})) == freeze(recipe({"b": 2, "a": 1}))
    prices = EndpointPrices(input_per_million=Decimal("0.1"), output_per_million=Decimal("0.30"))
    endpoint = Endpoint(
        name="e", base_url="http://localhost/v1", model="m", keys=(KeyConfig(name="k", env="K"),), prices=prices
    )
    assert json.loads(freeze(endpoint))["prices"]["output_per_million"] == "0.30"
    assert thaw_endpoint(freeze(endpoint)) == endpoint


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(VqaError, match="r holds a value that JSON cannot"):
        freeze(recipe({"x": object()}))


@pytest.mark.parametrize("text", ["", "{}", '{"name": "r", "from_the_future": 1}'])
def test_a_stored_text_of_another_version_is_explained(text: str) -> None:
    with pytest.raises(VqaError, match="the stored recipe cannot be read by this version"):
        thaw_recipe(text)


def test_the_fingerprint_sees_boundaries() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc") != fingerprint("abc")
    assert len(fingerprint("ab")) == 64
