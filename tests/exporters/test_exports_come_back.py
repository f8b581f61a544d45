"""Every export is imported again by the source of its format, with every pair as it was written."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.exporters.written import pictures_with_pairs, write_export
from vqa_tui.domain.item import SourceItem
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

SOURCES = {
    "qwen": "qwen",
    "qwen-finetune": "qwen",
    "stcray-flat": "jsonl",
    "llava": "llava",
    "sharegpt": "sharegpt",
    "trl": "sharegpt",
    "trl-parquet": "sharegpt",
    "unsloth": "sharegpt",
    "openai-ft": "sharegpt",
    "model-garden": "model-garden",
    "vqa-rad-enhanced": "vqa-rad",
    "evud": "llava",
    "vqa-v2": "vqa-v2",
    "csv": "csv",
}
TYPED = ("stcray-flat", "vqa-v2", "csv")
"""Formats that keep the type of each question where its source finds it."""


def imported_again(form: str, out: Path) -> list[SourceItem]:
    """Return what the source of a format finds in an export, none of which may be a problem."""
    with SqliteScratch() as scratch:
        found = list(open_source(SOURCES[form], out).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    assert items == found, "nothing is a problem"
    return items


@pytest.mark.parametrize(
    ("form", "grouped"),
    [(name, grouped) for name, known in FORMATS.items() for grouped in (False, True) if known.can_group or not grouped],
)
def test_an_export_is_imported_again(form: str, grouped: bool, tmp_path: Path) -> None:
    known = FORMATS[form]
    # A question that the dataset asks too is given back with the dataset's own answer.
    pictures = [
        replace(picture, truth=picture.truth.model_copy(update={"questions": ()}))
        for picture in pictures_with_pairs(tmp_path)
    ]
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures, grouped=grouped, use=use)
    items = imported_again(form, out)
    assert [[(asked.question, asked.answer) for asked in item.truth.questions] for item in items] == [
        [(pair.question.strip(), pair.answer.strip()) for pair in picture.pairs] for picture in pictures
    ]
    if form in TYPED:
        assert [[asked.question_type for asked in item.truth.questions] for item in items] == [
            [pair.question_type for pair in picture.pairs] for picture in pictures
        ]
    if use is PictureUse.IN_PLACE:
        assert [item.path for item in items] == [f"pictures/{picture.path}" for picture in pictures]
