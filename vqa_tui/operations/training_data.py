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

    The sides of a split export are kept, and one for tests is left alone. Where there is one file only,
    `held_out_share` of its pictures is held out, drawn by `seed` from their paths, so that all rows about one picture
    stand on one side; of several at least one, and never all.

    Raises VqaError when there is no such export, a file of it cannot be read to its end, or nothing in it can be
    learned from.
    """
    try:
        format_name, files = files_with_records(data)
        parts = _parts(files, format_name)
        parts.pop("test", None)
        if "train" not in parts and "all" not in parts:
            raise VqaError(
                f"{data} is a held-out side of an export: there is nothing to learn from",
                hint="Name the training file, or the manifest of the whole export.",
            )
        counts = {ROWS: 0, HELD_OUT: 0}
        draw = _Draw(held_out_share, seed)
        problems: list[RowProblem] = []
        left_out = 0
        with ExitStack() as stack:
            outs = {name: stack.enter_context(open(folder / name, "w", encoding="utf-8")) for name in counts}
            for side, row in _rows(parts, folder, format_name):
                if isinstance(row, RowProblem):
                    if row.breaks_off:
                        raise _cut(data, row)
                    left_out += 1
                    problems.extend([row] if len(problems) < _PROBLEMS_SHOWN else ())
                    continue
                name = _SIDES.get(side) or (HELD_OUT if draw.holds_out(row) else ROWS)
                outs[name].write(row.as_json() + "\n")
                counts[name] += 1
        if draw.drew and not counts[ROWS]:
            # Of few pictures the draw can take all; that is no reason to learn nothing.
            (folder / HELD_OUT).replace(folder / ROWS)
            (folder / HELD_OUT).touch()
            counts = {ROWS: counts[HELD_OUT], HELD_OUT: 0}
        if draw.next_one and not counts[HELD_OUT]:
            _hold_out(folder, draw.next_one, counts)
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


def _cut(data: Path, problem: RowProblem) -> VqaError:
    """A record that is no row is left out and told; rows behind a break would be missing without a trace."""
    return VqaError(
        f"{data} cannot be read to its end: {problem.place}: {problem.reason}",
        hint="The file is probably cut: write or copy it again. `vqa-tui validate FILE` says what else is wrong.",
    )


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
        # One file of a split was named: what the same export holds out is what to look at.
        for other in _held_out_files(listed[0]):
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


def _held_out_files(file: Path) -> list[Path]:
    for candidate in manifests_that_may_list(file):
        try:
            manifest = read_manifest(candidate)
        except (UnreadableManifest, OSError):
            continue
        if any(listed.name == file.name for listed in manifest.files):
            others = [file.parent / Path(each.name).name for each in manifest.files if each.part == "val"]
            return [other for other in others if other.is_file()]
    return []


class _Draw:
    """Which rows are held out: by their pictures, or by themselves where they have none."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._seed = share, seed
        self._lowest: tuple[int, str] | None = None
        self._several = False

    @property
    def drew(self) -> bool:
        return self._lowest is not None

    @property
    def next_one(self) -> str:
        """What rows are about that would be held out were the share larger; empty where that would be all rows."""
        return self._lowest[1] if self._lowest is not None and self._several else ""

    def holds_out(self, row: TrainingRow) -> bool:
        if not self._share:
            return False
        about = _about(row)
        digest = hashlib.sha256(f"{self._seed}\0{about}".encode("utf-8", "surrogatepass")).digest()
        drawn = int.from_bytes(digest[:8])
        self._several = self._several or (self._lowest is not None and self._lowest[1] != about)
        if self._lowest is None or drawn < self._lowest[0]:
            self._lowest = (drawn, about)
        return drawn < self._share * 2**64


def _about(row: TrainingRow) -> str:
    return "\0".join(row.pictures) or json.dumps([turn.parts for turn in row.turns])


def _hold_out(folder: Path, about: str, counts: dict[str, int]) -> None:
    """Move the rows about one picture to the held-out side."""
    rows = folder / ROWS
    learned = rows.with_suffix(".new")
    with (
        open(rows, encoding="utf-8") as lines,
        open(learned, "w", encoding="utf-8") as kept,
        open(folder / HELD_OUT, "w", encoding="utf-8") as held_out,
    ):
        for line in lines:
            moves = _about(TrainingRow.of_json(line)) == about
            (held_out if moves else kept).write(line)
            counts[HELD_OUT] += moves
            counts[ROWS] -= moves
    learned.replace(rows)


def _describe(folder: Path, data: Path, format_name: str, files: list[Path], counts: dict[str, int]) -> None:
    hashes = {}
    for file in files:
        with open(file, "rb") as opened:
            hashes[str(file.resolve())] = hashlib.file_digest(opened, "sha256").hexdigest()
    told = {"data": str(data.resolve()), "format": format_name, "files": hashes, "rows": counts[ROWS]}
    text = json.dumps({**told, "held_out": counts[HELD_OUT]}, indent=2, ensure_ascii=False)
    (folder / "data.json").write_text(text + "\n", "utf-8")
