"""`train evaluate` and `demo --train` where they cannot work: sentences, exit 2; and the last evaluation in tables."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.domain.test_evaluation import made
from vqa_tui.cli.main import app
from vqa_tui.operations import training_packages
from vqa_tui.paths import device_lock
from vqa_tui.process.lock import ProcessLock

Typed = Callable[..., Result]


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the training `bags`, which is done."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    typed("dataset", "import", "folder", str(tmp_path / "pictures"))
    made_folder = tmp_path / ".vqa" / "trainings" / "4"
    made_folder.mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / ".vqa" / "vqa.db")) as database, database:
        database.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
            "VALUES (4, 'bags', '{\"model\":\"tiny\",\"backend\":\"peft\"}', '{}', 'cpu', '[]', 1.0, 9, 2)"
        )
        database.execute("INSERT INTO training_state (training_id, phase) VALUES (4, 'done')")
    return made_folder


def _lacks(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    def found(name: str) -> Any:
        return None if name in names else find_spec("json")

    monkeypatch.setattr(training_packages, "find_spec", found)


def test_without_the_extra_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _lacks(monkeypatch, "torch", "sacrebleu")
    refused = typed("demo", "--headless", "--train")
    assert refused.exit_code == 2 and "not installed: torch, sacrebleu" in refused.stderr
    assert "pip install 'vqa-tui[train]'" in refused.stderr and not list(tmp_path.iterdir())


def test_the_demo_needs_pictures_to_hold_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _lacks(monkeypatch)
    refused = typed("demo", "--headless", "--train", "--images", "3")
    assert refused.exit_code == 2 and "needs 4 pictures or more" in refused.stderr and not list(tmp_path.iterdir())


def test_what_cannot_be_evaluated_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lacks(monkeypatch, "rouge_score")
    refused = typed("train", "evaluate", "bags")
    assert refused.exit_code == 2 and "not installed: rouge_score" in refused.stderr
    _lacks(monkeypatch)
    for words, reason in (
        (("bag",), "did you mean bags"),
        (("bags", "--limit", "0"), "an evaluation of 0 rows"),
        (("bags", "--last", "--limit", "3"), "contradict"),
        (("bags", "--last"), "was not evaluated yet"),
    ):
        refused = typed("train", "evaluate", *words)
        assert refused.exit_code == 2 and reason in refused.stderr
    (folder / "evaluation.json").write_text('{"at": 1}')
    refused = typed("train", "evaluate", "bags", "--last")
    assert refused.exit_code == 2 and "evaluation.json cannot be read" in refused.stderr


async def test_a_training_or_a_device_at_work_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    _lacks(monkeypatch)
    async with ProcessLock(folder / "lock"):
        refused = await asyncio.to_thread(typed, "train", "evaluate", "bags")
    assert refused.exit_code == 2 and "is at work" in refused.stderr
    async with ProcessLock(device_lock("cpu")):
        refused = await asyncio.to_thread(typed, "train", "evaluate", "bags")
    assert refused.exit_code == 2 and "cpu is taken by another program" in refused.stderr


def test_a_program_that_finds_no_room_for_words_is_told_by_its_status(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> tuple[int, str]:
        return 74, "tuned: row 3 of 4"

    _lacks(monkeypatch)
    monkeypatch.setattr("vqa_tui.operations.training_evaluation.run_evaluator", full)
    failed = typed("train", "evaluate", "bags")
    assert failed.exit_code == 1 and "the disk is full. Free some space" in failed.stderr


def test_a_program_that_fails_is_told_in_its_own_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lacks(monkeypatch)
    (folder / "config.json").write_text("{")
    failed = typed("train", "evaluate", "bags")
    assert failed.exit_code == 1 and "is not the configuration of a training" in failed.stderr
    assert "evaluation.log" in failed.stderr


def test_the_last_evaluation_as_tables_and_as_json(folder: Path) -> None:
    hostile = made().as_json().replace("How many?", "\\u001b]0;title\\u0007How many?")
    (folder / "evaluation.json").write_text(hostile)
    shown = typed("train", "evaluate", "bags", "--last")
    assert shown.exit_code == 0 and "\x1b]" not in shown.stdout
    for words in ("tiny", "short answers", "100.0%", "How many?", "/3.png", "question type"):
        assert words in shown.stdout
    assert json.loads(typed("train", "evaluate", "bags", "--last", "--json").stdout)["worst"][0]["pairs"] == [7, 8]
