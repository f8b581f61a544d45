"""Which stored pairs the rows of a training were made of: what leads from a bad loss back to a pair to reject."""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vqa_tui.domain.export import ExportPicture, Reviewed
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.exporters.conversation import item_labels
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.exports import exported_pictures, exported_run


@dataclass(frozen=True, slots=True)
class _Known:
    categories: dict[str, tuple[str, ...]]
    """By the path of a picture."""
    pairs: dict[bytes, tuple[int, ...]]
    """By a hash of picture, question and answer: a run may have millions."""


async def trace_rows(workspace: Workspace, run_id: int, folder: Path, reviewed: str) -> None:
    """Fill in `pairs` and `categories` of the rows in `folder`, which were made of the run's pairs.

    Raises VqaError when there is no such run, or the rows cannot be read or written.
    """
    run = await exported_run(workspace.db, run_id, Reviewed(reviewed))
    if run is None:
        raise VqaError(f"there is no run {run_id}")
    known = _Known({}, {})
    async for page in exported_pictures(workspace.db, run):
        for picture in page.pictures:
            _learn(known, picture, run.root)
    try:
        for name in (ROWS, HELD_OUT):
            await asyncio.to_thread(_fill_in, folder / name, known)
    except OSError as error:
        raise VqaError(f"the rows in {folder} cannot be written: {error.strerror or error}") from error


def _learn(known: _Known, picture: ExportPicture, root: str) -> None:
    path = os.path.realpath(os.path.join(root, picture.path))
    known.categories[path] = tuple(item_labels(picture.truth))
    for pair in picture.pairs:
        about = _about(path, neutralised(pair.question), neutralised(pair.answer))
        known.pairs[about] = (*known.pairs.get(about, ()), pair.id)


def _fill_in(file: Path, known: _Known) -> None:
    new = file.with_suffix(".new")
    with open(file, encoding="utf-8") as rows, open(new, "w", encoding="utf-8") as out:
        for line in rows:
            out.write(_traced(TrainingRow.of_json(line), known.categories, known.pairs).as_json() + "\n")
    new.replace(file)


def _traced(
    row: TrainingRow, categories: Mapping[str, tuple[str, ...]], pairs: Mapping[bytes, tuple[int, ...]]
) -> TrainingRow:
    if not row.pictures:
        return row
    path = os.path.realpath(row.pictures[0])
    question, answer = (turn.text for turn in row.turns[-2:])
    return replace(row, categories=categories.get(path, ()), pairs=pairs.get(_about(path, question, answer), ()))


def _about(path: str, question: str, answer: str) -> bytes:
    text = "\0".join((path, question, answer)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=12).digest()
