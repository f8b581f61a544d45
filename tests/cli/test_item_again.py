"""`item again` with real engines: who is chosen, what is said before, the question, and what comes of it."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PICTURES, SLOW_ENDPOINT, Place, Terminal, end_engines


@pytest.fixture
def answered(finished: Place, tmp_path: Path) -> Iterator[Place]:
    """A workspace of its own in which the run `first` is done; engines that a test starts there end with it."""
    folder = tmp_path / "answered"
    shutil.copytree(finished.folder, folder)
    (folder / "slow.yaml").write_text(SLOW_ENDPOINT.replace("300", "5"))
    yield Place(folder)
    asyncio.run(end_engines(folder))


def items(place: Place, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(place.ok("item", "list", run, "--json"))
    return found


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "no picture is chosen"),
        (("1", "--status", "failed"), "both together are ambiguous"),
        (("--status", "finished"), "'finished' is not a status"),
        (("--kind", "bad_repl"), "Did you mean bad_reply?"),
        (("1", "--max-tokens", "much"), "--max-tokens: 'much'"),
        (("1", "--max-side", "3"), "--max-side: '3'"),
        (("1", "--model", "m"), "--model means nothing without --endpoint"),
        (("1", "--budget", "1"), "--budget means nothing without --endpoint"),
        (("1", "--anyway"), "--anyway means nothing without --endpoint"),
        (("nobody",), "has no item 'nobody'"),
        (("1", "--endpoint", "nowhere", "--yes"), "no endpoint named 'nowhere'"),
        (("--status", "failed", "--yes"), "nothing can be asked again"),
        (("1",), "nobody can be asked here, and this asks the endpoint"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_asked(
    finished: Place, options: tuple[str, ...], words: str
) -> None:
    assert words in finished.refused("item", "again", "first", *options)
    assert {item["status"] for item in items(finished, "first")} == {"done"}
    assert len(json.loads(finished.ok("run", "list", "--json"))) == 1


def test_done_pictures_are_asked_again_smaller_and_their_pairs_replaced(answered: Place) -> None:
    chosen = [item["item_key"] for item in items(answered, "first")[:2]]
    result = answered.call("item", "again", "first", *chosen, "--max-side", "100", "--max-tokens", "900", "--yes")
    assert result.exit_code == 0, result.output
    assert "2 pictures done" in result.stderr and "with max_tokens 900, longest side 100 px: about $" in result.stderr
    assert "will be replaced, each when its new reply is stored" in result.stderr
    assert "2 pictures will be asked again. To watch it:" in result.stdout
    answered.ok("run", "watch", "first")
    rows = items(answered, "first")
    assert [row["attempts"] for row in rows] == [2, 2] + [1] * (PICTURES - 2)
    assert {row["status"] for row in rows} == {"done"}
    assert "asked with max_tokens 900, longest side 100 px" in answered.ok("item", "show", "first", chosen[0])
    detail = json.loads(answered.ok("item", "show", "first", chosen[0], "--json"))
    assert [each["changes"] for each in detail["attempts"]] == [
        {"max_tokens": None, "max_side": None},
        {"max_tokens": 900, "max_side": 100},
    ]


def test_another_endpoint_is_a_run_that_follows(answered: Place) -> None:
    document = json.loads(
        answered.ok(
            "item", "again", "first", "--status", "done", "--endpoint", answered.slow_endpoint, "--name", "second",
            "--budget", "1", "--yes", "--json",
        )
    )  # fmt: skip
    assert (document["name"], document["count"], document["left"]) == ("second", PICTURES, 0)
    answered.ok("run", "watch", "second")
    shown = json.loads(answered.ok("run", "show", "second", "--json"))
    assert (shown["counts"]["done"], shown["follows"], shown["cost"]["cap"]) == (PICTURES, "first", 1.0)
    assert json.loads(answered.ok("run", "show", "first", "--json"))["followed_by"] == ["second"]
    assert "followed by  second" in answered.ok("run", "show", "first")
    listed = answered.ok("run", "list")
    assert "follows first" in listed and "followed by second" in listed
    # Once more the same: it would be paid twice, and so would be a second look in the run itself.
    again = ("item", "again", "first", "--status", "done", "--endpoint", answered.slow_endpoint, "--yes")
    assert "is asked there already, in second" in answered.refused(*again)
    first = items(answered, "first")[0]["item_key"]
    assert "1 item is paid twice" in answered.refused("item", "requeue", "first", first)
    answered.ok("run", "set", "first", "budget=1")
    assert "--budget none" in answered.refused(*again, "--anyway")
    result = answered.call(*again, "--anyway", "--budget", "none", "--name", "third")
    assert result.exit_code == 0 and f"{PICTURES} pictures will be paid twice" in " ".join(result.stderr.split())
    answered.ok("run", "watch", "third")
    assert "asks pictures that were chosen one by one" in answered.refused("run", "start", "--like", "second")


def test_a_person_is_asked_first_and_may_say_no(answered: Place, in_terminal: Callable[..., Terminal]) -> None:
    command = ("item", "again", "first", "--status", "done", "--workspace", str(answered.folder))
    terminal = in_terminal(*command)
    terminal.wait_for("Ask them? [y/N]")
    assert f"{PICTURES} pictures done" in terminal.shown and "about $" in terminal.shown
    terminal.press("n\n")
    assert terminal.exit_code() == 1 and "Nothing was asked." in terminal.shown
    assert {item["attempts"] for item in items(answered, "first")} == {1}
    terminal = in_terminal(*command)
    terminal.wait_for("Ask them? [y/N]")
    terminal.press("y\n")
    assert terminal.exit_code() == 0
    answered.ok("run", "watch", "first")
    assert {item["attempts"] for item in items(answered, "first")} == {2}
