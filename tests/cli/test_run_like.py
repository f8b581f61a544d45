"""`run start --like` and `--model`, `plan --model`, `endpoint check --model`, and `recipe preview`."""

import json
from typing import Any

from tests.cli.conftest import Place

RECIPE = """\
name: mine
description: "[/nope]"
prompt: {system: "Be brief.", user: "Look at {{ key }}: \\e[31mred"}
reply: {kind: text, question: "What?"}
"""


def shown(place: Place, run: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(place.ok("run", "show", run, "--json"))
    return document


def test_a_run_like_another_asks_the_same_and_options_count_instead(place: Place) -> None:
    first = ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--name", "first", "--yes")
    place.ok(*first, "--limit", "4", "--budget", "2", "--hedge", "--max-side", "384")
    again = place.call("run", "start", "--like", "first", "--yes", "--name", "again", "--limit", "2", "--no-hedge")
    assert again.exit_code == 0, again.output
    document = shown(place, "again")
    assert (document["dataset"], document["recipe"], document["endpoint"]) == ("scans", "stcray", "embedded")
    assert document["counts"]["done"] == 2 and document["cost"]["cap"] == 2.0
    assert (document["limits"]["hedge"], document["limits"]["max_side"]) == (False, 384)

    place.ok("run", "start", "--like", "first", "--yes", "--name", "open", "--budget", "none", "--model", "vqa-2")
    document = shown(place, "open")
    assert document["cost"]["cap"] is None and document["limits"]["hedge"] is True
    assert (document["model"], document["counts"]["done"]) == ("vqa-2", 4)


def test_what_is_missing_without_a_run_to_be_like_is_named(place: Place) -> None:
    said = place.refused("run", "start", "--recipe", "stcray")
    assert "the run needs DATASET and --endpoint" in said and "--like RUN" in said
    assert "no run 'nope'" in place.refused("run", "start", "--like", "nope")


def test_another_model_is_planned_with_the_price_of_its_own(place: Place) -> None:
    path = place.folder / "gateway.yaml"
    path.write_text(
        "name: gateway\nbase_url: https://gateway.example.com/v1\nmodel: gpt-5-mini\nkeys: [{name: a}]\n"
        "prices: {input_per_million: 1, output_per_million: 2, source: mine}\n"
    )
    plan = ("plan", "scans", "--recipe", "stcray", "--endpoint", str(path), "--json")
    assert json.loads(place.ok(*plan))["prices"]["source"] == "mine"
    other = json.loads(place.ok(*plan, "--model", "gpt-4o-mini"))
    assert "gpt-4o-mini" in other["prices"]["source"] and other["prices_listed"]
    assert "cannot be the name of a model" in place.refused(*plan, "--model", "a\tb")


def test_a_check_asks_the_model_that_is_wanted(place: Place) -> None:
    report = json.loads(place.ok("endpoint", "check", "embedded", "--model", "vqa-2", "--json"))
    assert report["ok"] and report["model"] == "vqa-2"


def test_a_prompt_is_previewed_on_stdout_and_told_about_on_stderr(place: Place) -> None:
    path = place.folder / "mine.yaml"
    path.write_text(RECIPE)
    made = json.loads(place.ok("recipe", "preview", str(path), "scans", "--json"))
    assert made["system"] == "Be brief." and made["user"].startswith(f"Look at {made['item']}: \x1b[31m")
    result = place.call("recipe", "preview", str(path), "scans", "--item", made["item"])
    assert result.exit_code == 0
    assert result.stdout == f"--- system ---\nBe brief.\n--- user ---\nLook at {made['item']}: red\n"
    assert f"picture  {made['item']}" in result.stderr and "the text before the picture" in result.stderr
    assert "no picture 'nope'" in place.refused("recipe", "preview", str(path), "scans", "--item", "nope")


def test_pairs_and_their_structured_share_count_instead_of_the_recipes(place: Place) -> None:
    first = ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--yes", "--limit", "2")
    place.ok(*first, "--name", "first", "--pairs", "5", "--structured-ratio", "1")
    again = place.call("run", "start", "--like", "first", "--yes", "--name", "again")
    assert again.exit_code == 0 and "is no longer as run" not in again.output, again.output
    for run in ("first", "again"):
        document = shown(place, run)
        assert (document["counts"]["done"], document["samples"]) == (2, 10), document
    plan = ("plan", "scans", "--endpoint", "embedded", "--recipe")
    assert "--pairs must be from 1 to 50, not 51" in place.refused(*plan, "stcray", "--pairs", "51")
    assert "from 0 to 1" in place.refused(*plan, "stcray", "--structured-ratio", "1.5")
    said = place.refused(*plan, "caption", "--structured-ratio", "0.5")
    assert "changes nothing of the recipe caption: its prompt does not use `structured_pairs`" in said
