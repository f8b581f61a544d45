"""Any export as rows for the trainer: one conversation each, its pictures where they stand in it."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from vqa_tui.domain.training_row import TrainingRow, Turn
from vqa_tui.exporters.checked_record import CheckedRecord
from vqa_tui.exporters.file_shapes import file_shape
from vqa_tui.exporters.picture_checks import located
from vqa_tui.exporters.record_checks import check_record
from vqa_tui.exporters.record_reading import read_records

_DATA_URI = "data:"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A record that is no row: where it is, and why."""

    place: str
    reason: str
    breaks_off: bool = False
    """Whether the file cannot be read from here on."""


def training_rows(
    files: list[Path], inline_pictures: Path, *, expected: str = "", first_id: int = 0
) -> Iterator[TrainingRow | RowProblem]:
    """Yield a row for each record of the files, numbered from `first_id`, or why it is none.

    `expected` is the format that a manifest states. Pictures that stand in a file as data URIs are written into the
    folder `inline_pictures`, each once. Whether picture files can be read is not looked at. Raises OSError.
    """
    number = first_id
    for file in files:
        shape = file_shape(file)
        for entry in read_records(file):
            place = f"{file.name}, {'line' if shape.has_lines else 'entry'} {entry.number}"
            if entry.record is None:
                yield RowProblem(place, entry.problem, entry.breaks_off)
                continue
            checked = check_record(entry.record, shape, expected=expected)
            if reason := _why_none(checked):
                yield RowProblem(place, reason)
                continue
            pictures = tuple(_picture(named, file.parent, inline_pictures) for named in checked.images)
            yield TrainingRow(
                id=number,
                key=_key(checked, place),
                turns=tuple(_turns(checked)),
                pictures=pictures,
                kind=checked.question_type,
            )
            number += 1


def _why_none(checked: CheckedRecord) -> str:
    if checked.faults:
        return checked.faults[0]
    if checked.videos:
        return "it is about a clip; the trainer learns from pictures"
    if checked.elsewhere:
        return "its picture is not a file on this machine"
    if not checked.pairs:
        return "it has no question and answer"
    return ""


def _turns(checked: CheckedRecord) -> Iterator[Turn]:
    """Pictures of a record that tells no places for them stand before its first question."""
    placed = checked.asked
    if not placed or sum(part is None for parts in placed for part in parts) != len(checked.images):
        placed = [
            [*([None] * len(checked.images) if not index else []), pair[0]] for index, pair in enumerate(checked.pairs)
        ]
    number = 0
    for parts, (_, answer) in zip(placed, checked.pairs, strict=False):
        yield Turn("user", _numbered(parts, number))
        yield Turn("assistant", (answer,))
        number += sum(part is None for part in parts)


def _numbered(parts: list[str | None], first: int) -> tuple[str | int, ...]:
    """Return texts and numbers of pictures, without the space at both ends and behind pictures that stand first."""
    numbers = count(first)
    found: list[str | int] = []
    for part in parts:
        if part is None:
            found.append(next(numbers))
        elif found and isinstance(found[-1], str):
            found[-1] = f"{found[-1]}\n{part}"
        elif text := part if any(isinstance(each, str) for each in found) else part.lstrip():
            found.append(text)
    if found and isinstance(found[-1], str):
        found[-1] = found[-1].rstrip()
    return tuple(each for each in found if each != "")


def _key(checked: CheckedRecord, place: str) -> str:
    if checked.images and not checked.images[0].startswith(_DATA_URI):
        return checked.images[0]
    return checked.record_id or place


def _picture(named: str, folder: Path, inline_pictures: Path) -> str:
    if not named.startswith(_DATA_URI):
        return located(named, folder)
    data = base64.b64decode(named.partition(",")[2])
    path = inline_pictures / hashlib.sha256(data).hexdigest()
    if not path.exists():
        inline_pictures.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(data)
    return str(path)
