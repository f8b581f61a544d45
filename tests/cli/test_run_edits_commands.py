"""`run rename`, archive, delete and compare, and what `run list` shows of it."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Place
from tests.tui.workshop import BAD_REPLY, DONE, FLAGGED, Fate, Workshop
from vqa_tui.cli import asking
from vqa_tui.cli.main import app
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.operations.runs import find_run
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.store import runs
from vqa_tui.store.queue import TaskQueue

ANOTHER = Fate(pairs=(Pair("What is it?", "Some other thing.", "general"),))


@pytest.fixture
def two_runs(place: Place) -> Place:
    """A workspace with the runs `first` and `second` of one dataset, both stopped."""

    async def work() -> None:
        async with open_workspace(place.folder) as workspace:
            workshop = Workshop(workspace, workspace, place.folder)
            await workshop.run([DONE, FLAGGED, BAD_REPLY], dataset="scans")
            await workshop.run([DONE, ANOTHER], name="second", dataset="scans")

    asyncio.run(work())
    return place


def names(place: Place, *options: str) -> list[str]:
    return [run["name"] for run in json.loads(place.ok("run", "list", "--json", *options))]


def test_rename(two_runs: Place) -> None:
    assert "first is called third now" in two_runs.ok("run", "rename", "first", "third")
    assert names(two_runs) == ["second", "third"]
    assert "cannot be the name" in two_runs.refused("run", "rename", "third", "a b")
    assert "already a run named second" in two_runs.refused("run", "rename", "third", "second")
    assert "there is no run" in two_runs.refused("run", "rename", "first", "fourth")


def test_archive(two_runs: Place) -> None:
    assert "run archive first --undo" in two_runs.ok("run", "archive", "first")
    assert "archived already" in two_runs.ok("run", "archive", "first")
    assert names(two_runs) == ["second"]
    assert names(two_runs, "--archived") == ["second", "first"]
    listed = two_runs.call("run", "list")
    assert "first" not in listed.stdout and "1 archived run not listed" in listed.stderr
    assert "stopped, archived" in two_runs.ok("run", "list", "--archived")
    two_runs.ok("run", "archive", "first", "--undo")
    assert names(two_runs) == ["second", "first"]
    assert "was not archived" in two_runs.ok("run", "archive", "first", "--undo")


def test_delete_says_what_goes_and_needs_a_yes(two_runs: Place) -> None:
    refusal = two_runs.refused("run", "delete", "first")
    assert "12 pictures, 3 attempts with $0.000411 of paid replies, 2 pairs, 0 verdicts" in refusal
    assert "--yes" in refusal
    assert names(two_runs) == ["second", "first"]
    assert "first is deleted: the tasks of 12 pictures" in two_runs.ok("run", "delete", "first", "--yes")
    assert names(two_runs) == ["second"]
    assert "there is no run" in two_runs.refused("run", "delete", "first", "--yes")


def test_what_deleted_runs_had_cost_is_told_and_listed(two_runs: Place) -> None:
    assert "deleted" not in two_runs.call("run", "list").stderr
    assert "No run was deleted." in two_runs.ok("run", "list", "--deleted")
    lost = AttemptRecord("main", 1.0, None, "lost", uncertain_nano=20_000_000)

    async def lose_one() -> None:
        async with open_workspace(two_runs.folder) as workspace:
            run_id = await find_run(workspace, "first")
            queue = TaskQueue(workspace.db, run_id, await runs.begin_session(workspace.db, run_id, 1))
            (task,) = await queue.claim(1, now=1e12, pilot_only=False)
            await queue.settle([TaskOutcome(task.id, TaskStatus.PENDING, lost)])
            await runs.set_phase(workspace.db, run_id, Phase.STOPPED, "")

    asyncio.run(lose_one())
    two_runs.ok("run", "delete", "first", "--yes")
    listed = two_runs.call("run", "list")
    assert "Spent beside: $0.000411, and $0.02 uncertain, by 1 deleted run; --deleted lists it." in listed.stderr
    table = two_runs.ok("run", "list", "--deleted")
    assert "$0.000411" in table and "$0.02" in table and "first" in table and "second" not in table
    (gone,) = json.loads(two_runs.ok("run", "list", "--deleted", "--json"))
    assert (gone["name"], gone["spent"], gone["uncertain"], gone["pictures"]) == ("first", 0.000411, 0.02, 12)
    assert gone["deleted_at"] > gone["created_at"] and gone["who"]


@pytest.mark.parametrize("typed, left", [("first\n", ["second"]), ("frist\n", ["second", "first"])])
def test_delete_takes_the_name_of_what_was_paid_for(
    two_runs: Place, monkeypatch: pytest.MonkeyPatch, typed: str, left: list[str]
) -> None:
    monkeypatch.setattr(asking, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    result = CliRunner().invoke(
        app, ["run", "delete", "first", "--workspace", str(two_runs.folder)], input=typed, prog_name="vqa-tui"
    )
    assert result.exit_code == (0 if left == ["second"] else 2), result.output
    assert "Type first to delete it" in result.stderr
    assert names(two_runs) == left


async def _forget_prices(place: Place) -> None:
    async with open_workspace(place.folder) as workspace, workspace.db.write() as transaction:
        await transaction.execute("UPDATE run SET endpoint = json_remove(endpoint, '$.prices')")
        await transaction.execute("UPDATE attempt_tally SET cost_nano = 0")
        await transaction.execute("UPDATE attempt SET cost_nano = 0")


def test_a_run_without_prices_may_have_been_paid_and_its_cost_is_told_as_unknown(
    two_runs: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_forget_prices(two_runs))
    for *command, words in (
        ("run", "list", "–"),
        ("run", "show", "first", "price unknown"),
        ("item", "list", "first", "–"),
        ("item", "show", "first", "1", "price unknown"),
    ):
        told = two_runs.ok(*command)
        assert words in told and "$0" not in told
    assert [run["price_known"] for run in json.loads(two_runs.ok("run", "list", "--json"))] == [False, False]
    assert "3 attempts of unknown price" in two_runs.refused("run", "delete", "first")
    monkeypatch.setattr(asking, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    for typed, left in (("y\n", ["second", "first"]), ("first\n", ["second"])):
        command_line = ["run", "delete", "first", "--workspace", str(two_runs.folder)]
        result = CliRunner().invoke(app, command_line, input=typed, prog_name="vqa-tui")
        assert "Its replies may have been paid for. Type first to delete it" in result.stderr
        assert names(two_runs) == left
    assert "Spent beside: price unknown, by 1 deleted run;" in two_runs.call("run", "list").stderr
    assert "$" not in two_runs.ok("run", "list", "--deleted")
    (gone,) = json.loads(two_runs.ok("run", "list", "--deleted", "--json"))
    assert gone["price_known"] is False and gone["attempts"] == 3


def test_compare(two_runs: Place) -> None:
    words = two_runs.ok("run", "compare", "first", "second")
    for part in ("first", "second", "$0.000411", "$0.000274", "per picture", "bad reply", "least agreeing"):
        assert part in words
    # The one picture whose answers are not equal has "x" and "Some other thing." to say: no token in common.
    assert "Agreement 50.0 %" in words and "50.0 % of 2 answers to the same question are equal" in words
    found = json.loads(two_runs.ok("run", "compare", "first", "second", "--json"))
    assert found["first"]["name"] == "first" and found["second"]["done"] == 2
    assert found["agreement"]["both"] == 2 and len(found["agreement"]["least"]) == 1
    assert "with itself" in two_runs.refused("run", "compare", "first", "1")
