"""Every export format as rows for the trainer: the pairs and the pictures that were exported, and nothing lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.exporters.written import TRICKY, pictures_with_pairs, write_export
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.splitting import SplitByHash
from vqa_tui.exporters.training_rows import RowProblem, training_rows
from vqa_tui.operations.training_data import prepare_rows

Write = Callable[..., Path]


def rows_of(path: Path) -> list[TrainingRow]:
    return [TrainingRow.of_json(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("form", list(FORMATS))
def test_every_format_becomes_rows(form: str, grouped: bool, tmp_path: Path) -> None:
    known = FORMATS[form]
    if grouped and not known.can_group:
        pytest.skip(f"{form} holds each pair apart")
    pictures = pictures_with_pairs(tmp_path)
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures, grouped=grouped, use=use)
    folder = tmp_path / "training"
    folder.mkdir()
    made = prepare_rows(out, folder, held_out_share=0.0, seed=1)
    rows = rows_of(folder / ROWS)
    assert (made.left_out, made.held_out, made.rows) == (0, 0, len(rows)), made.problems
    assert [row.id for row in rows] == list(range(len(rows)))
    expected = {pair.answer.strip() for picture in pictures for pair in picture.pairs}
    answers = {turn.text.strip() for row in rows for turn in row.turns if turn.role == "assistant"}
    assert {squeezed(each) for each in answers} == {squeezed(each) for each in expected}
    for row in rows:
        assert [turn.role for turn in row.turns] == ["user", "assistant"] * (len(row.turns) // 2)
        assert row.turns[0].parts[0] == 0 and all(isinstance(turn.parts[0], str) for turn in row.turns[1:])
        (path,) = row.pictures
        number = next(int(c) for c in row.turns[1].text[::-1] if c.isdigit())
        with Image.open(path) as opened:
            assert opened.size == (20 + number, 16)
        assert "<image>" not in "".join(turn.text for turn in row.turns)
    if grouped:
        assert len(rows) == 3 and all(len(row.turns) == 4 for row in rows)


def squeezed(text: str) -> str:
    """Without the kinds of line ends and outer spaces that some formats make alike."""
    return " ".join(text.split())


@pytest.mark.parametrize("form", ["tags", "parts"])
def test_pictures_stay_where_they_stand_in_a_conversation(form: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (20, 16)).save(tmp_path / name)
    if form == "tags":
        record: dict[str, Any] = {
            "image": ["a.png", "b.png", "c.png"],
            "conversations": [
                {"from": "human", "value": "<image>\n<image>\nAre these alike?"},
                {"from": "gpt", "value": "Yes."},
                {"from": "human", "value": "And this <image> here?"},
                {"from": "gpt", "value": "No."},
            ],
        }
    else:
        image = {"type": "image"}
        record = {
            "images": ["a.png", "b.png", "c.png"],
            "messages": [
                {"role": "user", "content": [image, image, {"type": "text", "text": "Are these alike?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "And this "}, image, {"type": "text", "text": " here?"}],
                },
                {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
            ],
        }
    (tmp_path / "x.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
    (row,) = training_rows([tmp_path / "x.jsonl"], tmp_path / "inline")
    assert isinstance(row, TrainingRow), row
    assert [turn.parts for turn in row.turns] == [
        (0, 1, "Are these alike?"),
        ("Yes.",),
        ("And this ", 2, " here?"),
        ("No.",),
    ]


def test_a_record_without_a_picture_keeps_its_words(tmp_path: Path) -> None:
    records = [{"question": "What is 2 + 2?", "answer": "4"}, {"text": "And 3 + 3?", "response": "6"}]
    rows: list[TrainingRow | RowProblem] = []
    for number, record in enumerate(records):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
        rows += training_rows([tmp_path / f"{number}.jsonl"], tmp_path / "inline")
    assert [[turn.parts for turn in row.turns] for row in rows if isinstance(row, TrainingRow)] == [
        [("What is 2 + 2?",), ("4",)],
        [("And 3 + 3?",), ("6",)],
    ]


def test_tricky_text_stays_as_it_is(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path)
    write_export(tmp_path / "x.jsonl", "qwen", pictures, grouped=True)
    row = next(iter(training_rows([tmp_path / "x.jsonl"], tmp_path / "inline")))
    assert isinstance(row, TrainingRow)
    assert row.turns[0].text == f"{TRICKY[0]} 0" and row.turns[1].text == f"{TRICKY[1]} 0"
    assert TrainingRow.of_json(row.as_json()) == row


def test_what_is_no_row_says_where_and_why(tmp_path: Path, pictures: list[str], write_lines: Write) -> None:
    turns = [{"from": "human", "value": "<image>What?"}, {"from": "gpt", "value": "A dot."}]
    clip = [{"from": "human", "value": "<video>What?"}, {"from": "gpt", "value": "A dot."}]
    path = write_lines(
        "not json",
        {"video": "a.mp4", "conversations": clip},
        {"image": pictures[0], "conversations": turns[:1]},
        {"image": pictures[0], "conversations": turns},
        {"image": [pictures[0], pictures[1]], "conversations": turns},
    )
    found = list(training_rows([path], tmp_path / "inline", first_id=7))
    problems = [each for each in found if isinstance(each, RowProblem)]
    assert [each.place for each in problems] == [f"train.jsonl, line {number}" for number in (1, 2, 3, 5)]
    assert "clip" in problems[1].reason and "<image> tag" in problems[3].reason
    (row,) = (each for each in found if isinstance(each, TrainingRow))
    assert (row.id, row.key, row.pictures) == (7, pictures[0], (str(tmp_path / pictures[0]),))


def test_the_sides_of_a_split_export_are_kept(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path, 8)
    hashes = sorted(picture.sha256 for picture in pictures)
    write_export(tmp_path / "x.jsonl", "qwen", pictures, split=SplitByHash(hashes[5]))
    for named in ("x.jsonl", "x.train.jsonl"):
        folder = tmp_path / f"from {named}"
        folder.mkdir()
        made = prepare_rows(tmp_path / named, folder, held_out_share=0.9, seed=1)
        assert (made.rows, made.held_out) == (12, 4)
        learned = {path for row in rows_of(folder / ROWS) for path in row.pictures}
        looked = {path for row in rows_of(folder / HELD_OUT) for path in row.pictures}
        assert len(learned) == 6 and len(looked) == 2 and not learned & looked
        told = json.loads((folder / "data.json").read_text())
        assert told["format"] == "qwen" and len(told["files"]) == 2 and (told["rows"], told["held_out"]) == (12, 4)
    with pytest.raises(VqaError, match="held-out side of an export"):
        prepare_rows(tmp_path / "x.val.jsonl", tmp_path, held_out_share=0.1, seed=1)


def test_the_side_for_tests_is_left_alone(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path, 8)
    hashes = sorted(picture.sha256 for picture in pictures)
    write_export(tmp_path / "x.jsonl", "qwen", pictures, split=SplitByHash(hashes[3], hashes[5]))
    for named in ("x.jsonl", "x.train.jsonl"):
        folder = tmp_path / f"from {named}"
        folder.mkdir()
        made = prepare_rows(tmp_path / named, folder, held_out_share=0.9, seed=1)
        assert (made.rows, made.held_out) == (8, 4)
        assert len(json.loads((folder / "data.json").read_text())["files"]) == 2
    with pytest.raises(VqaError, match="held-out side of an export"):
        prepare_rows(tmp_path / "x.test.jsonl", tmp_path, held_out_share=0.1, seed=1)


def test_without_a_split_pictures_are_drawn_by_the_seed(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path, 60)
    write_export(tmp_path / "x.jsonl", "qwen", pictures)
    drawn = []
    for seed in (1, 1, 2):
        prepare_rows(tmp_path / "x.jsonl", tmp_path, held_out_share=0.25, seed=seed)
        learned = {path for row in rows_of(tmp_path / ROWS) for path in row.pictures}
        looked = {path for row in rows_of(tmp_path / HELD_OUT) for path in row.pictures}
        assert not learned & looked and len(learned | looked) == 60 and 2 <= len(looked) <= 40
        drawn.append(looked)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_of_few_pictures_one_is_held_out_and_of_one_none(tmp_path: Path, share: float) -> None:
    """Also where the draw takes all of them, as it can where there are few."""
    for count, sides in ((5, (8, 2)), (1, (2, 0))):
        write_export(tmp_path / "x.jsonl", "qwen", pictures_with_pairs(tmp_path, count))
        made = prepare_rows(tmp_path / "x.jsonl", tmp_path, held_out_share=share, seed=1)
        assert (made.rows, made.held_out) == sides
        assert (len(rows_of(tmp_path / ROWS)), len(rows_of(tmp_path / HELD_OUT))) == sides
    made = prepare_rows(tmp_path / "x.jsonl", tmp_path, held_out_share=0.0, seed=1)
    assert made.held_out == 0


@pytest.mark.parametrize(
    ("form", "name", "place"),
    [
        ("llava", "x.json", r"x\.json, entry \d+: the JSON list breaks off here: "),
        ("qwen", "x.jsonl", r"x\.jsonl, line \d+: not JSON: "),
    ],
)
def test_a_file_that_is_cut_is_refused_where_it_breaks_off(form: str, name: str, place: str, tmp_path: Path) -> None:
    """And not learned from up to there."""
    out = tmp_path / name
    write_export(out, form, pictures_with_pairs(tmp_path, 6))
    for manifest in tmp_path.glob("*manifest*"):
        manifest.unlink()
    data = out.read_bytes()
    out.write_bytes(data[: len(data) * 2 // 3 + 5])
    with pytest.raises(VqaError, match=rf"x\.jsonl? cannot be read to its end: {place}"):
        prepare_rows(out, tmp_path, held_out_share=0.0, seed=1)
    # A whole last line needs no line end.
    out.write_bytes(data.rstrip())
    assert prepare_rows(out, tmp_path, held_out_share=0.0, seed=1).left_out == 0


def test_answers_of_vqa_v2_that_are_cut_are_refused(tmp_path: Path) -> None:
    write_export(tmp_path / "x.json", "vqa-v2", pictures_with_pairs(tmp_path, 6))
    (answers,) = (each for each in tmp_path.glob("x*.json") if "annotations" in each.name)
    answers.write_bytes(answers.read_bytes()[: answers.stat().st_size // 2])
    with pytest.raises(VqaError, match=rf"cannot be read to its end: .* {answers.name}: the JSON object breaks off"):
        prepare_rows(tmp_path / "x.json", tmp_path, held_out_share=0.0, seed=1)


def test_data_that_cannot_be_used_is_refused_in_words(tmp_path: Path, write_lines: Write) -> None:
    with pytest.raises(VqaError, match="there is no file"):
        prepare_rows(tmp_path / "gone.jsonl", tmp_path, held_out_share=0.1, seed=1)
    with pytest.raises(VqaError, match=r"nothing in .*train\.jsonl can be learned from: train\.jsonl, line 1: "):
        prepare_rows(write_lines("nothing"), tmp_path, held_out_share=0.1, seed=1)
