"""The rules of each trainer, each broken once in a record of its format."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.written import pictures_with_pairs, raw_records, write_export
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import ProblemKind

Change = Callable[[Any], object]
URL = "https://example.org/a.png"


def _content(record: Any, message: int = 0) -> Any:
    return record["messages"][message]["content"]


def _put(place: Callable[[Any], Any], key: Any, value: Any) -> Change:
    return lambda record: place(record).__setitem__(key, value)


def _same(record: Any) -> Any:
    return record


BROKEN: list[tuple[str, Change, str]] = [
    ("qwen-finetune", _put(lambda r: r["conversations"][0], "from", "system"), "turn 1 is from `system`"),
    ("qwen-finetune", _put(lambda r: r["conversations"][0], "value", "What?"), "0 <image> tags in the questions for 1"),
    ("qwen-finetune", _put(lambda r: r["conversations"][1], "value", "<image>"), "a <image> tag in an answer"),
    ("sharegpt", _put(_same, "images", []), "1 <image> tag in the questions for 0 image"),
    ("sharegpt", _put(lambda r: r["messages"][1], "role", "gpt"), "message 2 is of `gpt`, not of `assistant`"),
    ("sharegpt", _put(lambda r: r["messages"][1], "role", "user"), "message 2 is of `user`, not of `assistant`"),
    ("sharegpt", _put(lambda r: r["messages"][0], "content", [{"type": "text", "text": "Hm?"}]), "has no text in"),
    ("sharegpt", lambda r: r["messages"].pop(), "the last question has no answer"),
    ("sharegpt", _put(_same, "messages", []), "`messages` is no list of messages"),
    ("sharegpt", _put(_same, "messages", [{"role": "system", "content": "x"}]), "holds no question"),
    ("sharegpt", _put(_same, "messages", [7]), "message 1 has no `role`"),
    ("trl", lambda r: r["images"].append(r["images"][0]), "1 image parts for 2 image"),
    ("trl", _put(lambda r: _content(r, 1), 0, {"type": "image"}), "of `assistant` holds a picture"),
    ("trl", _put(_content, 0, {"type": "audio"}), "neither text nor picture for trl"),
    (
        "unsloth",
        _put(lambda r: r["messages"][1], "content", "It is."),
        "plain text for a content; unsloth needs",
    ),
    ("unsloth", _put(_content, 0, {"type": "image"}), "an image part names no picture"),
    ("unsloth", _put(_same, "images", ["a", "b"]), "1 image parts for 2 image"),
    ("openai-ft", _put(lambda r: _content(r)[0]["image_url"], "url", "pictures/p 0é.png"), "OpenAI cannot read files"),
    ("openai-ft", _put(lambda r: _content(r)[0]["image_url"], "url", "data:image/gif;base64,AA"), "type image/gif"),
    ("openai-ft", _put(lambda r: _content(r)[0]["image_url"], "url", "data:image/png;base64,?"), "is no base64"),
    ("openai-ft", _put(lambda r: _content(r)[0]["image_url"], "url", "data:image/png;base64,AAAA"), "cannot be opened"),
    ("openai-ft", _put(lambda r: _content(r)[0]["image_url"], "detail", "tiny"), "`detail` is 'tiny'"),
    ("openai-ft", lambda r: _content(r).extend([_content(r)[0]] * 10), "11 pictures in a record; OpenAI takes 10"),
    ("openai-ft", _put(lambda r: r["messages"][1], "content", [{"type": "text", "text": "x"}]), "is not plain text"),
    ("model-garden", _put(_same, "image", "pictures/p 0é.png"), "the picture is a relative path"),
    ("model-garden", _put(_same, "image", URL), "the picture is a URL; the trainer puts a blank picture"),
    ("model-garden", _put(_same, "text", None), "`text` is missing or not a text"),
    ("model-garden", lambda r: r.update(image=[r["image"]] * 2), "2 images in a record; the trainer keeps the first"),
    ("vqa-rad-enhanced", lambda r: r.update({"0" * 32: r.pop(next(iter(r))) | {"qa_pairs": []}}), "no list of pairs"),
    ("vqa-rad-enhanced", lambda r: next(iter(r.values())).pop("image_path"), "`image_path` is missing"),
    ("vqa-rad-enhanced", lambda r: next(iter(r.values()))["image_info"].pop("size"), "is not width and height"),
    ("vqa-rad-enhanced", lambda r: next(iter(r.values()))["qa_pairs"][0].pop("original_answer"), "pair 1 lacks"),
    (
        "vqa-rad-enhanced",
        lambda r: next(iter(r.values()))["qa_pairs"][0].update(descriptive_answer="Error after 5 retries: 429"),
        "pair 1 has an error message for an answer",
    ),
    ("evud", lambda r: r["category_question_answer_tuples"].pop(), "hold different pairs"),
    ("evud", lambda r: r["category_question_answer_tuples"][0].pop("category"), "tuple 1 lacks `category`"),
    ("evud", _put(_same, "id", 1), "the id `1`"),
]


@pytest.mark.parametrize(("form", "change", "words"), BROKEN)
def test_a_broken_rule_is_found(form: str, change: Change, words: str, tmp_path: Path) -> None:
    known = FORMATS[form]
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures_with_pairs(tmp_path), use=use)
    records = copy.deepcopy(raw_records(out))
    change(records[0])
    if known.suffix == ".jsonl":
        text = "".join(json.dumps(record) + "\n" for record in records)
    elif form == "vqa-rad-enhanced":
        text = json.dumps({key: value for record in records for key, value in record.items()})
    else:
        text = json.dumps(records)
    out.write_text(text, "utf-8")
    messages = [problem.message for problem in validate_export(out).problems]
    assert any(words in message for message in messages), messages


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda q, a: q[0].update(question_id="x"), "`question_id` is not a whole number"),
        (lambda q, a: a[0].update(answer_type="maybe"), "`answer_type` is none of"),
        (lambda q, a: a[0].update(answers=[]), "`answers` is no list of answers"),
        (lambda q, a: a[0].update(image_id=9), "have different `image_id`s"),
        (lambda q, a: a[0].pop("multiple_choice_answer"), "`multiple_choice_answer` is missing"),
        (lambda q, a: q[0].update(question_id=q[1]["question_id"]), "the id `1001`"),
        (lambda q, a: a.insert(0, 7), "x.annotations.json: not an object but a number"),
    ],
)
def test_broken_rules_of_vqa_v2(change: Callable[[Any, Any], object], words: str, tmp_path: Path) -> None:
    out, beside = tmp_path / "x.json", tmp_path / "x.annotations.json"
    write_export(out, "vqa-v2", pictures_with_pairs(tmp_path))
    questions, annotations = json.loads(out.read_text("utf-8")), json.loads(beside.read_text("utf-8"))
    change(questions["questions"], annotations["annotations"])
    out.write_text(json.dumps(questions), "utf-8")
    beside.write_text(json.dumps(annotations), "utf-8")
    messages = [problem.message for problem in validate_export(out).problems]
    assert any(words in message for message in messages), messages


def test_other_writings_of_a_format_are_read(tmp_path: Path) -> None:
    """Without a manifest the content alone says which format it is."""
    pictures_with_pairs(tmp_path)
    image = str(tmp_path / "pictures" / "p 0é.png")
    part, text, answer = {"type": "image"}, {"type": "text", "text": "Hm?"}, {"type": "text", "text": "A dot."}

    def talk(question: Any, reply: Any, **more: Any) -> dict[str, Any]:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        return {"messages": [{"role": "system", "content": "Be short."}, *turns], **more}

    for form, record in {
        "sharegpt": talk("<image>Hm?", "A dot.", images=[image]),
        "trl": talk([part, text], [answer], image=image),
        "unsloth": talk([{"type": "image", "image": image}, text], [answer]) | {"messages": [
            {"role": "user", "content": [{"type": "image", "image": image}, text]},
            {"role": "assistant", "content": [answer]},
        ]},
        "openai-ft": talk([{"type": "image_url", "image_url": {"url": URL}}, text], "A dot."),
        "model-garden": {"text": "Hm?", "image": image, "output": "A dot."},
    }.items():  # fmt: skip
        path = tmp_path / f"{form}.jsonl"
        path.write_text(json.dumps(record) + "\n", "utf-8")
        report = validate_export(path)
        assert report.stats.formats == (form,)
        wanted = ["no dataset_info.json beside it"] if form == "sharegpt" else []
        assert [problem.message[:30] for problem in report.problems] == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,question,answer\na,b\n", "2 fields for 3 columns"),
        ("image,image\na,b\n", "a column name stands twice"),
        ('image,question,answer\na,"b,c\n', "not a table that can be read"),
        ("image,question\na,b\n", "`answer` is missing"),
        (b"image,question,answer\na,\xff,b\n", "not UTF-8"),
        ("image,question,answer\n" + "x" * 1_000_001 + ",a,b\n", "field larger than"),
    ],
)
def test_broken_tables(text: str | bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    messages = [problem.message for problem in validate_export(path).problems]
    assert any(words in message for message in messages), messages


@pytest.mark.parametrize(
    "text",
    ['{"questions": {"a": 1}}', '{"questions": [1', '{"info": 1, "info": 2, "questions": [{}]}', '{"' + "0" * 32],
)
def test_broken_documents_end_in_words(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    report = validate_export(path)
    assert not report.ok and report.problems[0].message


def test_a_question_that_the_dataset_asks_twice_is_no_fault_of_its_enhancement(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    write_export(out, "vqa-rad-enhanced", pictures_with_pairs(tmp_path), use=PictureUse.IN_PLACE)
    members = {key: value for record in raw_records(out) for key, value in record.items()}
    for member in members.values():
        member["qa_pairs"] *= 2
    out.write_text(json.dumps(members), "utf-8")
    assert ProblemKind.DUPLICATE not in {problem.kind for problem in validate_export(out).problems}
