"""Writing an export: pictures in, one or two training files and their manifest out, all at once at the end."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.atomic_file import AtomicFile
from vqa_tui.exporters.formats import ExportFormat
from vqa_tui.exporters.manifest import (
    Manifest,
    ManifestFile,
    UnreadableManifest,
    manifest_path,
    part_path,
    read_manifest,
)

Part = Literal["all", "train", "val"]


def picture_prefix(root: Path, folder: Path) -> tuple[str, bool]:
    """Return what stands before item paths in files written to `folder`, and whether it is relative to that folder.

    `root` is where the dataset's pictures lie. The prefix is '' or ends with a slash.
    """
    root, folder = root.resolve(), folder.resolve()
    if root == folder:
        return "", True
    if root.is_relative_to(folder):
        return f"{root.relative_to(folder).as_posix()}/", True
    return f"{root.as_posix().rstrip('/')}/", False


def refuse_foreign_files(out: Path, parts: Iterable[Part]) -> Manifest | None:
    """Return the manifest of the export that would be replaced, if any.

    Raises VqaError when a file that is not listed in a manifest of ours stands where this export would be written.
    """
    manifest_file = manifest_path(out)
    earlier: Manifest | None = None
    if manifest_file.exists():
        try:
            earlier = read_manifest(manifest_file)
        except (UnreadableManifest, OSError) as error:
            raise VqaError(
                f"{manifest_file} is in the way: it is no manifest of an export ({error})",
                hint="Choose another name, or move that file away.",
            ) from error
    ours = {file.name for file in earlier.files} if earlier else set()
    for part in parts:
        path = part_path(out, part)
        if path.is_dir():
            raise VqaError(f"{path} is a folder", hint=f"Name a file, such as {path / 'vqa.jsonl'}.")
        if path.exists() and path.name not in ours:
            raise VqaError(
                f"{path} already exists and is not an export of vqa-tui",
                hint="Choose another name, or move that file away; only own exports are replaced.",
            )
    return earlier


@dataclass(slots=True)
class _PartFile:
    part: Part
    file: AtomicFile
    records: int = 0
    pictures: int = 0
    pairs: int = 0


class ExportWriter:
    """A context in which pictures are written to hidden files; nothing is visible before `commit`."""

    def __init__(
        self,
        out: Path,
        export_format: ExportFormat,
        run: ExportedRun,
        *,
        prefix: str,
        grouped: bool,
        last_training_hash: str | None,
    ) -> None:
        """Write to `out`, or to its train and val parts when `last_training_hash` is given. Raises OSError."""
        self._out = out
        self._format = export_format
        self._run = run
        self._prefix = prefix
        self._grouped = grouped
        self._last_training_hash = last_training_hash
        self.question_types: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self._parts: dict[Part, _PartFile] = {}
        parts: tuple[Part, ...] = ("all",) if last_training_hash is None else ("train", "val")
        for part in parts:
            self._parts[part] = _PartFile(part, AtomicFile(part_path(out, part)))

    def __enter__(self) -> "ExportWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in self._parts.values():
            part.file.discard()

    def add(self, pictures: Iterable[ExportPicture]) -> None:
        """Append pictures, each to the side where its hash belongs."""
        for picture in pictures:
            part = self._parts[self._part_of(picture)]
            for record in self._format.records(picture, self._prefix + picture.path, self._run, self._grouped):
                part.file.write(self._lead(part) + json.dumps(record, ensure_ascii=False).encode("utf-8"))
                part.records += 1
            part.pictures += 1
            part.pairs += len(picture.pairs)
            self.question_types.update(pair.question_type for pair in picture.pairs)
            self.verdicts.update(pair.verdict for pair in picture.pairs)

    def seal(self) -> tuple[ManifestFile, ...]:
        """End the files and bring them to the disk; return what the manifest says of them. Raises OSError."""
        for part in self._parts.values():
            if self._format.is_list:
                part.file.write(b"\n]\n" if part.records else b"[]\n")
            elif part.records:
                part.file.write(b"\n")
            part.file.seal()
        return tuple(
            ManifestFile(
                name=part.file.path.name,
                part=part.part,
                sha256=part.file.sha256,
                bytes=part.file.size,
                records=part.records,
                pictures=part.pictures,
                pairs=part.pairs,
            )
            for part in self._parts.values()
        )

    def commit(self, manifest: Manifest) -> Path:
        """Put the sealed files and then their manifest in place; return the manifest's path. Raises OSError.

        The manifest comes last: after a crash in between, validation reports files that do not match it.
        """
        path = manifest_path(self._out)
        sheet = AtomicFile(path)
        try:
            sheet.write(manifest.model_dump_json(indent=2).encode("utf-8") + b"\n")
            sheet.seal()
            for part in self._parts.values():
                part.file.commit()
            sheet.commit()
        finally:
            sheet.discard()
        return path

    def _part_of(self, picture: ExportPicture) -> Part:
        if self._last_training_hash is None:
            return "all"
        return "train" if picture.sha256 <= self._last_training_hash else "val"

    def _lead(self, part: _PartFile) -> bytes:
        if self._format.is_list:
            return b",\n" if part.records else b"[\n"
        return b"\n" if part.records else b""
