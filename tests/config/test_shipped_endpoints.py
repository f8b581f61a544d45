"""The endpoint files that come with the product."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import freeze, thaw_endpoint
from vqa_tui.config.image_token_rule import ImageTokenRule
from vqa_tui.config.load import list_endpoints, load_endpoint
from vqa_tui.config.price_list import listed_prices
from vqa_tui.domain.image_tokens import picture_tokens
from vqa_tui.paths import shipped_configs

FOLDER = shipped_configs() / "endpoints"
NAMES = [
    "anthropic",
    "azure",
    "cloudera-gateway",
    "demo",
    "embedded",
    "gemini",
    "ollama",
    "openai",
    "openrouter",
    "transformers-serve",
    "vertex",
    "vllm",
]


def test_exactly_these_are_shipped_and_all_are_sound() -> None:
    listed = list_endpoints([FOLDER])
    assert [each.name for each in listed] == NAMES
    assert [each.problem for each in listed] == [""] * len(NAMES)
    assert all(each.description for each in listed)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_costs_and_where_that_is_from(name: str) -> None:
    endpoint = load_endpoint(name, folders=[FOLDER])
    prices = endpoint.prices or listed_prices(endpoint)
    assert prices is not None and prices.source and prices.as_of
    assert endpoint.image_tokens.meaningless == []
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


@pytest.mark.parametrize(
    ("name", "keys"), [("gemini", 2), ("openai", 2), ("anthropic", 2), ("vertex", 2), ("embedded", 3)]
)
def test_the_commented_examples_can_be_switched_on(name: str, keys: int, tmp_path: Path) -> None:
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    switched_on, count = re.subn(r"(?m)^  # ((?:- |  )?[a-z_]+: )", r"  \1", text)
    copy = tmp_path / "copy.yaml"
    copy.write_text(switched_on, "utf-8")
    endpoint = load_endpoint(str(copy), folders=[])
    assert count >= 3 and len(endpoint.keys) == keys
    assert name != "embedded" or (endpoint.embedded.fail and endpoint.embedded.bad_keys == ("b",))


def test_the_advice_on_other_models_of_openai_can_be_followed() -> None:
    text = (FOLDER / "openai.yaml").read_text("utf-8")
    rules: dict[str, ImageTokenRule] = {}
    for models, advice in re.findall(r"(?m)^#   (gpt-\S.*?|o\d.*?)  +(rule openai_.*)$", text):
        rule = ImageTokenRule.model_validate(dict(part.split() for part in advice.split(", ")))
        assert rule.meaningless == []
        rules |= dict.fromkeys(models.split(", "), rule)
    # OpenAI, images and vision guide.
    assert (rules["gpt-5.5"].patches, rules["gpt-5.5"].long_side) == (10_000, 6000)
    assert (rules["gpt-5.4"].patches, rules["gpt-5.4"].long_side) == (2500, None)
    multipliers = {"gpt-4.1": ("1.62", "2.46"), "gpt-5": ("1.62", "2.46"), "gpt-5.4": ("1.62", "2.46")}
    for family, (mini, nano) in multipliers.items():
        told = [rules[f"{family}-{size}"] for size in ("mini", "nano")]
        assert [str(rule.multiplier) for rule in told] == [mini, nano] and {rule.patches for rule in told} == {1536}
    assert picture_tokens(rules["gpt-5.5"], 3000, 2000) == 94 * 63


def test_claude_counts_pictures_by_the_tier_of_its_model() -> None:
    # platform.claude.com, vision: 1920 × 1080 is 2,691 tokens since Claude 4.7; former models shrink it to 1,568.
    anthropic = load_endpoint("anthropic", folders=[FOLDER])
    older = re.search(r"long_side (\d+), max_tokens (\d+)", (FOLDER / "anthropic.yaml").read_text("utf-8"))
    assert older is not None
    former = ImageTokenRule(rule="claude", long_side=int(older[1]), max_tokens=int(older[2]))
    assert picture_tokens(anthropic.image_tokens, 1920, 1080) == 2691
    assert picture_tokens(former, 1920, 1080) == picture_tokens(ImageTokenRule(rule="claude"), 1920, 1080) < 1568
    assert anthropic.picture.side(None) == 8000 and anthropic.picture.side(1024) == 1024


def test_what_is_only_a_pattern_says_so() -> None:
    stand_ins = {name: load_endpoint(name, folders=[FOLDER]).placeholder for name in NAMES}
    assert {name: found for name, found in stand_ins.items() if found} == {
        "azure": "YOUR-RESOURCE",
        "vertex": "YOUR-PROJECT",
    }


def test_azure_takes_its_key_in_a_header_of_its_own() -> None:
    azure = load_endpoint("azure", folders=[FOLDER])
    assert (azure.key_header, azure.query) == ("api-key", {"api-version": "2024-10-21"})
    with pytest.raises(ValidationError, match="servers write into their logs"):
        Endpoint.model_validate({**azure.model_dump(), "query": {"Key": "x"}})
