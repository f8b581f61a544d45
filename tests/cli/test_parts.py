"""Pictures that are several requests on the command line: plan, list, show, choose and export them."""

import json
from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from vqa_tui.cli.main import app


def call(folder: Path, *arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments, "--workspace", str(folder / "work")], prog_name="vqa-tui")
    assert result.exit_code == exit_code, f"{arguments}\n{result.output}"
    return result.output if exit_code else result.stdout


def scans(folder: Path) -> None:
    root = folder / "scans"
    root.mkdir()
    for number in range(3):
        Image.new("RGB", (24, 16), (number * 60, 90, 90)).save(root / f"{number}.png")
        asked = [{"question": f"Is it {index}?", "answer": f"It is {index}"} for index in range(number)]
        (root / f"{number}.json").write_text(json.dumps({"questions": asked}))
    call(folder, "dataset", "import", "folder", str(root), "--name", "scans")


def test_requests_are_planned_listed_chosen_and_exported(tmp_path: Path) -> None:
    scans(tmp_path)
    plan = json.loads(call(tmp_path, "plan", "scans", "--recipe", "vqa-rad", "--endpoint", "embedded", "--json"))
    assert (plan["items"], plan["requests"], plan["in_parts"], plan["unasked"]) == (2, 3, True, 1)
    assert "1 picture has no reference pair and is not asked." in plan["warnings"]
    shown = call(tmp_path, "plan", "scans", "--recipe", "vqa-rad", "--endpoint", "embedded")
    assert "requests     3" in shown and "a request)" in shown
    said = call(
        tmp_path, "run", "start", "scans", "--recipe", "vqa-rad", "--endpoint", "embedded", "--name", "r", "--yes"
    )
    assert "3 of 3 requests answered" in said + call(tmp_path, "run", "show", "r")
    listed = json.loads(call(tmp_path, "item", "list", "r", "--json"))
    assert [(row["item_key"], row["part"]["index"], row["part"]["of"]) for row in listed] == [
        ("1.png", 0, 1), ("2.png", 0, 2), ("2.png", 1, 2),
    ]  # fmt: skip
    assert "2.png · 2/2" in call(tmp_path, "item", "list", "r")
    assert "Question: Is it 1?" in call(tmp_path, "item", "show", "r", "2.png#2")
    assert "has no item '2.png#3'" in call(tmp_path, "item", "show", "r", "2.png#3", exit_code=2)
    # The key means every request about the picture, KEY#2 one of them.
    requeue = ("item", "requeue", "r")
    assert "Of 2 items 2 are done" in call(tmp_path, *requeue, "2.png", exit_code=2)
    assert "Of 1 item 1 is done" in call(tmp_path, *requeue, "2.png#2", exit_code=2)
    call(tmp_path, "export", "r", "csv", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text().count("2.png,not reviewed") == 2


def test_a_prompt_of_several_is_previewed(tmp_path: Path) -> None:
    scans(tmp_path)
    said = call(tmp_path, "recipe", "preview", "vqa-rad", "scans", "--item", "2.png", "--part", "2")
    assert "Question: Is it 1?" in said and "Reference answer: It is 1" in said
    assert "Question: Is it 0?" in call(tmp_path, "recipe", "preview", "vqa-rad", "scans")
    preview = ("recipe", "preview", "vqa-rad", "scans", "--item")
    assert "no request 3 about the picture 2.png: there are 2" in call(
        tmp_path, *preview, "2.png", "--part", "3", exit_code=2
    )
    assert "has no question-answer pair of its own" in call(tmp_path, *preview, "0.png", exit_code=2)


def test_a_dataset_without_pairs_is_refused_in_words(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    Image.new("RGB", (24, 16)).save(root / "a.png")
    call(tmp_path, "dataset", "import", "folder", str(root), "--name", "plain")
    start = ("run", "start", "plain", "--recipe", "vqa-rad", "--endpoint", "embedded", "--yes")
    assert "no picture of plain has a question-answer pair of its own" in call(tmp_path, *start, exit_code=2)
