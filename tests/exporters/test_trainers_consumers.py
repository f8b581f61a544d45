"""Exports read by what trainers make their rows with: TRL's own preparation, and qwen-vl-utils. No model is needed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.written import pictures_with_pairs, raw_records, write_export
from vqa_tui.domain.export import ExportPicture
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.exporters.picture_copies import PictureUse

# Both load PyTorch, which takes seconds: it is looked for here, and loaded where it is used.
pytestmark = pytest.mark.training

_EXTRA = "the extra `train-consumers` is not installed"
needs_trl = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("trl", "torch", "datasets")), reason=f"{_EXTRA} (trl)"
)
needs_qwen = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("qwen_vl_utils", "torch", "torchvision")),
    reason=f"{_EXTRA} (qwen-vl-utils), or torchvision is not, which it loads and does not ask for: its wheels at PyPI "
    "are built for CUDA; bring one that was built for your torch",
)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ExportPicture]:
    """Three pictures below the current folder, against which relative paths are resolved."""
    monkeypatch.chdir(tmp_path)
    return pictures_with_pairs(tmp_path)


def _texts(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return role and text of each message."""
    return [
        (message["role"], "".join(part["text"] for part in message["content"] if part["type"] == "text"))
        for message in messages
    ]


@needs_trl
@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("form", ["trl", "trl-parquet"])
def test_trl_puts_every_picture_into_its_messages(
    form: str, grouped: bool, pictures: list[ExportPicture], tmp_path: Path
) -> None:
    import datasets
    from trl.data_utils import is_conversational, prepare_multimodal_messages

    out = tmp_path / f"x{FORMATS[form].suffix}"
    is_table = form == "trl-parquet"
    write_export(out, form, pictures, grouped=grouped, use=PictureUse.INLINE if is_table else PictureUse.COPY)
    rows = datasets.load_dataset(
        "parquet" if is_table else "json", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache")
    )
    if not is_table:
        rows = rows.cast_column("images", datasets.List(datasets.Image()))
    written = raw_records(out)
    assert len(rows) == len(written) == (3 if grouped else 6)
    for row, record in zip(rows, written, strict=True):
        assert is_conversational(row)
        prepared = prepare_multimodal_messages(row["messages"], images=row["images"])
        shown = [part["image"] for message in prepared for part in message["content"] if part["type"] == "image"]
        assert [picture.size for picture in shown] == [picture.size for picture in row["images"]]
        assert prepared[0]["content"][0]["type"] == "image", "the picture comes before the question"
        assert _texts(prepared) == _texts(record["messages"])


@needs_qwen
@pytest.mark.parametrize("use", [PictureUse.IN_PLACE, PictureUse.COPY])
def test_qwen_vl_utils_opens_the_pictures_of_messages(
    use: PictureUse, pictures: list[ExportPicture], tmp_path: Path
) -> None:
    from PIL import Image
    from qwen_vl_utils import process_vision_info

    out = tmp_path / "x.jsonl"
    write_export(out, "unsloth", pictures, grouped=True, use=use)
    for number, record in enumerate(raw_records(out)):
        images, videos = process_vision_info(record["messages"])
        assert videos is None and images is not None
        (opened,) = images
        # Sides become multiples of 28, and the picture at least as large as the smallest that the model takes.
        assert opened.mode == "RGB" and opened.width % 28 == opened.height % 28 == 0
        (named,) = (part["image"] for part in record["messages"][0]["content"] if part["type"] == "image")
        with Image.open(named) as original:
            assert original.size == (20 + number, 16)
            assert opened.getpixel((0, 0)) == original.convert("RGB").getpixel((0, 0))


@needs_qwen
def test_qwen_vl_utils_opens_the_pictures_of_conversations_once_they_are_messages(
    pictures: list[ExportPicture], tmp_path: Path
) -> None:
    from qwen_vl_utils import process_vision_info

    out = tmp_path / "x.jsonl"
    write_export(out, "qwen", pictures, grouped=True)
    for record in raw_records(out):
        first = record["conversations"][0]["value"]
        assert first.count("<image>") == 1
        # What the readers of this format make of a tag (Qwen's own trainer: data/data_processor.py).
        content = [{"type": "image", "image": record["image"]}, {"type": "text", "text": first.replace("<image>", "")}]
        images, _videos = process_vision_info([{"role": "user", "content": content}])
        assert images is not None and len(images) == 1
