"""Conversations in every form that trainers read: turns become questions, and what is no picture is told."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
SHARED = Path(__file__).parents[3] / "shared" / "data"
TURNS = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A cat."}]


def read(path: Path, scratch: SqliteScratch, kind: str = "llava") -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(open_source(kind, path).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def uri(colour: str) -> str:
    stream = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(stream, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"


def pairs(item: SourceItem) -> list[tuple[str, str]]:
    return [(asked.question, asked.answer) for asked in item.truth.questions]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample data is absent")
def test_the_real_file_of_model_garden(scratch: SqliteScratch) -> None:
    items, problems = read(SHARED / "model_garden" / "vision_dataset.jsonl", scratch, "model-garden")
    assert problems == []
    assert len(items) == 5 and all(item.truth.questions for item in items)
    assert items[0].path == "data/test_images/red_square.jpg"


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("llava", {"id": "1", "image": "a.jpg", "conversations": TURNS}),
        ("qwen", {"image": ["a.jpg"], "conversations": TURNS}),
        ("qwen", [{"image": "a.jpg", "conversations": TURNS}]),
        ("qwen", {"image_id": "train_00001", "image_path": "a.jpg", "conversations": TURNS}),
        (
            "sharegpt",
            {
                "messages": [
                    {"role": "user", "content": "<image>What is it?"},
                    {"role": "assistant", "content": "A cat."},
                ],
                "images": ["a.jpg"],
            },
        ),
        ("model-garden", {"text": "What is it?", "image": "a.jpg", "response": "A cat."}),
        ("model-garden", {"text": "What is it?", "image": "a.jpg", "output": "A cat."}),
        (
            "model-garden",
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "a.jpg"}},
                            {"type": "text", "text": "What is it?"},
                        ],
                    },
                    {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
                ]
            },
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["list.json", "lines.jsonl"])
def test_each_form_gives_the_same_question(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, kind: str, record: Any, form: str
) -> None:
    make_picture("a.jpg")
    path = tmp_path / form
    flat = record[0] if isinstance(record, list) else record
    path.write_text(json.dumps([flat, record]) if form == "list.json" else f"{json.dumps(record)}\n" * 2)
    (item,), problems = read(path, scratch, kind)
    assert problems == []
    assert (item.key, item.path) == ("a.jpg", "a.jpg")
    assert pairs(item) == [("What is it?", "A cat.")] * 2


def test_turns_captions_system_words_and_further_fields(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("images/a.jpg")
    turns = [
        {"from": "system", "value": "Be short."},
        *TURNS,
        {"from": "human", "value": "Where?"},
        {"from": "gpt", "value": "There."},
        {"from": "human", "value": "Left without an answer?"},
    ]
    caption = [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "A cat on a mat."}]
    path = lines(
        tmp_path / "train.jsonl",
        {"id": 7, "image": "a.jpg", "conversations": turns, "source": "x"},
        {"image": "./a.jpg", "conversations": caption, "split": "test"},
    )
    (item,), problems = read(path, scratch)
    assert [problem.reason for problem in problems] == [
        "turn 6 left out: a question without an answer, or an answer without a question"
    ]
    assert pairs(item) == [("What is it?", "A cat."), ("Where?", "There.")]
    assert item.truth.captions == ("A cat on a mat.",)
    first = item.truth.extra["rows"][0]
    assert first == {"id": 7, "image": "a.jpg", "source": "x", "system": "Be short."}
    assert item.split is None, "one record says train, by the name of the file, and one test"
    assert [asked.split for asked in item.truth.questions] == ["train", "train"]


def test_a_question_with_an_empty_answer_is_not_joined_to_the_next(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    said = [("gpt", "Hello."), ("human", "Where?"), ("gpt", " "), ("human", "And"), ("human", "why?"), ("gpt", "So.")]
    turns = [*({"from": role, "value": words} for role, words in said), {"from": "gpt", "value": "Again."}]
    (item,), problems = read(lines(tmp_path / "set.jsonl", {"image": "a.jpg", "conversations": turns}), scratch)
    assert pairs(item) == [("And\nwhy?", "So.")]
    assert [problem.reason.partition(" left")[0] for problem in problems] == ["turns 1, 2, 7"]


def test_pictures_in_the_records_are_written_once(tmp_path: Path, scratch: SqliteScratch) -> None:
    records = [{"text": f"Question {each}?", "image": uri("teal"), "response": "Yes."} for each in range(2)]
    path = lines(tmp_path / "set.jsonl", *records, {"text": "And?", "image": uri("red"), "response": "No."})
    items, problems = read(path, scratch, "model-garden")
    assert problems == [] and [len(item.truth.questions) for item in items] == [2, 1]
    names = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "vqa_pictures").iterdir()}
    assert {f"vqa_pictures/{name}" for name in names} == {item.key for item in items}
    assert all("data:" not in json.dumps(item.truth.extra) for item in items)
    with SqliteScratch() as again:
        assert read(path, again, "model-garden") == (items, [])
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "vqa_pictures").iterdir()} == names


def test_every_bad_record_ends_in_one_line(tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch) -> None:
    make_picture("set/a.jpg")
    make_picture("outside.jpg")
    (tmp_path / "set" / "no-video.mp4").write_bytes(b"no video")
    (tmp_path / "set" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    cases: list[tuple[Any, str]] = [
        ({"image": "../outside.jpg", "conversations": TURNS}, "has a `..` step"),
        ({"image": "/etc/passwd", "conversations": TURNS}, "is an absolute path"),
        ({"image": "link.jpg", "conversations": TURNS}, "is a link that leads out of"),
        ({"image": "gone.jpg", "conversations": TURNS}, "no such picture"),
        ({"image": "a.jpg\0", "conversations": TURNS}, "NUL"),
        ({"image": ["a.jpg", "b.jpg"], "conversations": TURNS}, "no such picture"),
        ({"video": "gone.mp4", "conversations": TURNS}, "no such video"),
        ({"video": "https://example.org/v.mp4", "conversations": TURNS}, "the video is a web address"),
        ({"video": ["1.jpg", "2.jpg"], "conversations": TURNS}, "a list of frames in its place is not read"),
        ({"video": "a.jpg", "conversations": TURNS}, "its video is no file that ends in .avi"),
        ({"video": "../v.mp4", "conversations": TURNS}, "has a `..` step"),
        ({"videos": ["v.mp4", "w.mp4"], "conversations": TURNS}, "a video among 2 files"),
        ({"image": "a.jpg", "video": "v.mp4", "conversations": TURNS}, "a video among 2 files"),
        ({"video": "no-video.mp4", "conversations": TURNS}, "the video "),
        ({"conversations": TURNS}, "names no picture"),
        ({"image": 5, "conversations": TURNS}, "names no picture"),
        ({"image": "https://example.org/a.jpg", "conversations": TURNS}, "is a web address"),
        ({"image": "data:image/png;base64,%%%", "conversations": TURNS}, "not valid base64"),
        ({"image": "data:image/png;base64,", "conversations": TURNS}, "is empty (0 bytes)"),
        ({"image": "data:image/svg+xml;base64,PHN2Zy8+", "conversations": TURNS}, "SVG"),
        ({"image": uri("red")[:-400], "conversations": "none"}, "not a list of turns"),
        ({"image": "a.jpg", "conversations": [{"from": "human"}]}, "turn 1 has no text"),
        ({"image": "a.jpg", "conversations": TURNS[:1]}, "no question with an answer"),
        ({"image": "a.jpg", "text": "What?", "response": None}, "has no `response`"),
        ({"image": "a.jpg"}, "holds neither turns"),
        ("text", "is text, not an object"),
    ]
    path = lines(tmp_path / "set" / "x.jsonl", {"image": "a.jpg", "conversations": TURNS}, *(bad for bad, _ in cases))
    with path.open("a") as stream:
        stream.write('{"image": "a.jpg", \n' + "[" * 100_000 + "\n")
    (item,), problems = read(path, scratch)
    assert pairs(item) == [("What is it?", "A cat.")]
    reasons = {problem.where: problem.reason for problem in problems}
    assert len(reasons) == len(cases) + 2
    for number, (_bad, words) in enumerate(cases, start=2):
        assert words in reasons[f"x.jsonl line {number}"]
        assert "\n" not in reasons[f"x.jsonl line {number}"]
    assert reasons[f"x.jsonl line {len(cases) + 3}"] == "is nested too deeply"
    assert "is not valid JSON" in reasons[f"x.jsonl line {len(cases) + 2}"]


def test_the_ground_truth_of_a_qwen_export_is_read(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    stated: dict[str, Any] = {
        "a.jpg": {"category": "positive", "items": ["Gun", "Knife"]},
        "b.jpg": {"category": "negative", "items": []},
        "c.jpg": {"category": "unknown", "items": []},
        "d.jpg": "no object",
        "e.jpg": {"category": "negative", "items": [{"label": "Gun"}]},
        "f.jpg": {"items": 3},
    }
    records = [{"image": name, "conversations": TURNS, "ground_truth": truth} for name, truth in stated.items()]
    for name in stated:
        make_picture(f"set/{name}")
    items, problems = read(lines(tmp_path / "set" / "x.jsonl", *records, *records), scratch, "qwen")
    assert problems == []
    assert [(item.truth.categories, item.truth.states_none) for item in items] == [
        (("Gun", "Knife"), False),
        ((), True),
        *[((), False)] * 4,
    ]


@pytest.mark.parametrize("text", ["", "no JSON", "[1, 2", '[{"image": "a.jpg"'])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, scratch: SqliteScratch, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(VqaError) as refused:
        read(path, scratch)
    what, *hint = str(refused.value).splitlines()
    assert str(path) in what and len(hint) == 1


def test_pictures_of_one_conversation_make_one_item_in_their_order(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("set/a.jpg", "set/b.jpg", "set/c.jpg"):
        make_picture(name)
    two = [{"from": "human", "value": "<image>\n<image>\nWhat differs?"}, {"from": "gpt", "value": "The bag."}]
    parts = [
        {"role": "user", "content": [{"type": "image", "image": "b.jpg"}, {"type": "text", "text": "And here?"}]},
        {"role": "assistant", "content": "Nothing."},
        {"role": "user", "content": [{"type": "image", "image": uri("red")}, {"type": "text", "text": "And now?"}]},
        {"role": "assistant", "content": "It is red."},
    ]
    path = lines(
        tmp_path / "set" / "x.jsonl",
        {"image": ["b.jpg", "a.jpg"], "conversations": two},
        {"image": "b.jpg", "conversations": TURNS},
        {"images": ["b.jpg", "a.jpg"], "conversations": TURNS},
        {"images": ["a.jpg", "b.jpg"], "conversations": TURNS},
        {"messages": parts},
        {"images": ["a.jpg", "gone.jpg"], "conversations": TURNS},
    )
    items, problems = read(path, scratch)
    assert [(item.key, item.path, item.further) for item in items[:3]] == [
        ("b.jpg + a.jpg", "b.jpg", ("a.jpg",)), ("b.jpg", "b.jpg", ()), ("a.jpg + b.jpg", "a.jpg", ("b.jpg",)),
    ]  # fmt: skip
    assert pairs(items[0]) == [("What differs?", "The bag."), ("What is it?", "A cat.")], "rows of the same pictures"
    assert items[3].path == "b.jpg" and items[3].further[0].startswith("vqa_pictures/")
    assert pairs(items[3]) == [("And here?", "Nothing."), ("And now?", "It is red.")]
    assert [problem.where for problem in problems] == ["x.jsonl line 6"] and "gone.jpg" in problems[0].reason


def test_the_key_of_many_pictures_is_short_and_tells_them_apart(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    names = [f"a-rather-long-name-of-a-picture-{number:02}.jpg" for number in range(20)]
    for name in names:
        make_picture(f"set/{name}")
    asked = [{"images": order, "conversations": TURNS} for order in (names, names[:-2] + names[-1:] + names[-2:-1])]
    items, problems = read(lines(tmp_path / "set" / "x.jsonl", *asked), scratch)
    assert not problems and len({item.key for item in items}) == 2
    assert all(item.key.startswith(f"{names[0]} + 19 more (") and len(item.key) < 80 for item in items)
