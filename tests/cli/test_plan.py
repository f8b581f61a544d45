"""`vqa-tui plan`: says what a run would take and starts nothing; `run start` says the same before it starts."""

import json
import re

from tests.cli.conftest import PICTURES, Place

GATEWAY = """\
name: gateway
base_url: https://gateway.example.com/v1
model: MODEL
keys: [{name: a}]
quota: {requests_per_minute: 30, requests_per_day: 5}
image_tokens: {rule: openai_patches, multiplier: 1.62}
"""
LISTED = r"list price of OpenAI, gpt-5-mini, (as|list) of 20\d\d-\d\d-\d\d"
PLAN_KEYS = {
    *("items", "prompt_tokens_per_item", "picture_tokens_per_item", "output_tokens_per_item", "cost_per_item"),
    *("cost_total", "cost_low", "cost_high", "cost_most", "band", "prices", "prices_listed", "sizes", "sizes_exact"),
    *("time_bounds", "expected_s", "warnings", "most_requests"),
}


def plan(place: Place, *options: str, endpoint: str = "embedded") -> tuple[str, ...]:
    return ("plan", "scans", "--recipe", "stcray", "--endpoint", endpoint, *options)


def gateway(place: Place, model: str) -> str:
    path = place.folder / "gateway.yaml"
    path.write_text(GATEWAY.replace("MODEL", model))
    return str(path)


def test_a_plan_says_what_it_would_take_and_starts_nothing(place: Place) -> None:
    result = place.call(*plan(place, "--budget", "1"))
    assert result.exit_code == 0, result.output
    for words in (
        f"pictures     {PICTURES}",
        "cost         about $",
        "band         ",
        "reply length: no earlier run",
        "at most      $",
        "if every picture takes 4 requests and every reply is as long as allowed",
        "$0.10 in, $0.40 out, per million tokens",
        "nothing is billed, as of 2026-11-21",
        "budget       $1.00",
        "longest side",
        "384 px",
        "original",
    ):
        assert words in result.stdout
    assert [line.split()[1] for line in result.stdout.splitlines() if line.startswith("▸")] == ["1"]
    assert "The embedded endpoint has no model" in result.stderr
    assert json.loads(place.ok("run", "list", "--json")) == []


def test_a_size_and_a_limit_are_planned(place: Place) -> None:
    chosen = json.loads(place.ok(*plan(place, "--json", "--max-side", "384", "--limit", "4")))
    assert (chosen["items"], chosen["max_side"]) == (4, 384)
    (row,) = [row for row in chosen["sizes"] if row["chosen"]]
    assert row["max_side"] == 384 and row["cost_total"] == chosen["cost_total"]
    whole = json.loads(place.ok(*plan(place, "--json", "--max-side", "original")))
    assert whole["max_side"] is None and whole["items"] == PICTURES


def test_the_json_has_the_keys_that_scripts_rely_on(place: Place) -> None:
    document = json.loads(place.ok(*plan(place, "--json")))
    assert set(document) >= PLAN_KEYS
    assert 0 < document["cost_low"] < document["cost_total"] < document["cost_high"] < document["cost_most"]
    assert document["prices"]["as_of"] == "2026-11-21" and document["prices_listed"] is False


def test_a_listed_price_says_where_it_is_from_and_holds_a_budget(place: Place) -> None:
    known = gateway(place, "gpt-5-mini")
    result = place.call(*plan(place, "--budget", "5", endpoint=known))
    assert result.exit_code == 0, result.output
    assert "genai-prices" in result.stdout and re.search(LISTED, result.stdout)
    assert "at least     2d 00h (requests/day)" in result.stdout
    assert "from a public list" in result.stderr
    shown = place.ok("endpoint", "show", known)
    assert re.search(LISTED, shown) and "5 requests a day" in shown
    assert "picture tokens  openai_patches, multiplier 1.62" in shown


def test_programs_get_the_listed_price_with_its_source_and_day(place: Place) -> None:
    known = gateway(place, "gpt-5-mini")
    told = [json.loads(place.ok(*plan(place, "--json", endpoint=known)))]
    told.append(json.loads(place.ok("endpoint", "show", known, "--json")))
    for document in told:
        prices = document["prices"]
        assert document["prices_listed"] is True and prices["input_per_million"] > 0
        assert "list price of OpenAI, gpt-5-mini" in prices["source"] and prices["as_of"]
    assert told[0]["prices"] == told[1]["prices"]
    for name, stated in (("gemini", True), (gateway(place, "house-model-1"), False)):
        shown = json.loads(place.ok("endpoint", "show", name, "--json"))
        assert shown["prices_listed"] is False and (shown["prices"] is not None) is stated


def test_an_unknown_price_is_said_and_no_budget_is_taken(place: Place) -> None:
    unknown = gateway(place, "house-model-1")
    result = place.call(*plan(place, endpoint=unknown))
    assert result.exit_code == 0, result.output
    assert "cost         unknown" in result.stdout and "The price is unknown" in result.stderr
    assert "price of house-model-1" in place.refused(*plan(place, "--budget", "5", endpoint=unknown))
    assert "unknown; a budget cannot be held" in place.ok("endpoint", "show", unknown)


def test_bad_input_is_refused_in_words(place: Place) -> None:
    assert "--max-side: 'huge'" in place.refused(*plan(place, "--max-side", "huge"))
    assert "--budget: 'much'" in place.refused(*plan(place, "--budget", "much"))
    assert "limit must be at least 1" in place.refused(*plan(place, "--limit", "0"))
    assert "Did you mean scans?" in place.refused("plan", "scan", "--recipe", "stcray", "--endpoint", "embedded")


def test_a_run_starts_with_its_size_and_hedging_and_the_next_plan_is_measured(place: Place) -> None:
    place.ok(
        *("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--yes", "--name", "small"),
        *("--max-side", "384", "--hedge"),
    )
    limits = json.loads(place.ok("run", "show", "small", "--json"))["limits"]
    assert (limits["max_side"], limits["hedge"]) == (384, True)
    said = place.ok(*plan(place))
    assert "measured     1 earlier run of this recipe and model: input " in said
    assert "measured over" in said
