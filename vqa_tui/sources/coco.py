"""COCO instances and captions files, joined on disk so that memory stays constant."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic_core import from_json, to_json

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.json_stream import first_byte, stream_items
from vqa_tui.sources.record_truth import BadRecord, as_object, make_box, sort_boxes, text_of, valid_text
from vqa_tui.sources.splits import split_in_name

_PREFIXES = ("instances_", "captions_")
_CHUNK = 1000
"""Annotations in memory at a time."""
_JOINED = 250
"""Pictures whose annotations are in memory at a time."""


@dataclass(frozen=True, slots=True)
class _AnnotationSet:
    """Files that annotate the same pictures: `instances_train2017.json` and `captions_train2017.json`."""

    name: str
    files: tuple[Path, ...]


class CocoSource:
    """COCO annotations: one JSON file with boxes, captions or both, or a folder of such files.

    In a folder (or its `annotations`), files `instances_NAME.json` and `captions_NAME.json` are joined. Pictures are
    looked for inside the root as `file_name`, `NAME/file_name`, `images/file_name`, `images/NAME/file_name`. The root
    is `images` when given, else the folder, or for a file the folder it lies in (the one above for `annotations`).
    The key is `NAME/file_name`, the split that of NAME. A category stands once per box; the picture's own record
    (licence, URLs) goes into `extra`; segmentations are not kept, so a crowd region is its bounding box. A picture that
    a file with `categories` lists and does not annotate is stated to hold none of them; captions alone state nothing.
    """

    def __init__(self, path: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        if path.is_dir():
            self._sets = _sets_in(path)
            default_root = path.parent if path.name == "annotations" else path
        else:
            self._sets = [_AnnotationSet(_set_name(path), (path,))]
            default_root = path.parent.parent if path.parent.name == "annotations" else path.parent
        self._contained = ContainedRoot(images or default_root, allow_outside=allow_outside)
        self.root = self._contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the `images` lists; see Source.records."""
        for group in self._sets:
            for file in group.files:
                if first_byte(file) != b"{":
                    raise VqaError(
                        f"{file} is not a COCO file: it must be one JSON object with `images` and `annotations`",
                        hint="A list of records is imported as kind `stcray`.",
                    )
                yield from self._list_pictures(group, file, scratch)
            labels = [_category_names(file) for file in group.files]
            for file, names in zip(group.files, labels, strict=True):
                yield from self._file_annotations(group, file, names, scratch)
            labelling = {str(number) for number, names in enumerate(labels) if names}
            for file in group.files:
                yield from self._join(group, file, labelling, scratch)

    def _list_pictures(self, group: _AnnotationSet, file: Path, scratch: Scratch) -> Iterator[ImportProblem]:
        """Note which files list each picture (by their numbers in the group), and under which name."""
        table, number, found = f"pictures {group.name}", str(group.files.index(file)), 0

        def new_ids() -> Iterator[tuple[str, str]]:
            nonlocal found
            for record in stream_items(file, "images.item"):
                found += 1
                picture_id = _identity(record, "id")
                if picture_id:
                    yield picture_id, f"{number} {record.get('file_name')}"

        scratch.put_many(table, new_ids())
        if not found:
            yield ImportProblem(file.name, file.name, "lists no pictures: `images` is missing or empty")

    def _file_annotations(
        self, group: _AnnotationSet, file: Path, categories: dict[str, str], scratch: Scratch
    ) -> Iterator[ImportProblem]:
        numbered = enumerate(stream_items(file, "annotations.item"), start=1)
        strays, first_stray = 0, ""
        while chunk := list(islice(numbered, _CHUNK)):
            rows = []
            named = [_identity(record, "image_id") for _number, record in chunk]
            listed = scratch.get_many(f"pictures {group.name}", list(dict.fromkeys(named)))
            for picture_id, (number, record) in zip(named, chunk, strict=True):
                if not picture_id:
                    place = f"{file.name} annotation {number}"
                    yield ImportProblem(place, place, "has no `image_id`")
                elif picture_id not in listed:
                    strays, first_stray = strays + 1, first_stray or picture_id
                else:
                    rows.append((picture_id, _compact(record, categories)))
            scratch.put_many(f"annotations {group.name}", rows)
        if strays:
            reason = f"{strays} annotations name pictures that no file lists; the first is image_id {first_stray}"
            yield ImportProblem(f"{file.name} strays", file.name, reason)

    def _join(
        self, group: _AnnotationSet, file: Path, labelling: set[str], scratch: Scratch
    ) -> Iterator[SourceItem | ImportProblem]:
        """Yield the pictures that `file` lists first; `labelling` are the numbers of those with categories."""
        split, own = split_in_name(group.name), str(group.files.index(file))
        numbered = enumerate(stream_items(file, "images.item"), start=1)
        while chunk := list(islice(numbered, _JOINED)):
            picture_ids = [_identity(value, "id") for _number, value in chunk]
            asked = list(dict.fromkeys(picture_ids))
            listed = scratch.get_many(f"pictures {group.name}", asked)
            annotations = scratch.get_many(f"annotations {group.name}", asked)
            for picture_id, (number, value) in zip(picture_ids, chunk, strict=True):
                listings = [listing.partition(" ") for listing in listed.get(picture_id, ())]
                listed_in = [number_of_file for number_of_file, _, _ in listings]
                if listed_in and listed_in[0] != own:
                    continue
                place = f"{file.name} picture {number}"
                key = place
                try:
                    record = as_object(value)
                    file_name = text_of(record, "file_name")
                    if not file_name or not picture_id:
                        raise BadRecord("needs an `id` and a `file_name`")
                    others = sorted(
                        {PurePosixPath(name).name for _, _, name in listings} - {PurePosixPath(file_name).name}
                    )
                    if others:
                        raise BadRecord(f"has the id {picture_id} of {others[0]}, too: whose annotations are they?")
                    key = f"{group.name}/{file_name}"
                    path = self._find_picture(group.name, file_name)
                except BadRecord as error:
                    yield ImportProblem(key, place, error.reason)
                    continue
                rows = [from_json(text) for text in annotations.get(picture_id, ())]
                boxes, dropped = sort_boxes([make_box(row["label"], row["bbox"]) for row in rows if "bbox" in row])
                for box in dropped:
                    reason = f"box {box.number} {box.reason}; the picture is imported without this box"
                    yield ImportProblem(f"{key} box {box.number}", place, reason)
                truth = GroundTruth(
                    categories=tuple([box.label for box in boxes]),
                    states_none=not labelling.isdisjoint(listed_in) and all(row.keys() == {"caption"} for row in rows),
                    boxes=boxes,
                    captions=tuple(dict.fromkeys([row["caption"] for row in rows if row.get("caption")])),
                    extra=record,
                )
                yield SourceItem(key, path, truth, split, place)

    def _find_picture(self, set_name: str, file_name: str) -> str:
        names = [file_name, f"{set_name}/{file_name}", f"images/{file_name}", f"images/{set_name}/{file_name}"]
        for name in names:
            try:
                if found := self._contained.find(name):
                    return found
            except PathRefused as error:
                raise BadRecord(f"the picture `{name}` {error.reason}") from error
        raise BadRecord(f"no such picture in {self.root}: looked for {', '.join(names)}; name its folder with --images")


def _sets_in(folder: Path) -> list[_AnnotationSet]:
    files = [
        path
        for place in (folder, folder / "annotations")
        if place.is_dir()
        for path in sorted(place.iterdir())
        if path.suffix == ".json" and path.name.startswith(_PREFIXES)
    ]
    if not files:
        raise VqaError(
            f"{folder} holds no instances_*.json or captions_*.json, and neither does a folder `annotations` in it",
            hint="Name the annotation file itself when it is called otherwise.",
        )
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(_set_name(path), []).append(path)
    # Boxes before captions, so that the record with the full picture data comes first.
    return [_AnnotationSet(name, tuple(sorted(groups[name], reverse=True))) for name in sorted(groups)]


def _set_name(path: Path) -> str:
    name = path.stem
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _identity(record: Any, field: str) -> str:
    value = record.get(field) if isinstance(record, dict) else None
    if type(value) is int:
        return str(value)
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""


def _category_names(file: Path) -> dict[str, str]:
    names = {}
    for record in stream_items(file, "categories.item"):
        if (identity := _identity(record, "id")) and isinstance(record.get("name"), str):
            names[identity] = record["name"]
    return names


def _compact(record: dict[str, Any], categories: dict[str, str]) -> str:
    """Return what is kept of an annotation as JSON: its label and box, its caption, or both."""
    kept: dict[str, Any] = {}
    if "bbox" in record:
        bbox = record["bbox"]
        whole = isinstance(bbox, list) and all([isinstance(number, (int, float)) for number in bbox])
        label = categories.get(_identity(record, "category_id"), "")
        kept |= {"label": valid_text(label), "bbox": bbox if whole else None}
    if isinstance(caption := record.get("caption"), str):
        kept["caption"] = valid_text(caption.strip())
    return to_json(kept, inf_nan_mode="constants").decode()
