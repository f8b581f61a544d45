"""Bad input exits with 2 and says what, where and what to do; a machine that refuses exits with 1."""

import errno
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Place
from vqa_tui.cli.main import app
from vqa_tui.store.db import StoreTrouble

START = ("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded")

REFUSALS = [
    (("dataset", "import", "stcrai", "x.json"), "Did you mean `stcray`?"),
    (("dataset", "import", "stcray", "nowhere.json"), "does not exist"),
    (("dataset", "show", "scnas"), "Did you mean scans?"),
    (("recipe", "show", "stcry"), "did you mean stcray?"),
    (("endpoint", "show", "gemeni"), "did you mean gemini?"),
    (("endpoint", "models", "gemini"), "GEMINI_API_KEY"),
    (("run", "show", "frist"), "Did you mean first?"),
    (("run", "approve", "first"), "there is nothing to approve"),
    (("run", "pause", "first"), "there is nothing to pause"),
    (("run", "resume", "first"), "is done"),
    (("run", "retry", "first", "--kind", "bad_repli"), "Did you mean bad_reply?"),
    (("run", "set", "first", "budget"), "key=value"),
    (("run", "set", "first", "concurrency=0"), "concurrency"),
    (("item", "list", "first", "--status", "faild"), "Did you mean failed?"),
    (("item", "list", "first", "--kind", "servr"), "Did you mean server?"),
    (("item", "show", "first", "images/none.jpg"), "has no item"),
    (("export", "first", "qwn", "out.jsonl"), "Known are: qwen"),
    (("export", "first", "qwen", "out.jsonl", "--split", "0.9"), "--split 0.9/0.1"),
    (("export", "first", "qwen", "out.jsonl", "--split", "0.9/0.3"), "add up to 1"),
    ((*START, "--budget", "-1"), "--budget 10"),
    ((*START, "--budget", "NaN"), "--budget 10"),
    ((*START, "--limit", "0"), "limit must be at least 1"),
    ((*START, "--name", "a b"), "cannot be the name of a run"),
    ((*START, "--name", "first"), "already a run named first"),
    ((*START, "--concurrency", "-3"), "concurrency"),
    (("run", "start", "scnas", "--recipe", "stcray", "--endpoint", "embedded"), "Did you mean scans?"),
    (("run", "start", "scans", "--recipe", "stcray"), "--endpoint"),
    (("run", "strat"), "Did you mean 'start'?"),
    (("item", "list", "first", "--statu", "x"), "--statu"),
]


@pytest.mark.parametrize(("command", "words"), REFUSALS, ids=lambda value: " ".join(value)[:60])
def test_bad_input_is_refused_in_words(finished: Place, command: tuple[str, ...], words: str) -> None:
    said = finished.refused(*command)
    assert words in said
    assert "Traceback" not in said


def test_a_missing_file_is_refused() -> None:
    result = CliRunner().invoke(app, ["validate", "nowhere.jsonl"])
    assert result.exit_code == 2
    assert "there is no file" in result.stderr


def test_the_app_needs_a_terminal(finished: Place) -> None:
    assert "needs a terminal" in finished.refused()
    assert "needs a terminal" in finished.refused("demo")


def test_a_workspace_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".vqa").mkdir()
    (tmp_path / ".vqa" / "vqa.db").write_text("this is no database" * 100)
    said = Place(tmp_path).refused("run", "list")
    assert "cannot use the workspace file" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert "cannot make the workspace folder" in Place(tmp_path).refused("run", "list")
    finally:
        tmp_path.chmod(0o700)


def test_a_budget_needs_prices(finished: Place, tmp_path: Path) -> None:
    file = tmp_path / "unpriced.yaml"
    file.write_text("name: unpriced\nkind: embedded\nmodel: m\nkeys: [{name: a}]\n")
    said = finished.refused(*START[:-1], str(file), "--budget", "1")
    assert "states no prices" in said


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "out.jsonl"), "No space left on device: 'out.jsonl'"),
        (StoreTrouble("cannot write to the workspace file: database or disk is full"), "database or disk is full"),
    ],
)
def test_a_machine_that_refuses_is_told_from_bad_input(
    problem: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise problem

    monkeypatch.setattr("vqa_tui.operations.exports.validate_file", refuse)
    result = CliRunner().invoke(app, ["validate", "out.jsonl"])
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
