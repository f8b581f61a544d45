"""Rows measured in tokens: sums by hand, what a cutoff does to them, and what cannot be measured."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.exporters.written import pictures_with_pairs, write_export
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.operations.training_lengths import LengthReport, measure_file

_IMAGE = 391 + 2 + 1
"""640 × 480 pixels for Qwen2.5-VL, the marks around it and a line feed."""
_QUESTION, _ANSWER = 2 + 5, 3 + 5
_ROW = 11 + _IMAGE + _QUESTION + _ANSWER


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two rows about a picture of 640 × 480; the second has a second pair."""
    Image.new("RGB", (640, 480)).save(tmp_path / "a.png")
    turns = [{"from": "human", "value": "<image>\nwhat a b"}, {"from": "gpt", "value": "a dot here"}]
    more = [{"from": "human", "value": "what a b?"}, {"from": "gpt", "value": "a dot here."}]
    rows = [{"image": "a.png", "conversations": turns}, {"image": "a.png", "conversations": turns + more}]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_sums_by_hand(file: Path) -> None:
    report = measure_file(file)
    second = _ROW + 3 + 5 + 3 + 5
    assert (report.rows, report.longest, report.median) == (2, second, second)
    assert (report.image_tokens, report.text_tokens) == (2 * _IMAGE, _ROW + second - 2 * _IMAGE)
    assert sum(each.rows for each in report.histogram) == 2
    assert report.histogram[0].first <= _ROW and report.histogram[-1].last >= second
    assert report.ok and report.cutoff is None
    assert measure_file(file, family="qwen3-vl").longest == second - 11 - 391 + 300


def _outcome(report: LengthReport) -> tuple[int, int, int, bool]:
    return report.cut, report.lost, report.unmeasured, report.ok


def test_what_a_cutoff_does(file: Path) -> None:
    assert _outcome(measure_file(file, cutoff=_ROW + 16)) == (0, 0, 0, True)
    report = measure_file(file, cutoff=_ROW)
    assert _outcome(report) == (1, 0, 0, False)
    assert report.places == (f"x.jsonl, line 2: {_ROW + 16} tokens: the last 16 are cut off",)
    assert _outcome(measure_file(file, cutoff=_ROW - _ANSWER + 1)) == (2, 0, 0, False)
    report = measure_file(file, cutoff=_ROW - _ANSWER)
    assert _outcome(report) == (0, 2, 0, False)
    assert "of which 394 are pictures: no answer is left" in report.places[0]


def test_bounds_of_pixels_count(file: Path) -> None:
    assert measure_file(file, max_pixels=28 * 28 * 100).image_tokens < 2 * (100 + 3 + 1)
    assert measure_file(file, min_pixels=28 * 28 * 1000).image_tokens > 2 * 1000


def test_what_cannot_be_measured(tmp_path: Path) -> None:
    Image.new("RGB", (900, 3)).save(tmp_path / "strip.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    turns = [{"from": "human", "value": "<image>What?"}, {"from": "gpt", "value": "A dot."}]
    clip = [{"from": "human", "value": "<video>What?"}, {"from": "gpt", "value": "A dot."}]
    rows = [{"image": name, "conversations": turns} for name in ("strip.png", "broken.png", "gone.png")]
    rows += [{"video": "a.mp4", "conversations": clip}, {"image": "strip.png"}]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    report = measure_file(path, cutoff=100)
    assert (report.rows, report.histogram) == (0, ())
    assert _outcome(report) == (0, 0, 5, False)
    for words, place in zip(("200 times", "cannot identify", "No such file", "a clip", "no question"), report.places,
                            strict=True):  # fmt: skip
        assert words in place


@pytest.mark.parametrize("form", list(FORMATS))
def test_every_format_is_measured(form: str, tmp_path: Path) -> None:
    known = FORMATS[form]
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures_with_pairs(tmp_path), use=use)
    for path in (out, tmp_path / f"{out.name}.manifest.json"):
        report = measure_file(path, cutoff=4096)
        assert report.ok, report.places
        assert report.image_tokens == report.rows * (3 * 2 + 2 + 1)


def test_refusals(file: Path, tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="unknown model family"):
        measure_file(file, family="llama")
    with pytest.raises(VqaError, match="a cutoff of 0 tokens"):
        measure_file(file, cutoff=0)
    for least, most in ((None, 10), (0, None), (10**9, None)):
        with pytest.raises(VqaError, match="pictures cannot have"):
            measure_file(file, min_pixels=least, max_pixels=most)
    with pytest.raises(VqaError, match="there is no file"):
        measure_file(tmp_path / "nothing")


def test_a_tokenizer_file_counts_text(file: Path, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra `tokenizers`")
    model = tokenizers.models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]")
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.save(str(tmp_path / "tokenizer.json"))
    report = measure_file(file, tokenizer=tmp_path / "tokenizer.json")
    # Three words in each text; a line feed alone is none to this tokenizer.
    assert report.longest == 11 + _IMAGE - 1 + 4 * (3 + 5)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(VqaError, match="is no tokenizer that can be read"):
        measure_file(file, tokenizer=tmp_path / "tokenizer.json")
