"""Exports written to a folder without a workspace: pictures drawn there, pairs stated by the test."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from vqa_tui.domain.export import ExportedRun, ExportPair, ExportPicture
from vqa_tui.domain.item import GroundTruth, ReferenceQuestion
from vqa_tui.exporters.checked_record import CheckedRecord
from vqa_tui.exporters.file_shapes import file_shape
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.exporters.manifest import Manifest, ManifestChecks, ManifestFile, ManifestRun, ManifestSkipped
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.record_checks import check_record
from vqa_tui.exporters.record_reading import read_records
from vqa_tui.exporters.splitting import Split
from vqa_tui.exporters.writing import ExportWriter

TRICKY = (
    'Is it "red", or <blue>; a\\b?\nSecond line,\r\nthird\ttab — é 漢 😀',
    "{'a': [1, 2]}, yes",
    " spaces ",
)


def pictures_with_pairs(folder: Path, count: int = 3) -> list[ExportPicture]:
    """Draw pictures of different sizes below `folder`/pictures, each with two pairs; the first has a reference."""
    pictures = []
    for number in range(count):
        path = folder / "pictures" / f"p {number}é.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (20 + number, 16), (50 * number, 0, 9)).save(path)
        pairs = (
            ExportPair(0, f"{TRICKY[0]} {number}", f"{TRICKY[1]} {number}", "general"),
            ExportPair(1, "What colour is it?", f"It is number {number}.", "colour", "accepted"),
        )
        truth = GroundTruth(
            categories=("Knife", "Gun") if number % 2 else (),
            questions=(ReferenceQuestion(question="what  colour is it?", answer="red"),),
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        pictures.append(ExportPicture(f"k{number}", path.name, digest, truth, pairs))
    return pictures


def exported_from(folder: Path) -> ExportedRun:
    return ExportedRun(
        id=1,
        name="r",
        phase="done",
        dataset="d",
        root=str(folder / "pictures"),
        recipe_name="mine",
        recipe="{}",
        endpoint_name="e",
        model="m-1",
        config_sha256="0" * 64,
        tasks={},
        last_sample_id=9,
    )


def write_export(
    out: Path,
    form: str,
    pictures: Sequence[ExportPicture],
    *,
    grouped: bool = False,
    split: Split | None = None,
    use: PictureUse = PictureUse.IN_PLACE,
) -> tuple[ManifestFile, ...]:
    """Write pictures that lie in `pictures` beside `out`, with a manifest, as an export does."""
    run = exported_from(out.parent)
    with ExportWriter(out, FORMATS[form], run, grouped=grouped, split=split, use=use) as writer:
        writer.add(pictures)
        files = writer.seal()
        writer.commit(
            Manifest(
                product_version="0",
                created_at="",
                format=form,
                grouped=grouped,
                image_paths=writer.image_paths,
                run=ManifestRun(
                    id=1, name="r", phase="done", dataset="d", recipe="mine", recipe_sha256="", config_sha256="",
                    endpoint="e", model="m-1",
                ),
                pictures=len(pictures),
                pairs=sum(len(picture.pairs) for picture in pictures),
                question_types={},
                skipped=ManifestSkipped(
                    rejected_pairs=0, unfinished_pictures=0, failed_pictures=0, skipped_pictures=0
                ),
                split=None,
                checks=ManifestChecks(),
                files=files,
            )
        )  # fmt: skip
    return files


def read_back(path: Path, expected: str) -> list[CheckedRecord]:
    """Read the records of a file; each must be one."""
    found = []
    for entry in read_records(path):
        assert entry.record is not None, entry.problem
        found.append(check_record(entry.record, file_shape(path), expected=expected))
    return found


def raw_records(path: Path) -> list[dict[str, Any]]:
    return [entry.record for entry in read_records(path) if entry.record is not None]
