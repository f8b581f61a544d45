"""`vqa-tui train`: the trainings and their logs as words and as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path


def typed(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "vqa_tui", *words]
    return subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=60)


def test_trainings_and_their_logs(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    typed(tmp_path, "dataset", "import", "folder", str(pictures))
    folder = tmp_path / ".vqa" / "trainings" / "4"
    folder.mkdir(parents=True)
    (folder / "log").write_text("step 1\n\x1b]0;title\x07step 2\n")
    (folder / "lock").touch()
    (listed,) = json.loads(typed(tmp_path, "train", "list", "--json").stdout)
    assert (listed["id"], listed["at_work"]) == (4, False) and listed["log_bytes"] > 10
    assert "at rest" in typed(tmp_path, "train", "list").stdout
    assert typed(tmp_path, "train", "log", "4").stdout == "step 1\nstep 2\n"
    refused = typed(tmp_path, "train", "log", "5")
    assert refused.returncode == 2 and "no training 5" in refused.stderr
