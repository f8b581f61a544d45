"""What `train stop`, `cancel`, `resume`, `watch` and `log` tell a program."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from vqa_tui.cli.main import app
from vqa_tui.process.lock import ProcessLock


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def stands(database: Path, phase: str) -> None:
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("UPDATE training_state SET phase = ?, reason = 'a\u202eb'", (phase,))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the training `bags`, of which no process lives."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    typed("dataset", "import", "folder", str(tmp_path / "pictures"))
    database = tmp_path / ".vqa" / "vqa.db"
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
            "VALUES (1, 'bags', '{\"model\":\"tiny\",\"backend\":\"peft\"}', '{}', 'cpu', '[]', 1.0, 9, 2)"
        )
        opened.execute("INSERT INTO training_state (training_id, phase) VALUES (1, 'training')")
    folder = tmp_path / ".vqa" / "trainings" / "1"
    folder.mkdir(parents=True)
    (folder / "log").write_text("step 1\n\x1b[31mstep 2\n")
    (folder / "metrics.jsonl").write_text(
        '{"event":"checkpoint","at":1.0,"step":1,"path":"checkpoints/checkpoint-1","size_bytes":9,"loss":null}\n'
    )
    return database


@pytest.mark.parametrize("verb", ["stop", "cancel"])
async def test_how_it_stands_once_it_was_steered(database: Path, verb: str) -> None:
    import asyncio

    folder = database.parent / "trainings" / "1"
    async with ProcessLock(folder / "lock"), ProcessLock(folder / "supervisor.lock"):
        steered = await asyncio.to_thread(typed, "train", verb, "bags", "--json")
    assert steered.exit_code == 0
    found = json.loads(steered.stdout)
    assert (found["id"], found["phase"], found["at_work"], found["is_lost"]) == (1, "training", True, False)


@pytest.mark.parametrize(("phase", "said"), [("training", "is written first"), ("queued", "leaves the line")])
async def test_what_a_person_is_told_of_a_stop(database: Path, phase: str, said: str) -> None:
    import asyncio

    stands(database, phase)
    folder = database.parent / "trainings" / "1"
    async with ProcessLock(folder / "lock"), ProcessLock(folder / "supervisor.lock"):
        stopped = await asyncio.to_thread(typed, "train", "stop", "bags")
    assert said in stopped.stdout and ("checkpoint" in stopped.stdout) is (phase == "training")
    assert "train resume bags" in stopped.stdout


def test_how_it_stands_once_it_was_resumed(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def spawn(*_: Any, resume: bool) -> None:
        assert resume
        stands(database, "queued")

    monkeypatch.setattr("vqa_tui.operations.training_start._spawn", spawn)
    stands(database, "stopped")
    found = json.loads(typed("train", "resume", "bags", "--json").stdout)
    assert (found["id"], found["phase"]) == (1, "queued")
    refused = typed("train", "stop", "bags", "--json")
    assert refused.exit_code == 2 and refused.stdout == "" and "not at work" in refused.stderr


@pytest.mark.parametrize(("phase", "status"), [("done", 0), ("failed", 1), ("training", 1)])
def test_what_it_tells_is_a_line_each_and_the_last_is_its_end(database: Path, phase: str, status: int) -> None:
    stands(database, phase)
    watched = typed("train", "watch", "bags", "--json")
    assert watched.exit_code == status
    told = [json.loads(line) for line in watched.stdout.splitlines()]
    assert told[0]["event"] == "checkpoint" and told[0]["step"] == 1
    assert told[-1] == {"event": "phase", "phase": phase, "reason": "a\u202eb", "is_lost": phase == "training"}


def test_its_log_is_faithful(database: Path) -> None:
    assert json.loads(typed("train", "log", "bags", "--json").stdout) == {"log": "step 1\n\x1b[31mstep 2\n"}


def test_a_training_that_was_resumed_has_not_ended(database: Path) -> None:
    metrics = database.parent / "trainings" / "1" / "metrics.jsonl"
    begun = (
        '{"event":"start","at":2.0,"first_step":0,"total_steps":9,"epochs":1.0,"rows":9,"held_out":2,"device":"CPU",'
        '"precision":"fp32","parameters":9,"trainable":1}\n'
    )
    metrics.write_text(begun + '{"event":"end","at":3.0,"phase":"stopped","reason":"","step":4}\n')
    assert json.loads(typed("train", "show", "bags", "--json").stdout)["end"]["step"] == 4
    with metrics.open("a") as told:
        told.write(begun)
    assert json.loads(typed("train", "show", "bags", "--json").stdout)["end"] is None
