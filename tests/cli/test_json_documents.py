"""The JSON that scripts rely on: names of keys, kinds of values."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import PICTURES, Place
from vqa_tui.domain.plain_json import as_json, plain
from vqa_tui.domain.run import Phase

RUN_KEYS = {
    "": "id name phase phase_reason intent counts samples cost tokens rate latency keys failures eta_s why_idle engine "
    "throttles throttle_history bytes_per_s calibration limits limits_in_force",
    "counts": "pending leased done failed skipped",
    "cost": "spent reserved projected projected_low projected_high cap",
    "tokens": "input output",
    "rate": "per_second",
    "latency": "p50_ms p95_ms",
    "engine": "alive pid",
}
KEY_KEYS = {"name", "group", "state", "reason", "requests", "errors", "rate_limited", "gauges"}


def document(place: Place, *command: str) -> Any:
    return json.loads(place.ok(*command, "--json"))


def test_run_show_has_the_keys_that_scripts_rely_on(finished: Place) -> None:
    run = document(finished, "run", "show", "first")
    for part, names in RUN_KEYS.items():
        assert set(names.split()) <= set(run[part] if part else run)
    assert run["counts"] == {"pending": 0, "leased": 0, "done": PICTURES, "failed": 0, "skipped": 0}
    assert run["phase"] == "done"
    assert run["samples"] >= PICTURES
    assert run["engine"]["alive"] is False
    assert run["failures"] == {}
    assert [key["name"] for key in run["keys"]] == ["a", "b", "c"]
    assert all(set(key) >= KEY_KEYS for key in run["keys"])
    assert sum(key["requests"] for key in run["keys"]) >= PICTURES


def test_the_limits_that_hold_are_told_with_what_would_hold(finished: Place) -> None:
    run = document(finished, "run", "show", "first")
    limits = {limit["name"]: limit for limit in run["limits_in_force"]}
    assert {"budget", "concurrency", "max_attempts", "max_side", "hedge", "rpm.a", "rpd.c"} <= set(limits)
    assert limits["concurrency"]["value"] == run["limits"]["concurrency"] == limits["concurrency"]["own"]
    assert limits["hedge"]["value"] is False and limits["rpm.a"]["overridden"] is False


def test_money_is_a_number_of_dollars(finished: Place) -> None:
    cost = document(finished, "run", "show", "first")["cost"]
    assert isinstance(cost["spent"], float) and 0 < cost["spent"] < 1
    assert cost["reserved"] == 0
    assert cost["cap"] is None
    (listed,) = document(finished, "run", "list")
    assert listed["spent"] == cost["spent"]


def test_items_come_as_one_list(finished: Place) -> None:
    items = document(finished, "item", "list", "first")
    assert len(items) == PICTURES
    assert {"id", "item_key", "status", "kind", "attempts", "cost", "samples"} <= set(items[0])
    assert document(finished, "item", "list", "first", "--status", "failed") == []
    assert len(document(finished, "item", "list", "first", "--search", "000003")) == 1


def test_an_item_shows_prompt_attempts_and_pairs(finished: Place) -> None:
    item = document(finished, "item", "show", "first", "images/000003.jpg")
    assert item["row"]["status"] == "done"
    assert item["item"]["truth"]["boxes"]
    assert "Ground truth" in item["prompt"]
    assert item["attempts"][0]["http_status"] == 200
    assert item["samples"][0]["question"]
    by_number = document(finished, "item", "show", "first", str(item["row"]["id"]))
    assert by_number == item


LISTS_AND_SHOWS = ["dataset list", "dataset show scans", "recipe list", "recipe show stcray"]
LISTS_AND_SHOWS += ["endpoint list", "endpoint show gemini", "doctor"]


@pytest.mark.parametrize("command", LISTS_AND_SHOWS)
def test_every_list_and_show_has_json(finished: Place, command: str) -> None:
    assert document(finished, *command.split())


def test_an_import_reports_in_json(place: Place) -> None:
    (source,) = {each["source"] for each in document(place, "dataset", "list")}
    report = document(place, "dataset", "import", "stcray", source, "--name", "scans")
    assert (report["added"], report["unchanged"], report["problems"]) == (0, PICTURES, 0)


@dataclass
class Sample:
    phase: Phase
    dollars: Decimal
    path: PurePosixPath
    share: float
    names: frozenset[str]


def test_every_kind_of_value_has_a_json_form() -> None:
    sample = Sample(Phase.DONE, Decimal("0.000000001"), PurePosixPath("a/b"), float("nan"), frozenset({"x"}))
    assert plain(sample) == {"phase": "done", "dollars": 1e-09, "path": "a/b", "share": None, "names": ["x"]}
    with pytest.raises(TypeError, match="object has no JSON form"):
        plain({"what": object()})


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_survives_and_stays_ascii(text: str) -> None:
    written = as_json({text: text})
    assert written.isascii() and written.isprintable()
    assert json.loads(written) == {text: text}


@given(st.integers(min_value=0, max_value=10**15))
def test_dollars_are_exact_to_a_billionth(nano: int) -> None:
    dollars = Decimal(nano) / 10**9
    assert round(Decimal(repr(plain(dollars))) * 10**9) == nano


def test_moving_items_says_how_many_and_why_not(place: Place) -> None:
    start = ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--name", "first", "--yes")
    place.ok(*start, "--limit", "3")
    items = [item["item_key"] for item in document(place, "item", "list", "first")]
    left = [{"item_key": key, "status": "done"} for key in items[:2]]
    assert document(place, "item", "retry", "first", *items[:2]) == {"changed": 0, "left": left}
    assert document(place, "item", "skip", "first", *items[:2]) == {"changed": 0, "left": left}
    assert document(place, "run", "retry", "first") == {"changed": 0}
    said = place.ok("item", "retry", "first", items[0])
    assert said == f"0 pictures put back into the queue.\n{items[0]} is done: only failed pictures are asked again.\n"
    assert "only pictures that wait or failed can be taken out" in place.ok("item", "skip", "first", items[0])
