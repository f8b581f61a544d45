"""`train priority` and the line that `train list` shows."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vqa_tui.cli.main import app
from vqa_tui.operations.training_queue import InLine, in_line_words, parse_priority
from vqa_tui.process.lock import ProcessLock


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with `bags`, `boxes` and `coats`, all of which are queued for the CPU; no process lives."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    typed("dataset", "import", "folder", str(tmp_path / "pictures"))
    with closing(sqlite3.connect(tmp_path / ".vqa" / "vqa.db")) as database, database:
        for number, name in enumerate(("bags", "boxes", "coats"), start=1):
            database.execute(
                "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
                "VALUES (?, ?, '{\"model\":\"tiny\",\"backend\":\"peft\"}', '{}', 'cpu', '[]', 1.0, 9, 2)",
                (number, name),
            )
            database.execute("INSERT INTO training_state (training_id, phase) VALUES (?, 'queued')", (number,))
    return tmp_path / ".vqa" / "trainings"


@pytest.fixture
async def held(trainings: Path) -> AsyncIterator[None]:
    """All three wait: their processes hold their locks."""
    locks = [ProcessLock(trainings / str(number) / "lock") for number in (1, 2, 3)]
    for lock in locks:
        await lock.acquire()
    yield
    for lock in locks:
        lock.release()


async def test_a_priority_is_set_and_the_line_is_listed(held: None) -> None:
    async def run(*words: str) -> Result:
        return await asyncio.to_thread(typed, *words)

    said = await run("train", "priority", "coats", "2")
    assert said.exit_code == 0, said.stderr
    assert said.stdout == "coats has priority 2: it is number 1 of 3 that wait for cpu.\n"
    lowered = json.loads((await run("train", "priority", "1", "-4", "--json")).stdout)
    assert (lowered["name"], lowered["priority"], lowered["place"], lowered["waiting"]) == ("bags", -4, 3, 3)
    listed = json.loads((await run("train", "list", "--json")).stdout)
    assert [(each["name"], each["place"]) for each in listed] == [("coats", 1), ("boxes", 2), ("bags", 3)]
    shown = (await run("train", "list")).stdout
    assert "1 of 3" in shown and "-4" in shown and "priority" in (await run("train", "show", "coats")).stdout


def test_one_that_does_not_wait_keeps_it_for_its_resume(trainings: Path) -> None:
    said = typed("train", "priority", "bags", "3")
    assert said.stdout == "bags has priority 3. It does not wait; that holds when it is resumed.\n"
    assert json.loads(typed("train", "list", "--json").stdout)[-1]["place"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bag", "1"), "did you mean bags"),
        (("bags", "1000001"), "is no priority"),
        (("bags", "high"), "valid integer"),
        (("bags", "--loud"), "valid integer"),
        (("bags",), "Missing argument"),
    ],
)
def test_what_is_no_priority_is_refused(trainings: Path, words: tuple[str, ...], said: str) -> None:
    refused = typed("train", "priority", *words)
    assert refused.exit_code == 2 and said in refused.stderr


def test_one_that_is_done_never_waits_again(trainings: Path) -> None:
    with closing(sqlite3.connect(trainings.parent / "vqa.db")) as database, database:
        database.execute("UPDATE training_state SET phase = 'done' WHERE training_id = 2")
    refused = typed("train", "priority", "boxes", "1")
    assert refused.exit_code == 2 and "boxes is done, so it will never wait again" in refused.stderr


def test_where_one_stands_in_words() -> None:
    assert (
        in_line_words(InLine(1, "a", "gpu 0", 0, 1, 1)) == "a has priority 0: it is the only one that waits for gpu 0."
    )
    assert parse_priority(" -12 ") == -12 and parse_priority("") == 0
