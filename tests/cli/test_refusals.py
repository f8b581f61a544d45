"""Bad input exits with 2 and says what, where and what to do; a machine that refuses exits with 1."""

import errno
import os
import socket
import subprocess
import sys
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
    (("dataset", "import", "folder", ""), "a path is empty"),
    (("train", "delete", "nothing"), "nobody can be asked here, and this deletes the training nothing"),
    (("demo", "--headless", "--images", "10001"), "less than or equal to 10000"),
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
    (("run", "set", "first", "rpm.a=10", "rpm.a=20"), "rpm.a is set twice: to 10 and to 20"),
    (("run", "set", "first", "concurrency=1_0"), "'1_0' is not a whole number"),
    (("run", "set", "first", "budget=1e30"), "budget"),
    (("run", "set", "first", "budget=1e-20"), "budget"),
    (("run", "set", "first", "rpm.a=99999999999999999999999"), "rpm.a"),
    ((*START, "--budget", "1e30"), "not an amount of dollars from 0.000001 to 1,000,000,000"),
    ((*START, "--budget", "1e400"), "not an amount of dollars"),
    ((*START, "--budget", "1e-20"), "not an amount of dollars"),
    ((*START, "--budget", "٣"), "not an amount of dollars"),
    (("export", "first", "qwen", "-"), "does not go to standard output"),
    ((*START, "--budget", "sNaN"), "not an amount of dollars"),
    ((*START, "--concurrency", "0"), "concurrency"),
    ((*START, "--name", "ü日本"), "ASCII letters"),
    ((*START, "--name", "first"), "already a run named first"),
    (("item", "show", "first", "9" * 22), "has no item"),
    (("item", "show", "first", "9" * 5000), "has no item"),
    (("item", "show", "first", str(2**63)), "has no item"),
    (("item", "list", "first", "--status", "faild"), "Did you mean failed?"),
    (("item", "list", "first", "--kind", "servr"), "Did you mean server?"),
    (("item", "show", "first", "images/none.jpg"), "has no item"),
    (("export", "first", "qwn", "out.jsonl"), "Known are: qwen"),
    (("export", "first", "qwen", "out.jsonl", "--split", "0.9"), "--split: 0.9 is not a split"),
    (("export", "first", "qwen", "out.jsonl", "--split", "0.9/0.3"), "add up to 1"),
    (("export", "first", "qwen", "out.jsonl", "--split", "a/b"), "--split: a/b is not a split"),
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


def test_an_empty_workspace_is_not_the_current_folder() -> None:
    result = CliRunner().invoke(app, ["run", "list", "--workspace", ""])
    assert (result.exit_code, "a path is empty" in result.stderr) == (2, True)


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


def test_a_workspace_file_that_is_a_folder_is_refused_quietly(tmp_path: Path) -> None:
    (tmp_path / ".vqa" / "vqa.db").mkdir(parents=True)
    result = subprocess.run(
        [sys.executable, "-m", "vqa_tui", "run", "list", "--workspace", str(tmp_path)], capture_output=True, text=True
    )
    assert result.returncode == 2
    assert "cannot use the workspace file" in result.stderr
    assert "Traceback" not in result.stderr and "Event loop" not in result.stderr


LOOKING = [
    ("run", "list"),
    ("run", "show", "x"),
    ("run", "pause", "x"),
    ("item", "list", "x"),
    ("dataset", "list"),
    ("export", "x", "qwen", "out.jsonl"),
    START,
]


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_looking_makes_no_workspace(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = Place(tmp_path / "typo").refused(*command)
    assert f"there is no workspace in {tmp_path / 'typo'}" in said
    assert "vqa-tui dataset import" in said and "--workspace" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("recipe", "list"), ("recipe", "show", "stcray"), ("endpoint", "show", "gemini")])
def test_recipes_and_endpoints_need_no_workspace(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert Place(tmp_path / "none").ok(*command)
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_plan_is_shown_before_a_refusal(finished: Place) -> None:
    assert "tokens each" not in finished.refused(*START, "--name", "first")
    assert "tokens each" not in finished.refused(*START, "--concurrency", "4000")


def test_an_endpoint_where_nothing_listens_is_work_that_failed(finished: Place, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    file = tmp_path / "nobody.yaml"
    file.write_text(f"name: nobody\nbase_url: {address}\nmodel: m\nkeys: [{{name: a}}]\n")
    for command in ("models", "check"):
        result = finished.call("endpoint", command, str(file))
        assert result.exit_code == 1
        assert "nothing listens there" in result.output
        assert "Start the server, or write its port into base_url" in result.output


def test_a_limit_beyond_every_number_means_all(place: Place) -> None:
    place.ok(*START, "--name", "all", "--limit", "9" * 22, "--yes", "--json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused = Place(tmp_path).refused("dataset", "import", "folder", str(tmp_path))
        assert "cannot make the workspace folder" in refused
    finally:
        tmp_path.chmod(0o700)


def test_a_budget_needs_prices(finished: Place, tmp_path: Path) -> None:
    file = tmp_path / "unpriced.yaml"
    file.write_text("name: unpriced\nkind: embedded\nmodel: m\nkeys: [{name: a}]\n")
    said = finished.refused(*START[:-1], str(file), "--budget", "1")
    assert "so a budget cannot be held" in said


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "out.jsonl"),
            "Error: No space left on device: 'out.jsonl'\nMake room on that disk",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "x"),
            "Error: Read-only file system: 'x'\nThat disk is read-only",
        ),
        (StoreTrouble("cannot write to the workspace file: database or disk is full"), "database or disk is full"),
    ],
)
def test_a_machine_that_refuses_is_told_from_bad_input(
    problem: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, **_options: object) -> None:
        raise problem

    monkeypatch.setattr("vqa_tui.operations.exports.validate_file", refuse)
    result = CliRunner().invoke(app, ["validate", "out.jsonl"])
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""


def test_an_import_without_a_usable_picture_fails_and_leaves_no_dataset(place: Place, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "odd.json").write_text('[{"image_path": "gone.jpg"}, {"odd": 1}]')
    result = place.call("dataset", "import", "stcray", str(tmp_path / "odd" / "odd.json"))
    assert result.exit_code == 1, result.output
    assert "odd.json record 1: no such picture" in result.stderr
    assert "No picture could be used" in result.stderr
    assert "odd" not in place.ok("dataset", "list")
