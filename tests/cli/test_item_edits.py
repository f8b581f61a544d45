"""`item list --filter --sort`, and moving items and taking that back."""

import json
from typing import Any

from tests.cli.conftest import PICTURES, Place

START = ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--name", "first", "--yes")


def listed(place: Place, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place.ok("item", "list", "first", *options, "--json"))
    return found


def test_the_filter_is_that_of_the_terminal_app(finished: Place) -> None:
    assert len(listed(finished, "--filter", "status:done cost>0 attempts:1")) == PICTURES
    assert listed(finished, "--filter", "cost>1") == []
    both = listed(finished, "--filter", "0003", "--status", "done")
    assert [item["item_key"] for item in both] == ["images/000003.jpg"]
    assert "Did you mean attempts:>1?" in finished.refused("item", "list", "first", "--filter", "atempts:>1")
    assert listed(finished, "--filter", '"0003', "--status", "failed") == []


def test_sorting(finished: Place) -> None:
    costs = [item["cost"] for item in listed(finished, "--sort", "cost")]
    assert costs == sorted(costs) and costs[0] > 0
    ids = [item["id"] for item in listed(finished, "--reverse")]
    assert ids == sorted(ids, reverse=True)
    assert listed(finished, "--sort", "latency")[0]["latency_ms"] > 0
    assert "Did you mean cost?" in finished.refused("item", "list", "first", "--sort", "csot")


def test_requeue_says_what_it_costs_and_undo_takes_it_back(place: Place) -> None:
    place.ok(*START, "--limit", "3")
    items = [item["item_key"] for item in listed(place)]
    said = place.refused("item", "requeue", "first", items[0])
    assert "1 is done" in said and "replaced when the new reply comes" in said and "--yes" in said
    number = str(listed(place)[0]["id"])
    assert place.refused("item", "requeue", "first", items[0], items[0], number) == said
    assert [item["status"] for item in listed(place)] == ["done"] * 3
    assert "there is nothing to take back" in place.refused("item", "undo", "first")
    assert "name pictures, or choose them with --filter" in place.refused("item", "requeue", "first")
    assert "or choose them with --filter" in place.refused("item", "skip", "first", items[0], "--filter", "status:done")
    assert "0 pictures taken out of the queue." in place.ok("item", "skip", "first", "--filter", "status:done")


def test_skip_and_undo_of_what_waits(place: Place) -> None:
    place.ok(
        "run", "start", "scans", "--recipe", "stcray", "--endpoint", place.slow_endpoint, "--name", "first",
        "--pilot", "1", "--detach",
    )  # fmt: skip
    place.ok("run", "stop", "first")
    asked = place.refused("item", "skip", "first", "--filter", "status:pending")
    assert "will not be asked" in asked
    moved = json.loads(place.ok("item", "skip", "first", "--filter", "status:pending", "--yes", "--json"))
    assert moved["changed"] > 0 and moved["left"] == []
    assert {item["status"] for item in listed(place)} <= {"skipped", "done", "leased"}
    back = json.loads(place.ok("item", "undo", "first", "--json"))
    assert back == {"verb": "skip", "tasks": moved["changed"], "restored": moved["changed"]}
    again = json.loads(place.ok("item", "skip", "first", "--filter", "status:pending", "--yes", "--json"))
    assert again["changed"] == moved["changed"]
    assert f"skip: {moved['changed']} of {moved['changed']} taken back." in place.ok("item", "undo", "first")
