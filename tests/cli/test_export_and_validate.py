"""`export` and `validate` on a finished run: files, split, JSON, and a verdict that fails with line numbers."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from tests.cli.conftest import PICTURES, Place
from vqa_tui.cli.main import app


def validate(file: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["validate", str(file), *options])


def test_an_export_with_a_split_is_valid(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    said = finished.ok("export", "first", "qwen", str(out), "--split", "0.75/0.25")
    assert "set.train.jsonl" in said and "set.val.jsonl" in said
    assert f"about {PICTURES} pictures" in said
    for file in (out, tmp_path / "set.train.jsonl", tmp_path / "set.jsonl.manifest.json"):
        result = validate(file)
        assert result.exit_code == 0, result.output
        assert "Dataset ready for training" in result.stdout


def test_the_report_is_json_too(finished: Place, tmp_path: Path) -> None:
    report = json.loads(finished.ok("export", "first", "llava", str(tmp_path / "set.json"), "--grouped", "--json"))
    assert report["pictures"] == PICTURES
    (file,) = report["files"]
    assert file["pictures"] == PICTURES and len(file["sha256"]) == 64
    assert Path(report["manifest"]).is_file()


def test_a_file_that_cannot_be_trusted_fails_with_line_numbers(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    finished.ok("export", "first", "qwen", str(out))
    lines = out.read_text("utf-8").splitlines()
    spoiled = json.loads(lines[2])
    spoiled["conversations"][1]["value"] = ""
    lines[2:4] = [json.dumps(spoiled), "{ not json"]
    out.write_text("\n".join(lines) + "\n", "utf-8")

    result = validate(out)
    assert result.exit_code == 1
    assert "line 3: " in result.stdout and "line 4: " in result.stdout
    assert "Dataset not ready for training" in result.stdout
    report = json.loads(validate(out, "--json").stdout)
    assert report["ok"] is False
    assert {problem["line"] for problem in report["problems"]} >= {3, 4}


def test_what_was_not_checked_is_said_and_a_recipe_can_be_named(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    finished.ok("export", "first", "qwen", str(out))
    (tmp_path / "set.jsonl.manifest.json").unlink()
    result = validate(out)
    assert result.exit_code == 0
    assert "– Not checked: risk words and answer length" in result.stdout
    result = validate(out, "--recipe", "stcray")
    assert result.exit_code == 0, result.output
    assert "No risk words" in result.stdout and "Not checked" not in result.stdout
