"""`vqa-tui review …` on a finished run: the way of a script through next, verdicts, undo, status and list."""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Place


@pytest.fixture
def reviewed(finished: Place, tmp_path: Path) -> Iterator[Place]:
    """A copy of the finished run, to write verdicts into."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    yield Place(tmp_path / "copy")


def next_pair(place: Place, *options: str) -> dict[str, Any]:
    (pair,) = json.loads(place.ok("review", "next", "first", "--json", *options))
    found: dict[str, Any] = pair
    return found


def status(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(place.ok("review", "status", "first", "--json"))
    return found


def test_a_script_judges_edits_undoes_and_lists(reviewed: Place) -> None:
    first = next_pair(reviewed)["sample"]["id"]
    assert reviewed.ok("review", "accept", "first", str(first)) == "1 pair accepted.\n"
    second = next_pair(reviewed)["sample"]["id"]
    assert second != first
    reviewed.ok("review", "edit", "first", str(second), "--answer", "Better so.", "--note", "was vague")
    third = next_pair(reviewed)["sample"]["id"]
    said = json.loads(reviewed.ok("review", "reject", "first", str(third), "--json"))
    assert said == {"verdict": "rejected", "pairs": [third]}
    found = status(reviewed)
    assert (found["accepted"], found["edited"], found["rejected"], found["reviewed"]) == (1, 1, 1, 3)
    assert found["estimate"]["counted"] == 3 and found["estimate"]["enough"] is False
    assert "defect rate" in reviewed.ok("review", "status", "first").lower()
    (edited,) = json.loads(reviewed.ok("review", "list", "first", "--verdict", "edited", "--json"))
    sample = edited["sample"]
    assert sample["edited_answer"] == "Better so." and sample["answer"] != "Better so."
    assert sample["note"] == "was vague" and sample["reviewer"]
    shown = json.loads(reviewed.ok("item", "show", "first", edited["item_key"], "--json"))
    assert any(each["edited_answer"] == "Better so." and each["answer"] for each in shown["samples"])
    assert "A as written" in reviewed.ok("item", "show", "first", edited["item_key"])
    assert "Taken back" in reviewed.ok("review", "undo", "first")
    assert status(reviewed)["rejected"] == 0
    assert str(second) in reviewed.ok("review", "list", "first")


def test_unsure_pairs_come_again_and_orders_are_named(reviewed: Place) -> None:
    pair = next_pair(reviewed, "--order", "flagged-first")["sample"]["id"]
    reviewed.ok("review", "unsure", "first", str(pair))
    assert next_pair(reviewed, "--unsure")["sample"]["id"] == pair
    text = reviewed.ok("review", "next", "first", "--count", "2")
    assert text.count("question") >= 2 and "picture" in text
    assert "Did you mean random?" in reviewed.refused("review", "next", "first", "--order", "randm")


def test_what_cannot_be_judged_is_refused_and_nothing_written(reviewed: Place) -> None:
    pair = str(next_pair(reviewed)["sample"]["id"])
    assert "no pair 999999" in reviewed.refused("review", "accept", "first", pair, "999999")
    assert "nothing to change" in reviewed.refused("review", "edit", "first", pair)
    assert "the answer is empty" in reviewed.refused("review", "edit", "first", pair, "--answer", "  ")
    assert "is not a verdict" in reviewed.refused("review", "list", "first", "--verdict", "good")
    assert "question type" in reviewed.refused("review", "next", "first", "--type", "nonsense")
    assert status(reviewed)["reviewed"] == 0
    assert "nothing in this run" in reviewed.ok("review", "undo", "first")
    assert "No pair was reviewed" in reviewed.ok("review", "list", "first")


def test_exports_take_what_was_accepted(reviewed: Place, tmp_path: Path) -> None:
    pair = next_pair(reviewed)["sample"]["id"]
    out = tmp_path / "set.jsonl"
    assert "has been accepted" in reviewed.refused("export", "first", "qwen", str(out), "--reviewed", "accepted")
    reviewed.ok("review", "edit", "first", str(pair), "--question", "What is in this bag?")
    reviewed.ok("export", "first", "qwen", str(out), "--reviewed", "accepted")
    (line,) = out.read_text("utf-8").splitlines()
    assert "What is in this bag?" in json.loads(line)["conversations"][0]["value"]


def test_hostile_pairs_reach_no_terminal(reviewed: Place) -> None:
    hostile = "[/nope] \x1b]0;title\x07 \x9b31m \u202eevil\x00 [b]x"
    connection = sqlite3.connect(reviewed.folder / ".vqa" / "vqa.db")
    with connection:
        connection.execute("UPDATE sample SET question = ?, answer = ?, question_type = ?", (hostile,) * 3)
        connection.execute("UPDATE item SET key = key || ?", (hostile,))
    connection.close()
    pair = next_pair(reviewed)["sample"]["id"]
    reviewed.ok("review", "reject", "first", str(pair), "--note", "\x1b[31mred")
    for command in (
        ("next", "first"), ("next", "first", "--json"), ("list", "first"), ("list", "first", "--json"),
        ("status", "first"), ("undo", "first"),
    ):  # fmt: skip
        said = reviewed.ok("review", *command)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said), command


def test_a_pair_that_somebody_else_has_judged_since_is_judged_only_when_that_is_said(
    reviewed: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    pair = next_pair(reviewed)
    number, other = str(pair["sample"]["id"]), str(next_pair(reviewed, "--order", "in-order")["sample"]["id"])
    monkeypatch.setenv("LOGNAME", "bob")
    reviewed.ok("review", "accept", "first", number)
    monkeypatch.setenv("LOGNAME", "ann")
    for command in (("reject", number), ("unsure", other, number), ("edit", number, "--answer", "No.")):
        verb, *rest = command
        refused = reviewed.call("review", verb, "first", *rest)
        assert refused.exit_code == 2
        assert f"{pair['item_key']} was accepted by bob since you saw it" in " ".join(refused.output.split())
        assert "Nothing was written" in refused.output and "--anyway" in refused.output
    assert status(reviewed)["reviewed"] == 1, "all or nothing"
    reviewed.ok("review", "reject", "first", number, "--anyway")
    # One's own verdict is known, and may be another one.
    reviewed.ok("review", "unsure", "first", number)
    # Shown again it is judged by what stands there.
    monkeypatch.setenv("LOGNAME", "bob")
    refused = reviewed.call("review", "accept", "first", number)
    assert refused.exit_code == 2 and "was unsure by ann already" in " ".join(refused.output.split())
    assert next_pair(reviewed, "--unsure")["sample"]["id"] == int(number)
    reviewed.ok("review", "accept", "first", number)


def test_a_pair_that_reads_otherwise_than_it_was_shown_is_not_judged(reviewed: Place) -> None:
    pair = next_pair(reviewed)["sample"]["id"]
    connection = sqlite3.connect(reviewed.folder / ".vqa" / "vqa.db")
    with connection:
        connection.execute("UPDATE sample SET answer = 'Another one.' WHERE id = ?", (pair,))
    connection.close()
    refused = reviewed.call("review", "accept", "first", str(pair))
    assert refused.exit_code == 2 and "was written anew since you saw it" in refused.output
    assert status(reviewed)["reviewed"] == 0
    next_pair(reviewed)
    reviewed.ok("review", "accept", "first", str(pair))


def test_two_reviewers_are_shown_different_pairs(reviewed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for name in ("ann", "bob"):
        monkeypatch.setenv("LOGNAME", name)
        found = json.loads(reviewed.ok("review", "next", "first", "--json", "--count", "5"))
        shown[name] = [each["sample"]["id"] for each in found]
        assert [each["sample"]["id"] for each in json.loads(
            reviewed.ok("review", "next", "first", "--json", "--count", "5")
        )] == shown[name]  # fmt: skip
    assert shown["ann"][0] != shown["bob"][0] and shown["ann"] != shown["bob"]
