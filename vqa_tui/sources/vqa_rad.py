"""VQA-RAD: the JSON of its authors (OSF) with an image folder, or the rows of the Hugging Face copy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.arrow_files import ARROW_SUFFIXES, arrow_files, column_names, json_value, numbered_rows
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.picture_names import PictureNames
from vqa_tui.sources.picture_shelf import PictureShelf
from vqa_tui.sources.record_files import numbered_records
from vqa_tui.sources.record_truth import BadRecord, as_object, scalar_text, text_of
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.sources.splits import split_in_name, split_in_path
from vqa_tui.sources.vqa_rad_enhanced import VqaRadEnhanced, is_enhanced

_JSON = "VQA_RAD Dataset Public.json"
_FOLDERS = ("VQA_RAD Image Folder", "images")
_EXPECTED = (
    f"VQA-RAD is the file `{_JSON}` with --images for its image folder, or a folder of .parquet or .arrow files with "
    "columns image, question, answer."
)
_SEEN = "VQA-RAD question ids"


def open_vqa_rad(path: Path, images: Path | None, allow_outside: bool) -> "VqaRadFile | VqaRadRows | VqaRadEnhanced":
    """Return the source for what lies at `path`. Raises VqaError when it has none of the forms."""
    if path.is_file() and path.suffix.lower() not in ARROW_SUFFIXES:
        if is_enhanced(path):
            return VqaRadEnhanced(path, images, allow_outside=allow_outside)
        return VqaRadFile(path, images, allow_outside=allow_outside)
    if files := arrow_files(path, links=allow_outside):
        return VqaRadRows(path, files, images)
    found = sorted(file for file in path.glob("*.json") if "rad" in file.name.lower())
    if len(found) == 1:
        return VqaRadFile(found[0], images or path, allow_outside=allow_outside)
    raise VqaError(f"{path} holds no VQA-RAD data", hint=_EXPECTED)


class VqaRadFile:
    """The list of the OSF download; a picture is looked for in the root and in `VQA_RAD Image Folder` and `images`.

    All rows about one picture make one item, keyed by the picture's name. Question and answer lose the white space
    around them, a number becomes its text; the record as it stands in the file is kept in `extra`. A question whose
    `phrase_type` begins with `test` belongs to the split test, any other to train (the rule of the authors). Most
    pictures of the test questions have train questions too, so such an item has no split of its own.
    """

    def __init__(self, file: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        self._file = file
        contained = ContainedRoot(images or file.parent, allow_outside=allow_outside)
        self._names = PictureNames(contained, _FOLDERS)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the file; see Source.records."""
        return joined_items(self._rows(scratch), scratch, self._names.find)

    def _rows(self, scratch: Scratch) -> Iterator[Row | ImportProblem]:
        for place, value in numbered_records(self._file, _EXPECTED):
            if isinstance(value, ImportProblem):
                yield value
                continue
            try:
                record = as_object(value)
                row = self._row(place, record)
                question_id = scalar_text(record, "qid")
            except BadRecord as error:
                yield ImportProblem(place, place, error.reason)
                continue
            if question_id:
                if earlier := scratch.get(_SEEN, question_id):
                    reason = f"has the qid {question_id} of {earlier[0]}; both questions are imported"
                    yield ImportProblem(f"{place} qid", place, reason)
                else:
                    scratch.put_many(_SEEN, [(question_id, place)])
            yield row

    def _row(self, place: str, record: dict[str, Any]) -> Row:
        asked = _reference(record, record.get("question_type"))
        split = "test" if text_of(record, "phrase_type").strip().lower().startswith("test") else "train"
        return Row(
            picture=self._names.key_of(text_of(record, "image_name")),
            place=place,
            questions=(asked.model_copy(update={"split": split}),),
            split=split,
            extra=record,
        )


class VqaRadRows:
    """Parquet or Arrow files with the columns `image`, `question` and `answer`; a file or its folder names the split.

    Each different picture is written once, as `md5_images/image_md5_<MD5 of its pixels>.png` in the root; that path is
    the item's key, so it is the same wherever the rows come from. The root is `images` when given, else the folder.
    """

    def __init__(self, path: Path, files: list[Path], images: Path | None = None) -> None:
        self._base = path if path.is_dir() else path.parent
        self._files = files
        self._pictures = ContainedRoot(self._base)
        self.root = ContainedRoot(images or self._base).path
        self._shelf = PictureShelf(self.root, "md5_images")

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the files; see Source.records."""
        return joined_items(self._rows(), scratch, lambda key: key)

    def _rows(self) -> Iterator[Row | ImportProblem]:
        for file in self._files:
            if missing := [name for name in ("image", "question", "answer") if name not in column_names(file)]:
                raise VqaError(f"{file} has no column {', '.join(missing)}", hint=_EXPECTED)
            inner = file.relative_to(self._base).as_posix()
            split = split_in_name(file.stem) or split_in_path(inner) or split_in_name(self._base.name)
            for place, row in numbered_rows(file):
                where = f"{inner.removesuffix(file.name)}{place}"
                if isinstance(row, ImportProblem):
                    yield ImportProblem(where, where, row.reason)
                    continue
                try:
                    yield self._row(where, row, split)
                except BadRecord as error:
                    yield ImportProblem(where, where, error.reason)

    def _row(self, place: str, row: dict[str, Any], split: str | None) -> Row:
        image = row.pop("image")
        record = as_object(json_value(row))
        asked = _reference(record, record.get("question_type"))
        extra = {name: value for name, value in record.items() if name not in ("question", "answer")}
        key = self._shelf.keep_pixels(_picture_bytes(image, self._pictures))
        return Row(key, place, (asked.model_copy(update={"split": split}),), split=split, extra=extra)


def _picture_bytes(value: Any, contained: ContainedRoot) -> bytes:
    """Return the encoded picture of a Hugging Face image cell: bytes, or `{"bytes": …, "path": …}`.

    Where only the path is given, the file is read from inside `contained`. Raises BadRecord.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return bytes(value["bytes"])
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        path = Path(contained.path, PictureNames(contained).find(value["path"]))
        try:
            return path.read_bytes()
        except OSError as error:
            raise BadRecord(f"the picture `{value['path']}` cannot be read: {error.strerror}") from error
    raise BadRecord("holds no picture in the column `image`: neither bytes nor a path")


def _reference(record: dict[str, Any], question_type: Any) -> ReferenceQuestion:
    question, answer = scalar_text(record, "question"), scalar_text(record, "answer")
    if not question or not answer:
        raise BadRecord("has no `question`" if not question else "has no `answer`")
    kind = question_type.strip() if isinstance(question_type, str) else ""
    return ReferenceQuestion(question=question, answer=answer, question_type=kind)
