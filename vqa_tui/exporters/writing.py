"""Writing an export: pictures in, training files with what belongs to them out, all at once at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.split_shares import Side
from vqa_tui.exporters.answer_mix import type_counts
from vqa_tui.exporters.atomic_file import AtomicFile
from vqa_tui.exporters.clip_copies import ClipCopies, must_be_cut
from vqa_tui.exporters.dataset_info import DATASET_INFO, merged_info
from vqa_tui.exporters.formats import FORMATS, ExportFormat, Naming, Records
from vqa_tui.exporters.layouts import CsvTable, JsonLines, Layout
from vqa_tui.exporters.manifest import (
    Manifest,
    ManifestFile,
    UnreadableManifest,
    companion_path,
    manifest_path,
    part_path,
    read_manifest,
    shard_path,
)
from vqa_tui.exporters.picture_copies import PictureCopies, PictureUse, pictures_folder
from vqa_tui.exporters.placed import PlacedPicture, data_uri
from vqa_tui.exporters.splitting import Split
from vqa_tui.exporters.vqa_v2 import ImageIds

MOST_SHARDS = 1_000
"""A manifest that lists more files would be too large to be read back."""

Part = Literal["all"] | Side


def parts_of(split: Split | None) -> tuple[Part, ...]:
    """Return the parts of an export with or without a split."""
    return ("all",) if split is None else split.sides


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


def refuse_foreign_files(out: Path, parts: Iterable[Part], export_format: ExportFormat) -> Manifest | None:
    """Return the manifest of the export that would be replaced, if any.

    Raises VqaError when a file that is not listed in a manifest of ours stands where this export would be written.
    """
    if export_format.is_registered and out.name == DATASET_INFO:
        raise VqaError(
            f"{DATASET_INFO} is where the trainer looks up its datasets, and cannot be one itself",
            hint="Choose another name, such as vqa.json.",
        )
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
    for path, _, _ in _files_of(out, parts, export_format):
        if path.is_dir():
            raise VqaError(f"{path} is a folder", hint=f"Name a file, such as {path / 'vqa.jsonl'}.")
        if path.exists() and path.name not in ours:
            raise VqaError(
                f"{path} already exists and is not an export of vqa-tui",
                hint="Choose another name, or move that file away; only own exports are replaced.",
            )
    return earlier


def _files_of(out: Path, parts: Iterable[Part], export_format: ExportFormat) -> Iterator[tuple[Path, Part, str]]:
    """Yield path, part and role of every file that an export writes; the role is '' for the records themselves."""
    for part in parts:
        path = part_path(out, part)
        yield path, part, ""
        for companion in export_format.companions:
            yield companion_path(path, companion.name), part, companion.name


@dataclass(slots=True)
class _OpenFile:
    part: Part
    role: str
    file: AtomicFile
    layout: Layout
    make_records: Records
    path: Path
    """That of the part; a shard of it gets its own once it is known how many there are."""
    records: int = 0
    pictures: int = 0
    pairs: int = 0


class ExportWriter:
    """A context in which pictures are written to hidden files; nothing is visible before `commit`.

    Copies of pictures are the exception: they are named by their content and stand in a folder of their own, and those
    that this export made go again when it fails.
    """

    def __init__(
        self,
        out: Path,
        export_format: ExportFormat,
        run: ExportedRun,
        *,
        grouped: bool,
        split: Split | None,
        use: PictureUse = PictureUse.IN_PLACE,
        shard_size: int | None = None,
        replaced: frozenset[str] = frozenset(),
    ) -> None:
        """Write to `out`, or to the parts of its sides when there is a split. Raises OSError, and VqaError where the
        format needs a library that is not installed.

        With `shard_size` each part is as many files as it takes, of so many records at most; the records of a picture
        stay together, so that one with more of them makes a larger file. `replaced` names the files of the export that
        stood here before.
        """
        self._shard_size, self._replaced = shard_size, replaced
        self._out, self._format, self._run = out, export_format, run
        self._grouped, self._split, self._use = grouped, split, use
        self._root = Path(run.root)
        self._prefix, self._is_relative = picture_prefix(self._root, out.parent)
        self._clips = ClipCopies(pictures_folder(out))
        self._copies: PictureCopies | None = None
        if use in (PictureUse.COPY, PictureUse.LINK):
            self._copies = PictureCopies(pictures_folder(out), use)
            self._is_relative = True
        if export_format.naming is Naming.ABSOLUTE:
            self._is_relative = False
        self._number = 0
        self._image_ids = ImageIds() if export_format.numbers_pictures else None
        self.question_types: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.answer_types: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        """Pairs with each flag that nobody has judged."""
        self._files: list[_OpenFile] = []
        makers = {companion.name: (companion.layout, companion.records) for companion in export_format.companions}
        with ExitStack() as undo:
            for path, part, role in _files_of(out, parts_of(split), export_format):
                layout, make_records = makers.get(role, (export_format.layout, export_format.records))
                made = layout()
                self._files.append(_OpenFile(part, role, AtomicFile(path), made, make_records, path))
                undo.callback(self._files[-1].file.discard)
            undo.pop_all()

    @property
    def image_paths(self) -> Literal["relative to this folder", "absolute", "inline"]:
        """How the files name pictures."""
        if self._use is PictureUse.INLINE:
            return "inline"
        return "relative to this folder" if self._is_relative else "absolute"

    @property
    def formulas(self) -> int:
        """Records of tables with a text that a spreadsheet would take for a formula."""
        return sum(each.layout.formulas for each in self._files if isinstance(each.layout, CsvTable))

    def __enter__(self) -> "ExportWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for open_file in self._files:
            open_file.file.discard()
        if self._copies is not None:
            self._copies.discard()
        self._clips.discard()

    def add(self, pictures: Iterable[ExportPicture]) -> None:
        """Append pictures, each to the side where its hash belongs. Raises VqaError for a picture that is needed and
        cannot be read, OSError."""
        for picture in pictures:
            part = "all" if self._split is None else self._split.side(picture.sha256)
            file = self._root / picture.path
            further = tuple(self._named_further(picture))
            image_id = self._image_ids.of(picture, self._number + 1) if self._image_ids else 0
            placed = PlacedPicture(picture, self._named(picture, file), file, self._number, part, image_id, further)
            self._number += 1
            for open_file in tuple(self._files):
                if open_file.part != part or open_file.file.is_sealed:
                    continue
                records = open_file.make_records(placed, self._run, self._grouped)
                if self._shard_size is not None:
                    whole = list(records)
                    records = iter(whole)
                    if open_file.records and open_file.records + len(whole) > self._shard_size:
                        open_file = self._next_shard(open_file)
                for record in records:
                    open_file.file.write(open_file.layout.record(record))
                    open_file.records += 1
                open_file.pictures += 1
                open_file.pairs += len(picture.pairs)
            self.question_types.update(pair.question_type for pair in picture.pairs)
            self.verdicts.update(pair.verdict for pair in picture.pairs)
            self.answer_types.update(type_counts(picture.pairs))
            unseen = (pair for pair in picture.pairs if pair.verdict not in ("accepted", "edited", "rejected"))
            self.flags.update(flag for pair in unseen for flag in pair.flags)

    def _next_shard(self, full: _OpenFile) -> _OpenFile:
        if sum(each.path == full.path for each in self._files) == MOST_SHARDS:
            raise VqaError(
                f"{self._shard_size:,} rows in a file would make more than {MOST_SHARDS:,} files",
                hint="Give a larger --shard-size.",
            )
        full.file.write(full.layout.end())
        full.file.seal()
        following = _OpenFile(full.part, full.role, AtomicFile(full.path), JsonLines(), full.make_records, full.path)
        self._files.insert(self._files.index(full) + 1, following)
        return following

    def _name_shards(self) -> None:
        for path in {open_file.path for open_file in self._files}:
            shards = [open_file.file for open_file in self._files if open_file.path == path]
            for number, shard in enumerate(shards, 1):
                shard.path = shard_path(path, number, len(shards))
                if shard.path.exists() and shard.path.name not in self._replaced:
                    raise VqaError(
                        f"{shard.path} already exists and is not an export of vqa-tui",
                        hint="Choose another name, or move that file away; only own exports are replaced.",
                    )

    def _named(self, picture: ExportPicture, file: Path) -> str:
        if picture.truth.clip is not None and (self._use is PictureUse.INLINE or not self._format.takes_clips):
            takes = ", ".join(known.name for known in FORMATS.values() if known.takes_clips)
            how = f"the format {self._format.name}" if not self._format.takes_clips else "a training file"
            raise VqaError(
                f"{how} cannot hold clips of videos, such as {picture.key}",
                hint=f"Name files of the clips in one of the formats {takes}.",
            )
        if must_be_cut(picture):
            # Beside the file whatever is wanted of pictures: the dataset has only the whole video.
            self._is_relative = self._format.naming is not Naming.ABSOLUTE
            cut = self._clips.place(picture, file)
            return cut.as_posix() if self._is_relative else (self._out.parent.resolve() / cut).as_posix()
        return self._named_file(picture.path, picture.sha256)

    def _named_further(self, picture: ExportPicture) -> Iterator[str]:
        if picture.truth.further and not self._format.takes_several:
            takes = ", ".join(known.name for known in FORMATS.values() if known.takes_several)
            raise VqaError(
                f"the format {self._format.name} has one picture in a record, and {picture.key} has "
                f"{1 + len(picture.truth.further)}",
                hint=f"Take one of the formats {takes}.",
            )
        for further in picture.truth.further:
            yield self._named_file(further.path, further.facts.sha256)

    def _named_file(self, path: str, sha256: str) -> str:
        file = self._root / path
        if self._use is PictureUse.INLINE:
            return data_uri(file, only_rgb=self._format.only_rgb)
        if self._copies is not None:
            copy = self._copies.place(sha256, file)
            return copy.as_posix() if self._is_relative else (self._out.parent.resolve() / copy).as_posix()
        return self._prefix + path if self._is_relative else (self._root.resolve() / path).as_posix()

    def seal(self) -> tuple[ManifestFile, ...]:
        """End the files and bring them to the disk; return what the manifest says of them. Raises VqaError when a
        file that is none of ours has the name of a shard, OSError."""
        if self._shard_size is not None:
            self._name_shards()
        for open_file in self._files:
            if open_file.file.is_sealed:
                continue
            open_file.file.write(open_file.layout.end())
            open_file.file.seal()
        return tuple(
            ManifestFile(
                name=open_file.file.path.name,
                part=open_file.part,
                role=open_file.role,
                sha256=open_file.file.sha256,
                bytes=open_file.file.size,
                records=open_file.records,
                pictures=open_file.pictures,
                pairs=open_file.pairs,
            )
            for open_file in self._files
        )

    def commit(self, manifest: Manifest) -> Path:
        """Put the sealed files and then their manifest in place; return the manifest's path.

        The manifest comes last: after a crash in between, validation reports files that do not match it. The registry
        of a folder is not in it, since other exports have entries there. Raises VqaError when that registry is in the
        way, OSError.
        """
        path = manifest_path(self._out)
        last = [(path, manifest.model_dump_json(indent=2).encode("utf-8") + b"\n")]
        if self._format.is_registered:
            records = [open_file.file.path for open_file in self._files if not open_file.role]
            last.insert(0, (path.with_name(DATASET_INFO), merged_info(path.parent, records)))
        with ExitStack() as unfinished:
            sheets = []
            for sheet_path, content in last:
                sheets.append(AtomicFile(sheet_path))
                unfinished.callback(sheets[-1].discard)
                sheets[-1].write(content)
                sheets[-1].seal()
            for sealed in (*(open_file.file for open_file in self._files), *sheets):
                sealed.commit()
        if self._copies is not None:
            self._copies.keep()
        self._clips.keep()
        return path
