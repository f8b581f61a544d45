"""Prices of a public list: found by address and name, never guessed, never over the network."""

import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from vqa_tui.config import price_list
from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.price_list import LIST_OF, listed_prices

GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai/"


def endpoint(model: str, address: str, **more: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "e", "base_url": address, "model": model, "keys": [{"name": "k"}], **more})


def price(**numbers: str) -> ModelPrice:
    return ModelPrice(**{key: Decimal(value) for key, value in numbers.items()})


def vendor(identity: str, *models: ModelInfo, address: str = "", named: str = "") -> Provider:
    return Provider(
        id=identity,
        name=identity.title(),
        api_pattern=address or rf"https://api\.{identity}\.com",
        model_match=ClauseEquals(named) if named else None,
        models=list(models),
    )


def model(name: str, prices: Any, variants: list[PriceVariant] | None = None) -> ModelInfo:
    return ModelInfo(id=name, match=ClauseEquals(name), prices=prices, price_variants=variants)


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a list of our own in the place of the package's."""

    def put(*vendors: Provider) -> None:
        monkeypatch.setattr(price_list, "_providers", lambda: list(vendors))
        price_list._newest.cache_clear()

    yield put
    price_list._newest.cache_clear()


@pytest.mark.parametrize(
    ("name", "address", "vendor_name"),
    [
        ("gemini-2.5-flash", GOOGLE, "Google"),
        ("models/gemini-2.5-flash", GOOGLE, "Google"),
        ("gpt-4o-mini", "https://api.openai.com/v1", "OpenAI"),
        ("gpt-4o-mini-2024-07-18", "https://api.openai.com/v1", "OpenAI"),
        ("gpt-4o", "https://mine.openai.azure.com/openai/v1", "Microsoft Azure"),
        ("claude-sonnet-4-5", "https://api.anthropic.com/v1/", "Anthropic"),
        ("openai/gpt-4o-mini", "https://gateway.example.com/v1", "OpenAI"),
        ("gemini-2.5-flash", "https://gateway.example.com/v1", "Google"),
    ],
)
def test_the_package_knows_these_and_says_where_they_are_from(name: str, address: str, vendor_name: str) -> None:
    found = listed_prices(endpoint(name, address))
    assert found is not None and found.input_per_million > 0 and found.output_per_million > found.input_per_million
    assert found.source.startswith("genai-prices ") and f"list price of {vendor_name}, " in found.source
    assert date(2025, 1, 1) <= date.fromisoformat(found.as_of.removeprefix(LIST_OF)) <= datetime.now(UTC).date()


def test_the_price_of_a_model_that_has_not_changed_for_years() -> None:
    found = listed_prices(endpoint("gpt-4o-mini", "https://api.openai.com/v1"))
    assert found is not None
    assert (found.input_per_million, found.output_per_million) == (Decimal("0.15"), Decimal("0.6"))
    assert found.cached_input_per_million == Decimal("0.075")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("gpt-4o-mini", "http://localhost:8000/v1"),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gpt-4o-mini", "http://192.168.1.20/v1"),
        ("gpt-4o-mini", "https://gateway.internal/v1"),
        ("my-own-model", "https://api.openai.com/v1"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "https://models.example.com/v1"),
        ("some-gpt-4o-mini-of-ours", "https://models.example.com/v1"),
        ("qwen/qwen2.5-vl-72b-instruct:free", "https://openrouter.ai/api/v1"),
        ("text-embedding-3-small", "https://api.openai.com/v1"),
        ("gpt-4o" * 100, "https://api.openai.com/v1"),
    ],
)
def test_what_is_not_known_for_certain_has_no_price(name: str, address: str) -> None:
    assert listed_prices(endpoint(name, address)) is None


def test_the_embedded_endpoint_has_no_list_price() -> None:
    assert listed_prices(endpoint("gpt-4o-mini", "", kind="embedded")) is None


def test_a_host_that_only_looks_like_a_vendor_is_not_taken_for_it(listing: Any) -> None:
    listing(vendor("acme", model("m", price(input_mtok="1", output_mtok="2"))))
    assert listed_prices(endpoint("m", "https://api.acme.com/v1")) is not None
    assert listed_prices(endpoint("m", "https://api.acme.com:8443/v1")) is not None
    assert listed_prices(endpoint("m", "https://api.acme.com.example.net/v1")) is None
    listing(vendor("acme", model("m", price(input_mtok="1", output_mtok="2")), address=r"https://(.*\.)?acme\.com"))
    assert listed_prices(endpoint("m", "https://eu.acme.com/v1")) is not None
    assert listed_prices(endpoint("m", "https://example.net/v1/x.acme.com")) is None


def test_two_vendors_with_different_prices_are_no_answer(listing: Any) -> None:
    first = vendor("acme", model("m", price(input_mtok="1", output_mtok="2")), named="m")
    listing(first, vendor("brand", model("m", price(input_mtok="1", output_mtok="3")), named="m"))
    assert listed_prices(endpoint("m", "https://gateway.example.com/v1")) is None
    found = listed_prices(endpoint("m", "https://api.brand.com/v1"))
    assert found is not None and found.output_per_million == 3
    listing(first, vendor("brand", model("m", price(input_mtok="1", output_mtok="2")), named="m"))
    assert listed_prices(endpoint("m", "https://gateway.example.com/v1")) is not None


@pytest.mark.parametrize(
    "prices",
    [
        price(input_mtok="0", output_mtok="0"),
        price(input_mtok="0", output_mtok="2"),
        price(input_mtok="2", output_mtok="0"),
        price(input_mtok="2"),
        price(input_mtok="1", output_mtok="2", requests_kcount="5"),
        ModelPrice(),
    ],
)
def test_a_price_of_zero_and_a_charge_beside_tokens_are_unknown(listing: Any, prices: ModelPrice) -> None:
    listing(vendor("acme", model("m", prices)))
    assert listed_prices(endpoint("m", "https://api.acme.com/v1")) is None


def test_parts_of_input_have_prices_of_their_own_and_a_zero_is_a_gap(listing: Any) -> None:
    prices = price(input_mtok="1", output_mtok="2", input_image_mtok="3", cache_read_mtok="0", cache_write_mtok="1.25")
    listing(vendor("acme", model("m", prices)))
    found = listed_prices(endpoint("m", "https://api.acme.com/v1"))
    assert found is not None
    assert found.image_input_per_million == 3 and found.cached_input_per_million is None
    assert found.cache_write_per_million == Decimal("1.25")


def test_a_request_above_a_tier_pays_its_price(listing: Any) -> None:
    tiers = ModelPrice(
        input_mtok=TieredPrices(Decimal(1), [Tier(200_000, Decimal(2)), Tier(500_000, Decimal(4))]),
        output_mtok=TieredPrices(Decimal(10), [Tier(200_000, Decimal(15))]),
    )
    listing(vendor("acme", model("m", tiers)))
    asked = endpoint("m", "https://api.acme.com/v1")
    for tokens, wanted in ((2_000, [1, 10]), (200_000, [1, 10]), (200_001, [2, 15]), (900_000, [4, 15])):
        found = listed_prices(asked, input_tokens=tokens)
        assert found is not None and [found.input_per_million, found.output_per_million] == wanted


def test_the_price_of_the_day_counts_and_says_since_when(listing: Any) -> None:
    prices = [
        ConditionalPrice(None, prices=price(input_mtok="1", output_mtok="2")),
        ConditionalPrice(StartDateConstraint(date(2026, 3, 1)), prices=price(input_mtok="3", output_mtok="4")),
        ConditionalPrice(StartDateConstraint(date(2027, 1, 1)), prices=price(input_mtok="5", output_mtok="6")),
    ]
    listing(vendor("acme", model("m", prices)))
    asked = endpoint("m", "https://api.acme.com/v1")
    days = {
        datetime(2026, 2, 28, tzinfo=UTC): 1,
        datetime(2026, 3, 1, tzinfo=UTC): 3,
        datetime(2027, 6, 1, tzinfo=UTC): 5,
    }
    for day, wanted in days.items():
        found = listed_prices(asked, at=day)
        assert found is not None and found.input_per_million == wanted
    found = listed_prices(asked, at=datetime(2026, 6, 1, tzinfo=UTC))
    assert found is not None and found.as_of == "2026-03-01"


def test_a_price_whose_day_is_not_told_is_of_the_day_of_the_list(listing: Any) -> None:
    dated = [
        ConditionalPrice(None, prices=price(input_mtok="1", output_mtok="2")),
        ConditionalPrice(StartDateConstraint(date(2026, 3, 1)), prices=price(input_mtok="3", output_mtok="4")),
    ]
    listing(vendor("acme", model("old", price(input_mtok="1", output_mtok="2")), model("new", dated)))
    told = [listed_prices(endpoint(name, "https://api.acme.com/v1")) for name in ("old", "new")]
    assert [each.as_of if each else None for each in told] == ["list of 2026-03-01", "2026-03-01"]


TIERS = [
    PriceVariant(when={"service_tier": "default"}, prices=ModelPrice()),
    PriceVariant(when={"service_tier": "flex"}, prices=price(input_mtok="1", output_mtok="4", cache_read_mtok="0.1")),
    PriceVariant(when={"service_tier": "priority"}, prices=price(input_mtok="4")),
    PriceVariant(when={"processing": "batch"}, prices=price(input_mtok="100", output_mtok="100")),
    PriceVariant(
        when={"service_tier": "scale"},
        prices=price(input_mtok="50"),
        constraint=StartDateConstraint(date(2099, 1, 1)),
    ),
    PriceVariant(when={"speed": "fast"}, prices=price(input_mtok="12", output_mtok="48")),
]


@pytest.mark.parametrize(
    ("here", "recipe", "wanted"),
    [
        ({}, {}, ["2", "8", "0.2"]),
        ({"service_tier": "default"}, {}, ["2", "8", "0.2"]),
        ({"service_tier": "flex"}, {}, ["1", "4", "0.1"]),
        # What a tier does not state costs as ever.
        ({"service_tier": "priority"}, {}, ["4", "8", "0.2"]),
        ({}, {"service_tier": "priority"}, ["4", "8", "0.2"]),
        ({"service_tier": "priority"}, {"service_tier": "flex"}, ["1", "4", "0.1"]),
        ({"service_tier": "flex"}, {"service_tier": None}, ["2", "8", "0.2"]),
        # The account's settings decide, so the dearest counts; a batch is no tier.
        ({"service_tier": "auto"}, {}, ["4", "8", "0.2"]),
        ({"speed": "fast"}, {}, ["12", "48", "0.2"]),
        ({"service_tier": "scale"}, {}, None),
        ({"service_tier": "gold"}, {}, None),
        ({"service_tier": ["flex"]}, {}, None),
        ({"processing": "batch"}, {}, ["2", "8", "0.2"]),
    ],
)
def test_the_tier_that_is_asked_for_has_its_price(
    listing: Any, here: dict[str, Any], recipe: dict[str, Any], wanted: list[str] | None
) -> None:
    listing(vendor("acme", model("m", price(input_mtok="2", output_mtok="8", cache_read_mtok="0.2"), TIERS)))
    found = listed_prices(endpoint("m", "https://api.acme.com/v1", extra_body=here), extra_body=recipe)
    if wanted is None:
        assert found is None
    else:
        assert found is not None
        told = [found.input_per_million, found.output_per_million, found.cached_input_per_million]
        assert told == [Decimal(each) for each in wanted]


def test_the_package_lists_tiers_of_openai_and_says_which_one_it_is() -> None:
    asked = endpoint("gpt-5.4", "https://api.openai.com/v1")
    plain, dearer, dearest = (
        listed_prices(asked, extra_body={"service_tier": tier} if tier else {}) for tier in ("", "priority", "auto")
    )
    assert plain is not None and dearer is not None and dearest is not None
    assert dearer.input_per_million > plain.input_per_million and dearer.output_per_million > plain.output_per_million
    assert dearest.prices == dearer.prices
    assert dearer.source.endswith("gpt-5.4, service_tier priority") and plain.source.endswith("gpt-5.4")


def test_of_prices_by_the_hour_the_dearest_counts(listing: Any) -> None:
    night = TimeOfDateConstraint(time(16, 30, tzinfo=UTC), time(0, 30, tzinfo=UTC))
    prices = [
        ConditionalPrice(None, prices=price(input_mtok="1", output_mtok="4")),
        ConditionalPrice(night, prices=price(input_mtok="0.5", output_mtok="2")),
    ]
    listing(vendor("acme", model("m", prices)))
    found = listed_prices(endpoint("m", "https://api.acme.com/v1"), at=datetime(2026, 6, 1, 20, tzinfo=UTC))
    assert found is not None and [found.input_per_million, found.output_per_million] == [1, 4]


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert listed_prices(endpoint("gpt-4o", "https://api.openai.com/v1")) is not None


def test_the_list_is_loaded_only_when_a_price_is_looked_up() -> None:
    code = "import sys, vqa_tui.cli.main, vqa_tui.operations.planning; print('genai_prices' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "False"
