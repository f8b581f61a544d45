"""`export` and `validate` on a finished run: files, split, JSON, and a verdict that fails with line numbers."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.cli.conftest import PICTURES, Place
from vqa_tui.cli.export import FORMAT_NAMES
from vqa_tui.cli.main import app
from vqa_tui.exporters.formats import FORMATS


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


@pytest.mark.parametrize("form", FORMAT_NAMES)
def test_every_format_from_the_command_line(form: str, finished: Place, tmp_path: Path) -> None:
    out = tmp_path / f"set{FORMATS[form].suffix}"
    said = finished.ok("export", "first", form, str(out))
    assert f"about {PICTURES} pictures" in said
    result = validate(tmp_path / f"{out.name}.manifest.json", "--cutoff-len", "100000")
    assert result.exit_code == 0, result.output
    assert "✓ Every measured row fits 100,000 tokens" in result.stdout


def test_the_formats_in_help_are_those_there_are() -> None:
    assert list(FORMATS) == list(FORMAT_NAMES)


def test_pictures_travel_with_the_export(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    split = ("--split", "0.75/0.25", "--stratify", "--seed", "7")
    report = json.loads(
        finished.ok(
            "export", "first", "trl", str(out), *split, "--pictures", "copy", "--pairs-per-picture", "1", "--json"
        )
    )
    assert report["pairs"] == report["pictures"] == PICTURES
    assert any("of each picture only the first are wanted" in warning for warning in report["warnings"])
    manifest = json.loads((tmp_path / "set.jsonl.manifest.json").read_text("utf-8"))
    assert manifest["split"] == {
        "train": 0.75, "test": None, "val": 0.25, "by": "picture sha256", "seed": 7, "stratified_by": "labels"
    }  # fmt: skip
    assert (manifest["image_paths"], manifest["pictures_are"]) == ("relative to this folder", "copy")
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    shutil.move(tmp_path, moved)
    result = validate(moved / "set.jsonl.manifest.json")
    assert result.exit_code == 0, result.output


def test_shards_are_named_and_validated_together(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    report = json.loads(finished.ok("export", "first", "trl", str(out), "--grouped", "--shard-size", "2", "--json"))
    count = -(-PICTURES // 2)
    names = [f"set-{number:05}-of-{count:05}.jsonl" for number in range(1, count + 1)]
    assert [file["name"] for file in report["files"]] == names
    assert not out.exists() and all((tmp_path / name).is_file() for name in names)
    for file in (out, tmp_path / names[0]):
        assert validate(file).exit_code == 0
    (tmp_path / names[-1]).unlink()
    result = validate(out)
    assert result.exit_code == 1 and "the manifest lists this file, and it is not there" in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("qwen", "--seed", "1"), "are for a split"),
        (("qwen", "--pairs-per-picture", "0"), "Give 1 or more"),
        (("qwen", "--shard-size", "0"), "Give 1 or more"),
        (("llava", "--shard-size", "5"), "take qwen, qwen-finetune"),
        (("qwen", "--pictures", "here"), "Known are in-place, copy, link, inline"),
        (("qwen", "--pictures", "inline"), "Those that can: trl-parquet, openai-ft, model-garden"),
        (("openai-ft", "--pictures", "copy"), "there is nothing to copy"),
    ],
)
def test_wishes_that_cannot_be_met(options: tuple[str, ...], words: str, finished: Place, tmp_path: Path) -> None:
    form, *rest = options
    assert words in finished.refused("export", "first", form, str(tmp_path / "set.jsonl"), *rest)


def test_rows_that_a_trainer_would_cut_fail(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set.jsonl"
    finished.ok("export", "first", "qwen-finetune", str(out))
    result = validate(out, "--cutoff-len", "20")
    assert result.exit_code == 1
    assert "no answer is left" in result.stdout and "would keep no answer at 20 tokens" in result.stdout
    result = validate(out, "--tokens", "qwen3-vl", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["validation"]["ok"] is True and document["tokens"]["rows"] > 0
    result = validate(out, "--max-pixels", "100000")
    assert result.exit_code == 2
    assert "are for counting tokens" in result.output
