"""The data of a training: rows to learn from and rows held out, made of an export and kept beside the training."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.exporters.manifest import UnreadableManifest, manifests_that_may_list, read_manifest
from vqa_tui.exporters.training_rows import RowProblem, training_rows
from vqa_tui.exporters.validation import files_with_records

_PROBLEMS_SHOWN = 3
_SIDES = {"train": ROWS, "val": HELD_OUT}


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What was made of an export."""

    rows: int
    held_out: int
    left_out: int
    """Records that are no rows."""
    problems: tuple[str, ...]
    """The first few of these in words."""


def prepare_rows(data: Path, folder: Path, *, held_out_share: float, seed: int) -> TrainingData:
    """Write the rows of the export at `data` into `folder`, and what they are made of into `data.json`.

    The sides of a split export are kept. Where there is one file only, `held_out_share` of its pictures is held out,
    drawn by `seed` from their paths, so that all rows about one picture stand on one side.

    Raises VqaError when there is no such export or nothing in it can be learned from.
    """
    try:
        format_name, files = files_with_records(data)
        parts = _parts(files, format_name)
        if "train" not in parts and "val" in parts:
            raise VqaError(
                f"{data} is the held-out side of an export: there is nothing to learn from",
                hint="Name the training file, or the manifest of the whole export.",
            )
        counts = {ROWS: 0, HELD_OUT: 0}
        problems: list[RowProblem] = []
        left_out = 0
        with ExitStack() as stack:
            outs = {name: stack.enter_context(open(folder / name, "w", encoding="utf-8")) for name in counts}
            for side, row in _rows(parts, folder, format_name):
                if isinstance(row, RowProblem):
                    left_out += 1
                    problems.extend([row] if len(problems) < _PROBLEMS_SHOWN else ())
                    continue
                name = _SIDES.get(side) or (ROWS if _learned(row, held_out_share, seed) else HELD_OUT)
                outs[name].write(row.as_json() + "\n")
                counts[name] += 1
        _describe(folder, data, format_name, [file for each in parts.values() for file in each], counts)
    except OSError as error:
        raise VqaError(f"the data {data} cannot be read: {error.strerror or error}") from error
    words = tuple(f"{problem.place}: {problem.reason}" for problem in problems)
    if not counts[ROWS]:
        raise VqaError(
            f"nothing in {data} can be learned from" + (f": {words[0]}" if words else ""),
            hint="`vqa-tui validate FILE` says what is wrong with each record.",
        )
    return TrainingData(counts[ROWS], counts[HELD_OUT], left_out, words)


def _rows(
    parts: dict[str, list[Path]], folder: Path, format_name: str
) -> Iterator[tuple[str, TrainingRow | RowProblem]]:
    number = 0
    for side, files in parts.items():
        for row in training_rows(files, folder / "pictures", expected=format_name, first_id=number):
            if isinstance(row, TrainingRow):
                number = row.id + 1
            yield side, row


def _parts(files: Iterable[Path], format_name: str) -> dict[str, list[Path]]:
    """Return files by the side of the split that they are; `all` where there is none."""
    listed = list(files)
    parts: dict[str, list[Path]] = {}
    for file in listed:
        parts.setdefault(_part_of(file), []).append(file)
    if list(parts) == ["train"]:
        # One file of a split was named: the other side of the same export is what to look at.
        for other in _other_side(listed[0]):
            parts.setdefault("val", []).append(other)
    return parts


def _part_of(file: Path) -> str:
    for candidate in manifests_that_may_list(file):
        try:
            manifest = read_manifest(candidate)
        except (UnreadableManifest, OSError):
            continue
        for listed in manifest.files:
            if listed.name == file.name and not listed.role:
                return listed.part
    return "all"


def _other_side(file: Path) -> list[Path]:
    for candidate in manifests_that_may_list(file):
        try:
            manifest = read_manifest(candidate)
        except (UnreadableManifest, OSError):
            continue
        if any(listed.name == file.name for listed in manifest.files):
            others = [file.parent / Path(each.name).name for each in manifest.files if each.part == "val"]
            return [other for other in others if other.is_file()]
    return []


def _learned(row: TrainingRow, held_out_share: float, seed: int) -> bool:
    """Whether a row is learned from: by its pictures, or by itself where it has none."""
    about = "\0".join(row.pictures) or row.as_json()
    drawn = hashlib.sha256(f"{seed}\0{about}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(drawn[:8]) >= held_out_share * 2**64


def _describe(folder: Path, data: Path, format_name: str, files: list[Path], counts: dict[str, int]) -> None:
    hashes = {}
    for file in files:
        with open(file, "rb") as opened:
            hashes[str(file.resolve())] = hashlib.file_digest(opened, "sha256").hexdigest()
    told = {"data": str(data.resolve()), "format": format_name, "files": hashes, "rows": counts[ROWS]}
    text = json.dumps({**told, "held_out": counts[HELD_OUT]}, indent=2, ensure_ascii=False)
    (folder / "data.json").write_text(text + "\n", "utf-8")
