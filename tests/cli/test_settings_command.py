"""`vqa-tui settings`: shown, changed, refused, and every key by its id."""

import json
import os
import subprocess
import sys
from pathlib import Path


def typed(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "vqa_tui", "settings", *words]
    environment = {**os.environ, "VQA_CONFIG": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_what_is_set_is_shown(tmp_path: Path) -> None:
    assert typed(tmp_path, "set", "bell=false", "theme=nord").returncode == 0
    shown = json.loads(typed(tmp_path, "show", "--json").stdout)
    assert (shown["bell"], shown["theme"], shown["pictures"]) == (False, "nord", "auto")
    assert shown["settings_file"] == str(tmp_path / "settings.yaml")
    assert "nord" in typed(tmp_path, "show").stdout


def test_what_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    for words in (["bell=maybe"], ["bel=true"], ["bell"], ["theme=nord", "pictures=big"]):
        refused = typed(tmp_path, "set", *words)
        assert refused.returncode == 2 and refused.stderr and "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_are_listed_with_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("run.pause: f5\n")
    listed = {each["id"]: each for each in json.loads(typed(tmp_path, "keys", "--json").stdout)}
    assert (listed["run.pause"]["keys"], listed["run.pause"]["usual"]) == ("f5", "p")
    assert "app.help" in typed(tmp_path, "keys").stdout
    (tmp_path / "keys.yaml").write_text("run.pauze: f5\n")
    refused = typed(tmp_path, "keys")
    assert refused.returncode == 2 and "keys.yaml:1" in refused.stderr
