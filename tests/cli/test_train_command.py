"""`vqa-tui train`: the trainings and their logs as words and as JSON."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vqa_tui.cli.main import app


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_trainings_and_their_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    typed("dataset", "import", "folder", str(pictures))
    folder = tmp_path / ".vqa" / "trainings" / "4"
    folder.mkdir(parents=True)
    (folder / "log").write_text("step 1\n\x1b]0;title\x07step 2\n")
    (folder / "lock").touch()
    (folder / "checkpoints" / "checkpoint-2").mkdir(parents=True)
    (folder / "metrics.jsonl").write_text(
        '{"event":"step","at":1.0,"step":2,"epoch":0.5,"loss":0.25,"learning_rate":0.1,"grad_norm":1.0,"seconds":1.0,'
        '"tokens":9,"rows":[1,2]}\nnot an event\n'
        '{"event":"left_out","at":1.0,"row":3,"key":"a.jpg","reason":"its picture a.jpg cannot be read"}\n'
        '{"event":"checkpoint","at":1.0,"step":1,"path":"checkpoints/checkpoint-1","size_bytes":9,"loss":null}\n'
        '{"event":"checkpoint","at":1.0,"step":2,"path":"checkpoints/checkpoint-2","size_bytes":9,"loss":null}\n'
    )
    with closing(sqlite3.connect(tmp_path / ".vqa" / "vqa.db")) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
            "VALUES (4, 'bags', '{\"model\":\"tiny\",\"backend\":\"peft\"}', '{}', 'cpu', '[]', 1.0, 9, 1)"
        )
        database.execute(
            "INSERT INTO training_state (training_id, phase, step, total_steps) VALUES (4, 'training', 2, 60)"
        )
    (listed,) = json.loads(typed("train", "list", "--json").stdout)
    assert (listed["id"], listed["at_work"], listed["step"]) == (4, False, 2)
    assert "lost" in typed("train", "list").stdout
    assert typed("train", "log", "bags").stdout == "step 1\nstep 2\n"
    shown = typed("train", "show", "4").stdout
    assert "resume lets it go on" in shown and "0.2500" in shown and "2 of 60" in shown
    assert "checkpoints  2\n" in shown, "the one before is gone"
    assert "left out     1 row, since its picture a.jpg cannot be read\n" in shown
    document = json.loads(typed("train", "show", "4", "--json").stdout)
    assert document["last_step"]["rows"] == [1, 2] and [each["step"] for each in document["checkpoints"]] == [2]
    refused = typed("train", "log", "bag")
    assert refused.exit_code == 2 and "did you mean bags" in refused.stderr
    stopped = typed("train", "stop", "4")
    assert stopped.exit_code == 2 and "not at work: it is lost" in stopped.stderr
    assert typed("train", "rename", "4", "suitcases").exit_code == 0
    assert json.loads(typed("train", "list", "--json").stdout)[0]["name"] == "suitcases"
    refused = typed("train", "rename", "suitcases", "4")
    assert refused.exit_code == 2 and "cannot be the name of a training" in refused.stderr
