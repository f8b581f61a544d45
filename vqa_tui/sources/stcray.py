"""STCray `annotations.json`: a list, or lines, of records that name a picture, its categories and its boxes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.record_files import numbered_records
from vqa_tui.sources.record_truth import BadRecord, as_object, stcray_truth, text_of
from vqa_tui.sources.splits import split_in_path

_EXPECTED = (
    'The STCray form is a list `[{"image_path": …, "categories": …}, …]` or one such record per line; '
    "COCO files are imported as kind `coco`."
)
_NAMES_NO_PICTURE = "names no picture: none of image_path, image_filename, image_path_absolute is there"


class StcraySource:
    """Reads the annotation list that STCray's preparation scripts write, as JSON or as JSON lines.

    A picture is looked for, inside the dataset root only, in this order: `image_path` from the folder above the
    annotation file, `image_path` from the root, `image_path_absolute` where it lies in the root, the last part of
    `image_path`, and `image_filename`; the last two from the root itself and from an `images` folder in it.
    The root is `images` when given, else the folder of the annotation file. With
    `allow_outside` the first three may also lie elsewhere.
    """

    def __init__(self, annotations: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        self._file = annotations.absolute()
        self._contained = ContainedRoot(images or self._file.parent, allow_outside=allow_outside)
        self.root = self._contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the file; see Source.records."""
        for place, record in numbered_records(self._file, _EXPECTED):
            if isinstance(record, ImportProblem):
                yield record
                continue
            yield from self._read_record(place, record)

    def _read_record(self, place: str, value: Any) -> Iterator[SourceItem | ImportProblem]:
        key = place
        try:
            record = as_object(value)
            key = _stable_key(record)
            truth, dropped = stcray_truth(record)
            path = self._find_picture(record)
            split = text_of(record, "split") or split_in_path(text_of(record, "image_path")) or split_in_path(path)
        except BadRecord as error:
            yield ImportProblem(key, place, error.reason)
            return
        for box in dropped:
            reason = f"box {box.number} {box.reason}; the picture is imported without this box"
            yield ImportProblem(f"{key} box {box.number}", place, reason)
        yield SourceItem(key, path, truth, split, place)

    def _find_picture(self, record: dict[str, Any]) -> str:
        refusals: dict[str, str] = {}
        names = self._candidates(record)
        for name in names:
            try:
                if found := self._contained.find(name):
                    return found
            except PathRefused as error:
                refusals[name] = error.reason
        absolute = text_of(record, "image_path_absolute")
        if refusals:
            name, reason = next(iter(refusals.items()))
            raise BadRecord(f"the picture `{name}` {reason}")
        if not names and not absolute:
            raise BadRecord(_NAMES_NO_PICTURE)
        if not names:
            away = f"`image_path_absolute` {absolute} lies outside {self.root}"
            raise BadRecord(f"{away}; give its folder with --images, or --allow-outside")
        raise BadRecord(f"no such picture in {self.root}: looked for {', '.join(names)}")

    def _candidates(self, record: dict[str, Any]) -> list[str]:
        image_path, file_name = text_of(record, "image_path"), text_of(record, "image_filename")
        absolute = text_of(record, "image_path_absolute")
        names = []
        if image_path:
            above = self._contained.inside(str(self._file.parent.parent / image_path))
            names += [name for name in (above, image_path) if name]
        if inside := self._contained.inside(absolute):
            names.append(inside)
        for base in (image_path.rsplit("/", 1)[-1], file_name):
            if base:
                names += [base, f"images/{base}"]
        return list(dict.fromkeys(names))


def _stable_key(record: dict[str, Any]) -> str:
    """Return what the record calls itself, so that reordering or growing the file changes no key."""
    if image_path := text_of(record, "image_path"):
        return image_path
    image_id = record.get("image_id")
    if isinstance(image_id, int | str) and not isinstance(image_id, bool) and image_id != "":
        return f"image_id {image_id}"
    name = text_of(record, "image_filename") or text_of(record, "image_path_absolute")
    if not name:
        raise BadRecord(_NAMES_NO_PICTURE)
    return name
