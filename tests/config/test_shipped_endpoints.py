"""The endpoint files that come with the product."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from vqa_tui.config.freeze import freeze, thaw_endpoint
from vqa_tui.config.load import list_endpoints, load_endpoint
from vqa_tui.paths import shipped_configs

FOLDER = shipped_configs() / "endpoints"
NAMES = ["cloudera-gateway", "demo", "embedded", "gemini", "openai", "vllm"]


def test_exactly_these_are_shipped_and_all_are_sound() -> None:
    listed = list_endpoints([FOLDER])
    assert [each.name for each in listed] == NAMES
    assert [each.problem for each in listed] == [""] * len(NAMES)
    assert all(each.description for each in listed)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_costs_and_where_that_is_from(name: str) -> None:
    endpoint = load_endpoint(name, folders=[FOLDER])
    assert endpoint.prices is not None and endpoint.prices.source and endpoint.prices.as_of
    assert thaw_endpoint(freeze(endpoint)) == endpoint
    assert endpoint.kind == "embedded" or endpoint.base_url.startswith(("https://", "http://localhost"))


def test_addresses_keys_and_prices() -> None:
    gemini, gateway, openai, vllm, embedded = (
        load_endpoint(name, folders=[FOLDER]) for name in ("gemini", "cloudera-gateway", "openai", "vllm", "embedded")
    )
    assert gemini.base_url == "https://generativelanguage.googleapis.com/v1beta/openai/"
    assert (gateway.base_url, gateway.keys[0].env) == ("https://ai-gateway.dev.cloudops.cloudera.com/v1", "API_KEY")
    assert (openai.image_tokens.base, openai.image_tokens.tile) == (2833, 5667)
    assert vllm.prices is not None and vllm.prices.input_per_million == 0 and vllm.keys[0].env is None
    assert embedded.prices is not None and embedded.prices.output_per_million == Decimal("0.4")
    assert [key.name for key in embedded.keys] == ["a", "b", "c"]


@pytest.mark.parametrize(("name", "keys"), [("gemini", 2), ("openai", 2), ("embedded", 3)])
def test_the_commented_examples_can_be_switched_on(name: str, keys: int, tmp_path: Path) -> None:
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    switched_on, count = re.subn(r"(?m)^  # ((?:- |  )?[a-z_]+: )", r"  \1", text)
    copy = tmp_path / "copy.yaml"
    copy.write_text(switched_on, "utf-8")
    endpoint = load_endpoint(str(copy), folders=[])
    assert count >= 3 and len(endpoint.keys) == keys
    assert name != "embedded" or (endpoint.embedded.fail and endpoint.embedded.bad_keys == ("b",))
