"""`vqa-tui run failures`: the list, one cluster, and retrying or skipping it whole."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.test_hostile_text_in_commands import FORBIDDEN, HOSTILE
from tests.tui.workshop import BAD_REPLY, DONE, SERVER, Fate, Workshop
from vqa_tui.domain.run import TaskStatus
from vqa_tui.operations.workspace import open_workspace

_ASKED_AGAIN = Fate(TaskStatus.PENDING, (), "timeout", "no reply in 60 s", "", http_status=None, cost_nano=0)


@pytest.fixture
def troubled(tmp_path: Path) -> Place:
    """A run of eight pictures: two failed by the server, one by its reply, one was asked again."""

    async def work() -> None:
        async with open_workspace(tmp_path) as workspace:
            workshop = Workshop(workspace, workspace, tmp_path)
            await workshop.dataset(8)
            other = replace(SERVER, problem="503: upstream 4 overloaded")
            await workshop.run([DONE, SERVER, other, BAD_REPLY, _ASKED_AGAIN])

    asyncio.run(work())
    return Place(tmp_path)


def test_the_list_gathers_by_what_went_wrong(troubled: Place) -> None:
    lines = troubled.ok("run", "failures", "first").splitlines()
    assert lines[0].split()[:4] == ["cluster", "count", "share", "kind"]
    assert "66.7 %" in lines[1] and lines[1].rstrip().endswith("<n>: upstream <n> overloaded")
    assert "bad reply" in lines[2] and len(lines) == 3
    every = troubled.ok("run", "failures", "first", "--attempts")
    assert "no reply in <time>" in every and len(every.splitlines()) == 4


def test_the_list_and_one_cluster_as_json(troubled: Place) -> None:
    listed = json.loads(troubled.ok("run", "failures", "first", "--json"))
    assert [(each["pictures"], each["tries"], each["kinds"][0]["kind"]) for each in listed] == [
        (2, 2, "server"),
        (1, 1, "bad_reply"),
    ]
    number = listed[0]["id"]
    one = json.loads(troubled.ok("run", "failures", "first", str(number), "--json"))
    assert one["id"] == number and one["message"] == "503: upstream 4 overloaded"
    assert one["statuses"] == [[503, 2]] and one["keys"] == [["main", 2]] and len(one["examples"]) == 2
    every = json.loads(troubled.ok("run", "failures", "first", "--attempts", "--json"))
    assert {each["form"] for each in every} >= {"no reply in <time>"}


def test_one_cluster_in_words(troubled: Place) -> None:
    number = json.loads(troubled.ok("run", "failures", "first", "--json"))[0]["id"]
    shown = troubled.ok("run", "failures", "first", str(number))
    for words in ("2 pictures for good", "503: upstream 4 overloaded", "503 2", "main 2", "160 px", "00001.png"):
        assert words in shown


def test_a_whole_cluster_is_skipped_or_retried(troubled: Place) -> None:
    server, reply = (each["id"] for each in json.loads(troubled.ok("run", "failures", "first", "--json")))
    said = troubled.refused("run", "failures", "first", str(server), "--skip")
    assert "nothing was changed yet. Of 2 items 2 failed. These 2 will not be asked." in said and "--yes" in said
    said = troubled.refused("run", "failures", "first", str(reply), "--retry", "--json")
    assert "it costs what a picture costs, about $0.000" in said
    before = json.loads(troubled.ok("run", "show", "first", "--json"))["counts"]
    assert (before["failed"], before["skipped"]) == (3, 0)
    assert "2 pictures taken out of the run." in troubled.ok("run", "failures", "first", str(server), "--skip", "--yes")
    retried = troubled.ok("run", "failures", "first", str(reply), "--retry", "--yes", "--json")
    assert json.loads(retried) == {"changed": 1}
    counts = json.loads(troubled.ok("run", "show", "first", "--json"))["counts"]
    assert (counts["failed"], counts["skipped"]) == (0, 2)
    assert "Nothing has failed for good" in troubled.ok("run", "failures", "first")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["999"], "no cluster 999"),
        (["--retry"], "act on one cluster"),
        (["1", "--retry", "--skip"], "cannot both"),
        (["1", "--yes"], "--yes means nothing without"),
    ],
)
def test_what_cannot_be_done_is_refused(troubled: Place, arguments: list[str], words: str) -> None:
    assert words in troubled.refused("run", "failures", "first", *arguments)


def test_hostile_text_reaches_no_terminal(troubled: Place) -> None:
    async def poison() -> None:
        async with open_workspace(troubled.folder) as workspace, workspace.db.write() as transaction:
            await transaction.execute("UPDATE failure_cluster SET form = ?, kind = ? WHERE id = 1", (HOSTILE, HOSTILE))
            await transaction.execute("UPDATE attempt SET key_name = ?, message = ?, model = ?", (HOSTILE,) * 3)
            await transaction.execute("UPDATE task SET last_problem = ? WHERE status = 'failed'", (HOSTILE,))
            await transaction.execute("UPDATE item SET key = key || ?", (HOSTILE,))

    asyncio.run(poison())
    for arguments in ([], ["--attempts"], ["1"]):
        shown = troubled.ok("run", "failures", "first", *arguments)
        assert not [character for character in FORBIDDEN if character in shown]
    assert json.loads(troubled.ok("run", "failures", "first", "1", "--json"))["message"] == HOSTILE
