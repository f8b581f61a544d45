"""Validation of files from anywhere: each fault planted once, found with its line."""

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.domain.structured import STRUCTURED_QUESTION
from vqa_tui.exporters.manifest import ManifestChecks
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import MAX_PROBLEMS, ProblemKind

WriteLines = Callable[..., Path]


def _talk(image: Any, *turns: str, **more: Any) -> dict[str, Any]:
    turns = turns or ("<image>\nWhat is it?", "It is a red picture.")
    roles = ("human", "gpt")
    return {
        "image": image,
        "conversations": [{"from": roles[n % 2], "value": value} for n, value in enumerate(turns)],
        **more,
    }


def _flat(image: str, question: str = "What is it?", answer: str = "It is a red picture.") -> dict[str, Any]:
    return {"image_path": image, "question": question, "answer": answer, "metadata": {"question_type": "general"}}


def _truth(category: str, *items: str) -> dict[str, Any]:
    return {"category": category, "items": list(items)}


def _found(path: Path) -> list[tuple[ProblemKind, int]]:
    report = validate_export(path)
    assert report.ok == (not report.problems)
    assert report.verdict[-1].startswith("✓" if report.ok else "✗")
    return [(problem.kind, problem.line) for problem in report.problems]


def test_a_good_file(pictures: list[str], write_lines: WriteLines) -> None:
    report = validate_export(write_lines(*(_talk(name) for name in pictures)))
    assert report.ok
    assert report.verdict == (
        "✓ Validated 6 VQA pairs",
        "✓ All images exist",
        "✓ All conversations have valid format",
        "✓ No question or answer is empty or too short",
        "✓ No question is asked twice about an image",
        "– Not checked: risk words and answer length, as no manifest names the recipe; name it with --recipe",
        "✓ Dataset ready for training",
    )
    assert (report.stats.records, report.stats.pairs, report.stats.pictures) == (6, 6, 6)
    assert report.stats.formats == ("qwen",)
    assert report.stats.mean_answer_chars == len("It is a red picture.")


def test_other_good_forms(pictures: list[str], write_lines: WriteLines, tmp_path: Path) -> None:
    first, second = pictures[:2]
    grouped = _talk(first, "<image>\nWhat?", "Red.", "Where?", "There.")
    seed_form = {"image_path": second, "conversations": _talk(second)["conversations"]}
    two = _talk([first, second], "<image><image>\nWhich is larger?", "The second.")
    report = validate_export(write_lines(grouped, seed_form, two))
    assert report.ok
    assert (report.stats.records, report.stats.pairs, report.stats.pictures) == (3, 4, 2)
    (tmp_path / "list.json").write_text("\n " + json.dumps([grouped, two], indent=1), "utf-8")
    report = validate_export(tmp_path / "list.json")
    assert (report.ok, report.stats.formats, report.stats.pairs) == (True, ("llava",), 3)
    flat = validate_export(write_lines(_flat(first), _flat(second), name="flat.jsonl"))
    assert (flat.ok, flat.stats.formats, flat.stats.question_types) == (True, ("stcray-flat",), {"general": 2})
    assert "✓ No risk words" in flat.verdict


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        ('{"image": "img/0.png", ', ProblemKind.UNREADABLE, "not JSON"),
        ("[1]", ProblemKind.UNREADABLE, "not an object but a list"),
        ("[" * 100_000, ProblemKind.UNREADABLE, "nested too deeply"),
        ("\t ", ProblemKind.UNREADABLE, "a blank line"),
        ('{"image": "img/1.png", "score": NaN}', ProblemKind.UNREADABLE, "not JSON: NaN is no number"),
        ('{"image": {"a": 1, "b": 2, "a": 3}}', ProblemKind.UNREADABLE, "the key `a` stands twice"),
        ('{"image": "\\ud83d\\ude00 \\ud83d"}', ProblemKind.UNREADABLE, r"half a surrogate pair \(\\ud83d\)"),
        (_talk("img/1.png", image_path="img/2.png"), ProblemKind.CONVERSATION, "`image` and `image_path` name diff"),
        (_talk("img/1.png", images=[]), ProblemKind.CONVERSATION, "`image` and `images` name different files"),
        (_talk("img/1.png", "<image>What?", "Red.<|im_end|>"), ProblemKind.CONVERSATION, r"<\|im_end\|> in an answer"),
        (_talk("img/1.png", "<image>W<|endoftext|>?", "Red."), ProblemKind.CONVERSATION, "in a question"),
        (_talk("img/1.png", f"<image>\n{STRUCTURED_QUESTION}", '{"items": ['), ProblemKind.STRUCTURE, "not JSON"),
        (_talk("img/1.png", ground_truth=_truth("negative", "Gun")), ProblemKind.GROUND_TRUTH, "`negative` and names"),
        (_talk("img/1.png", ground_truth=_truth("unknown", "Gun")), ProblemKind.GROUND_TRUTH, "`unknown` and names"),
        (_talk("img/1.png", ground_truth=_truth("positive")), ProblemKind.GROUND_TRUTH, "names no items"),
        ({"foo": 1}, ProblemKind.CONVERSATION, "neither `conversations` nor"),
        (_flat("img/5.png"), ProblemKind.CONVERSATION, "a stcray-flat record in a qwen file"),
        (_talk("img/nowhere.png"), ProblemKind.PICTURE, "img/nowhere.png does not exist"),
        (_talk("img"), ProblemKind.PICTURE, "is not a file"),
        (_talk("img/\0"), ProblemKind.PICTURE, "img/"),
        (_talk("broken.png"), ProblemKind.PICTURE, "cannot be opened"),
        (_talk("train.jsonl"), ProblemKind.PICTURE, "cannot be opened"),
        (_talk("cut.png"), ProblemKind.PICTURE, "cannot be opened"),
        (_talk("huge.gif"), ProblemKind.PICTURE, "too large|bomb|more than the limit"),
        (_talk("img/1.png", "What is it?", "It is red."), ProblemKind.CONVERSATION, r"0 <image> tags .* 1 image"),
        (_talk("img/1.png", "<image><image>What?", "Red."), ProblemKind.CONVERSATION, r"2 <image> tags .* 1 image"),
        (_talk("img/1.png", "<image>What?", "An <image>."), ProblemKind.CONVERSATION, "a <image> tag in an answer"),
        (_talk("img/1.png", "<image><video>What?", "Red."), ProblemKind.CONVERSATION, r"1 <video> tag .* 0 video"),
        (_talk("img/1.png", "<image>What?"), ProblemKind.CONVERSATION, "the last question has no answer"),
        (
            {"image": "img/1.png", "conversations": [{"from": "gpt", "value": "Red."}]},
            ProblemKind.CONVERSATION,
            "turn 1 is from `gpt`, not from `human`",
        ),
        (
            {"image": "img/1.png", "conversations": [{"from": "human", "value": "<image>Q"}, {"role": "assistant"}]},
            ProblemKind.CONVERSATION,
            "turn 2 has no `from`",
        ),
        (
            {"image": "img/1.png", "conversations": [{"from": "human", "value": ["<image>Q"]}]},
            ProblemKind.CONVERSATION,
            "turn 1 has no text",
        ),
        ({"image": "img/1.png", "conversations": {}}, ProblemKind.CONVERSATION, "no list of turns"),
        (_talk(["img/1.png", 7], "<image>What?", "Red."), ProblemKind.CONVERSATION, "not a path or a list of paths"),
        (_talk("img/1.png", "<image>\nWhat?", "  "), ProblemKind.ANSWER, "an empty answer"),
        (_talk("img/1.png", "<image>\n", "Red."), ProblemKind.ANSWER, "an empty question"),
        (_talk("img/0.png", "<image> what  IS it?", "Red."), ProblemKind.DUPLICATE, "in train.jsonl, line 1"),
        (_talk("img/1.png", "<image>Q?", "Red.", "q?", "Red."), ProblemKind.DUPLICATE, "before on it"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_each_fault_is_found_on_its_line(
    bad: dict[str, Any] | str,
    kind: ProblemKind,
    words: str,
    pictures: list[str],
    write_lines: WriteLines,
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    Image.effect_noise((200, 200), 50).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "huge.gif").write_bytes(b"GIF89a\xff\xff\xff\xff\x00\x00\x00" + b"," + b"\0" * 20)
    report = validate_export(write_lines(_talk("img/0.png"), _talk("img/3.png"), bad, _talk("img/4.png")))
    assert not report.ok
    assert [(problem.kind, problem.line) for problem in report.problems] == [(kind, 3)]
    message = report.problems[0].message
    assert re.search(words, message)
    assert report.problems[0].place == "train.jsonl, line 3"
    assert report.verdict[-1] == "✗ Dataset not ready for training: 1 problem"
    assert report.counts == {kind: 1}


STRUCTURED = {"metadata": {"question_type": "structured_list"}}


def test_the_same_file_under_several_keys_and_sound_structured_answers(
    pictures: list[str], write_lines: WriteLines
) -> None:
    answer = '{"items": [{"name": "Knife"}], "total_count": 1}'
    structured = _talk("img/1.png", f"<image>\n{STRUCTURED_QUESTION}", answer, ground_truth=_truth("positive", "Knife"))
    clean = _talk("img/2.png", ground_truth=_truth("negative"))
    report = validate_export(write_lines(_talk("img/0.png", image_path="./img/0.png"), structured, clean))
    assert report.ok, report.problems
    assert "✓ All structured answers are JSON of the form asked for" in report.verdict
    assert "✓ No ground truth contradicts itself" in report.verdict


def test_limits_of_a_recipe_that_is_named(pictures: list[str], write_lines: WriteLines) -> None:
    lines = (_talk("img/0.png", "<image>Q?", "Risk level: low."), _talk("img/1.png", "<image>Q?", "No."))
    path = write_lines(*lines, _talk("img/2.png", ground_truth=_truth("unknown")))
    assert validate_export(path).ok
    report = validate_export(path, ManifestChecks(min_answer_chars=5, risk_words=("risk level",)))
    assert [(p.kind, p.line) for p in report.problems] == [(ProblemKind.RISK_WORDS, 1), (ProblemKind.ANSWER, 2)]
    assert "✗ 1 pair holds risk words" in report.verdict
    assert "✗ 1 question or answer is empty or too short" in report.verdict
    assert not any(line.startswith("–") for line in report.verdict)


def test_a_byte_order_mark_is_a_problem(pictures: list[str], write_lines: WriteLines, tmp_path: Path) -> None:
    path = write_lines("\ufeff" + json.dumps(_talk("img/0.png")))
    report = validate_export(path)
    assert [(p.kind, p.line, p.message) for p in report.problems] == [
        (ProblemKind.UNREADABLE, 1, "the file begins with a byte order mark, which JSON readers refuse")
    ]
    assert report.verdict[0] == "✗ 1 line or entry is not plain JSON"
    assert report.stats.pairs == 1


@pytest.mark.parametrize(
    ("entry", "kind", "words"),
    [
        ('{"id": "a", "a": 1, "a": 2}', ProblemKind.UNREADABLE, "the key `a` stands twice"),
        ('{"id": {"b": {"a": 1}, "a": {"a": 1, "a": 2}}}', ProblemKind.UNREADABLE, "the key `a` stands twice"),
        ('{"id": "\\ud83d\\ude00 \\ud83d"}', ProblemKind.UNREADABLE, "half a surrogate pair"),
        ('{"id": "\\ude00"}', ProblemKind.UNREADABLE, "half a surrogate pair"),
        (json.dumps(_talk("img/1.png", id="x")), ProblemKind.DUPLICATE_ID, "the id `x` of entry 1"),
        (json.dumps(_talk("img/1.png", id="\U0001f600 \\ud83d", extra=[{"a": 1}, {"a": 1}])), None, ""),
    ],
)
def test_faults_of_lists(entry: str, kind: ProblemKind | None, words: str, pictures: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(f"[{json.dumps(_talk('img/0.png', id='x'))}, {entry}, {json.dumps(_talk('img/2.png', id='z'))}]")
    report = validate_export(path)
    assert [(p.kind, p.line) for p in report.problems] == ([(kind, 2)] if kind else [])
    assert not kind or words in report.problems[0].message


def test_nan_breaks_a_list_off_in_words(pictures: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(f'[{json.dumps(_talk("img/0.png"))}, {{"x": NaN}}]')
    (problem,) = validate_export(path).problems
    assert problem.line == 2
    assert re.fullmatch(r"the JSON list breaks off here: [^.]*text", problem.message)


def test_a_record_without_an_image(write_lines: WriteLines) -> None:
    record = {"conversations": _talk("x", "What?", "Red.")["conversations"]}
    assert _found(write_lines(record)) == [(ProblemKind.PICTURE, 1)]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (_flat("img/1.png", answer="Too short."), ProblemKind.ANSWER),
        (_flat("img/1.png", answer="Inspection Required at once."), ProblemKind.RISK_WORDS),
        (_flat("img/1.png", question="<image>\nWhat is it?"), ProblemKind.CONVERSATION),
        ({"image_path": "img/1.png", "question": "What is it?"}, ProblemKind.CONVERSATION),
        (_flat("img/1.png") | {"image": "img/2.png"}, ProblemKind.CONVERSATION),
        (_flat("img/1.png", answer='{"items": [{"name": "K') | STRUCTURED, ProblemKind.STRUCTURE),
        (_flat("img/0.png", question="What is it?"), ProblemKind.DUPLICATE),
    ],
)
def test_faults_of_flat_files(
    bad: dict[str, Any], kind: ProblemKind, pictures: list[str], write_lines: WriteLines
) -> None:
    assert _found(write_lines(_flat("img/0.png"), bad)) == [(kind, 2)]


def test_a_broken_json_list_is_read_as_far_as_it_goes(pictures: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([_talk(pictures[0]), _talk("gone.png"), _talk(pictures[1])])[:-40])
    report = validate_export(path)
    assert [(p.kind, p.line, p.place) for p in report.problems] == [
        (ProblemKind.PICTURE, 2, "list.json, entry 2"),
        (ProblemKind.UNREADABLE, 3, "list.json, entry 3"),
    ]
    path.write_text("[" * 1_000_000)
    assert "nested too deeply" in validate_export(path).problems[-1].message


def test_not_utf8_and_empty_files(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"image": "\xff"}\n')
    assert [(p.kind, p.line) for p in validate_export(path).problems] == [
        (ProblemKind.UNREADABLE, 0),
        (ProblemKind.UNREADABLE, 1),
    ]
    path.write_bytes(b"")
    report = validate_export(path)
    assert [problem.message for problem in report.problems] == ["the file holds no question-answer pairs"]
    with pytest.raises(VqaError, match="there is no file"):
        validate_export(tmp_path / "nothing.jsonl")


def test_one_broken_picture_is_one_problem_however_often_it_is_named(write_lines: WriteLines) -> None:
    lines = [_talk("gone.png", f"<image>Question {n}?", "Red.") for n in range(40)]
    report = validate_export(write_lines(*lines))
    assert [(problem.kind, problem.line) for problem in report.problems] == [(ProblemKind.PICTURE, 1)]
    assert "named 40 times" in report.problems[0].message


def test_pictures_beside_the_current_folder(
    pictures: list[str], write_lines: WriteLines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lines(*(_talk(name) for name in pictures))
    (tmp_path / "elsewhere").mkdir()
    moved = path.rename(tmp_path / "elsewhere" / path.name)
    assert not validate_export(moved).ok
    monkeypatch.chdir(tmp_path)
    assert validate_export(moved).ok


def test_problems_are_kept_up_to_a_limit_and_counted_beyond(write_lines: WriteLines) -> None:
    report = validate_export(write_lines(*["{"] * (MAX_PROBLEMS + 5)))
    assert len(report.problems) == MAX_PROBLEMS
    assert report.problem_count == MAX_PROBLEMS + 6


def test_each_picture_is_opened_once(write_lines: WriteLines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "one.png")
    opened: list[BytesIO] = []
    real_open = Image.open

    def counting_open(source: BytesIO, **wishes: Any) -> Image.Image:
        opened.append(source)
        return real_open(source, **wishes)

    monkeypatch.setattr(Image, "open", counting_open)
    names = ["one.png", "./one.png", "img/../one.png"] * 20
    assert validate_export(write_lines(*(_talk(name, f"<image>{n}?", "Red.") for n, name in enumerate(names)))).ok
    assert len(opened) == 1


def test_no_decoder_that_starts_a_program_runs(write_lines: WriteLines, tmp_path: Path) -> None:
    """Pillow hands PostScript to Ghostscript; a training file from elsewhere may call such a file a photograph."""
    Image.new("RGB", (4, 4)).save(tmp_path / "page.eps")
    (tmp_path / "page.eps").rename(tmp_path / "page.jpg")
    (problem,) = validate_export(write_lines(_talk("page.jpg"))).problems
    assert "it is no picture in a format that is read here" in problem.message


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_the_import_would_refuse_is_refused_here(write_lines: WriteLines, tmp_path: Path) -> None:
    Image.new("1", (30_000, PIXEL_LIMIT // 30_000 + 1)).save(tmp_path / "wide.png")
    (problem,) = validate_export(write_lines(_talk("wide.png"))).problems
    assert f"more than the limit of {PIXEL_LIMIT:,} pixels; it was not decoded" in problem.message
