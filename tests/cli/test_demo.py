"""The demo without a terminal: from nothing to a validated file, twice in the same folder."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cli.conftest import Terminal
from vqa_tui.cli.main import app
from vqa_tui.safe_text import clean


def run_demo(cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "vqa_tui", "demo", "--headless", *options]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The same in this process; the engine and its endpoint are processes of their own as ever."""
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> Result:
        result = CliRunner().invoke(app, ["demo", "--headless", *options], prog_name="vqa-tui")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


def test_the_demo_leaves_a_validated_file_and_can_be_run_again(tmp_path: Path, demo: Callable[..., Result]) -> None:
    first = run_demo(tmp_path, "--images", "12")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "12 of 12 pictures answered" in first.stdout
    assert "Dataset ready for training" in first.stdout
    assert "vqa-tui --workspace demo" in first.stdout
    train, val = tmp_path / "demo" / "demo-stcray.train.jsonl", tmp_path / "demo" / "demo-stcray.val.jsonl"
    lines = [json.loads(line) for file in (train, val) for line in file.read_text("utf-8").splitlines()]
    assert len(lines) >= 24
    assert (tmp_path / "demo" / ".vqa" / "vqa.db").is_file()
    assert not (tmp_path / ".vqa").exists()

    second = demo("--images", "12")
    assert second.exit_code == 0, second.stdout + second.stderr
    assert "0 new, 12 known already" in second.stdout
    assert (tmp_path / "demo" / "demo-stcray-2.train.jsonl").is_file()


def test_folder_and_workspace_can_be_chosen(tmp_path: Path, demo: Callable[..., Result]) -> None:
    done = demo("--images", "2", "--folder", "elsewhere", "--workspace", "work")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert (tmp_path / "work" / ".vqa" / "vqa.db").is_file()
    assert (tmp_path / "elsewhere" / "demo-stcray.train.jsonl").is_file()
    assert not (tmp_path / "elsewhere" / ".vqa").exists()


def test_one_picture_is_enough_and_is_not_split(tmp_path: Path, demo: Callable[..., Result]) -> None:
    done = demo("--images", "1")
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "Dataset ready for training" in done.stdout
    assert (tmp_path / "demo" / "demo-stcray.jsonl").is_file()


def test_a_folder_with_files_of_somebody_else_stays_as_it_is(tmp_path: Path, demo: Callable[..., Result]) -> None:
    (tmp_path / "images").mkdir()
    own = {tmp_path / "annotations.json": b"[]", tmp_path / "images" / "000000.jpg": b"mine"}
    for path, content in own.items():
        path.write_bytes(content)
    refused = demo("--images", "1", "--folder", ".")
    assert refused.exit_code == 2
    assert "annotations.json is already there" in refused.stderr and "--folder" in refused.stderr
    assert {path: path.read_bytes() for path in own} == own
    assert sorted(path.name for path in tmp_path.iterdir()) == ["annotations.json", "images"]


def test_in_a_terminal_the_app_opens_on_the_run_and_the_files_are_written_after_it(
    tmp_path: Path, in_terminal: Callable[..., Terminal]
) -> None:
    terminal = in_terminal("demo", "--images", "12")
    terminal.wait_for("needs approval")
    terminal.press("a")
    terminal.wait_for("every picture is accounted for")
    terminal.press("q")
    assert terminal.exit_code() == 0, clean(terminal.shown)[-3000:]
    assert "Dataset ready for training" in terminal.shown
    assert (tmp_path / "demo" / "demo-stcray.val.jsonl").is_file()
