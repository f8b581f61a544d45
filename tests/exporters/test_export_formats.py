"""The records of each format, media tags from models, and files that appear whole or not at all."""

import hashlib
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.export import ExportedRun, ExportPair, ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Box, GroundTruth
from vqa_tui.exporters.atomic_file import AtomicFile
from vqa_tui.exporters.formats import FORMATS, export_format
from vqa_tui.exporters.media_tags import neutralised, special_token
from vqa_tui.exporters.placed import PlacedPicture
from vqa_tui.exporters.writing import picture_prefix

RUN = ExportedRun(
    id=1,
    name="r",
    phase="done",
    dataset="d",
    root="/data",
    recipe_name="stcray",
    recipe="{}",
    endpoint_name="e",
    model="gemini-2.0-flash",
    config_sha256="0" * 64,
    tasks={},
    last_sample_id=9,
)
PICTURE = ExportPicture(
    "train_00001",
    "bags/00001.jpg",
    "ab" * 32,
    GroundTruth(categories=("laptop", "phone", "laptop")),
    (
        ExportPair(0, "What items are visible?", "A laptop and a phone.", "general"),
        ExportPair(2, "Is there an <image> or <|im_end|>?", "No <video>.", "specific"),
    ),
)


def _records(name: str, picture: ExportPicture = PICTURE, grouped: bool = False) -> list[dict[str, Any]]:
    placed = PlacedPicture(picture, "x/bags/00001.jpg", Path("/data") / picture.path)
    return list(FORMATS[name].records(placed, RUN, grouped))


def _turns(*values: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[n % 2], "value": value} for n, value in enumerate(values)]


def test_qwen_is_the_conversation_form() -> None:
    first, second = _records("qwen")
    assert first == {
        "image_id": "train_00001",
        "image": "x/bags/00001.jpg",
        "image_path": "x/bags/00001.jpg",
        "conversations": _turns("<image>\nWhat items are visible?", "A laptop and a phone."),
        "ground_truth": {"category": "positive", "items": ["laptop", "phone"]},
    }
    assert second["conversations"] == _turns("<image>\nIs there an [image] or [im_end]?", "No [video].")
    (grouped,) = _records("qwen", grouped=True)
    assert grouped["conversations"] == _turns(
        "<image>\nWhat items are visible?",
        "A laptop and a phone.",
        "Is there an [image] or [im_end]?",
        "No [video].",
    )


def test_qwen_of_a_clean_picture_and_of_one_with_boxes_only() -> None:
    clean = ExportPicture("k", "p", "", GroundTruth(states_none=True), PICTURE.pairs)
    assert _records("qwen", clean)[0]["ground_truth"] == {"category": "negative", "items": []}
    boxed = GroundTruth(boxes=(Box(label="cat", x=0, y=0, width=1, height=1),), extra={"image_id": 17})
    (record, _) = _records("qwen", ExportPicture("k", "p", "", boxed, PICTURE.pairs))
    assert (record["image_id"], record["ground_truth"]["items"]) == (17, ["cat"])


def test_a_picture_that_nobody_annotated_is_not_called_clean() -> None:
    for truth in (GroundTruth(), GroundTruth(captions=("A bag.",))):
        unknown = ExportPicture("k", "p", "", truth, PICTURE.pairs)
        assert _records("qwen", unknown)[0]["ground_truth"] == {"category": "unknown", "items": []}
        assert not {"categories", "num_categories"} & _records("stcray-flat", unknown)[0]["metadata"].keys()
    clean = ExportPicture("k", "p", "", GroundTruth(states_none=True), PICTURE.pairs)
    assert _records("stcray-flat", clean)[0]["metadata"]["num_categories"] == 0


def test_stcray_flat_is_one_line_for_each_pair() -> None:
    assert _records("stcray-flat")[0] == {
        "image_path": "x/bags/00001.jpg",
        "question": "What items are visible?",
        "answer": "A laptop and a phone.",
        "metadata": {
            "image_id": "train_00001",
            "question_type": "general",
            "categories": ["laptop", "phone"],
            "num_categories": 2,
            "generated_by": "llm",
            "model": "gemini-2.0-flash",
        },
    }


def test_llava_ids_are_unique() -> None:
    assert [record["id"] for record in _records("llava")] == ["train_00001#0", "train_00001#2"]
    (grouped,) = _records("llava", grouped=True)
    assert set(grouped) == {"id", "image", "conversations"}
    assert (grouped["id"], len(grouped["conversations"])) == ("train_00001", 4)


def test_unknown_and_impossible_formats() -> None:
    with pytest.raises(VqaError, match="unknown export format `xml`"):
        export_format("xml")
    with pytest.raises(VqaError, match="cannot be grouped"):
        export_format("stcray-flat", grouped=True)
    assert all(known.summary and "\n" not in known.summary for known in FORMATS.values())


@given(st.lists(st.sampled_from(["<", ">", "image", "video", "audio", "IMAGE", "|", "im_end", "/s", " "]), max_size=40))
def test_no_tag_survives_and_none_comes_to_be(pieces: list[str]) -> None:
    text = neutralised("".join(pieces))
    for tag in ("<image>", "<video>", "<audio>", "<|im_end|>", "</s>"):
        assert tag not in text.lower()
    assert neutralised(text) == text


@pytest.mark.parametrize("token", ["<end_of_turn>", "<start_of_image>", "</s>", "<eos>", "<|eot_id|>"])
def test_tokens_that_end_a_turn_of_other_families_are_told_and_neutralised(token: str) -> None:
    assert special_token(f"Yes.{token} More.") == token
    assert neutralised(f"Yes.{token}") == f"Yes.[{token.strip('<|>')}]"


def test_plain_text_is_left_alone() -> None:
    assert neutralised("a < b, <b>bold</b>, images > video <imagery>") == "a < b, <b>bold</b>, images > video <imagery>"


def test_picture_paths(tmp_path: Path) -> None:
    root = tmp_path / "data" / "bags"
    root.mkdir(parents=True)
    assert picture_prefix(root, tmp_path) == ("data/bags/", True)
    assert picture_prefix(root, root) == ("", True)
    assert picture_prefix(root, tmp_path / "out") == (f"{root.as_posix()}/", False)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert picture_prefix(tmp_path / "link" / "bags", tmp_path / "data") == ("bags/", True)
    assert picture_prefix(Path("/"), tmp_path) == ("/", False)


def test_an_atomic_file_is_seen_at_its_commit(tmp_path: Path) -> None:
    target = tmp_path / "x.jsonl"
    target.write_bytes(b"old")
    file = AtomicFile(target)
    file.write(b"new ")
    file.write(b"text")
    file.seal()
    assert target.read_bytes() == b"old"
    file.commit()
    assert target.read_bytes() == b"new text"
    assert (file.size, file.sha256) == (8, hashlib.sha256(b"new text").hexdigest())
    file.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]
    dropped = AtomicFile(target)
    dropped.write(b"never")
    dropped.discard()
    assert target.read_bytes() == b"new text"
    assert [path.name for path in tmp_path.iterdir()] == ["x.jsonl"]


def test_a_file_that_found_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    """Closing it fails as writing did, and what was written must not go on taking the room there is."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = AtomicFile(tmp_path / "x.jsonl")
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        file.write(b"x" * 5000)
        with pytest.raises(OSError):
            file.seal()
        file.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
