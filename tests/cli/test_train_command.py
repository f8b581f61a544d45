"""`vqa-tui train`: the trainings and their logs as words and as JSON."""

import json
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
    (listed,) = json.loads(typed("train", "list", "--json").stdout)
    assert (listed["id"], listed["at_work"]) == (4, False) and listed["log_bytes"] > 10
    assert "at rest" in typed("train", "list").stdout
    assert typed("train", "log", "4").stdout == "step 1\nstep 2\n"
    refused = typed("train", "log", "5")
    assert refused.exit_code == 2 and "no training 5" in refused.stderr
