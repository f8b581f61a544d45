"""Conversations about pictures or a video, a JSON list or JSON lines: LLaVA, ShareGPT, Qwen-VL, Model Garden, EVUD."""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vqa_tui.domain.clip import VIDEO_SUFFIXES, Clip, is_video
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.arrow_files import ARROW_SUFFIXES, json_value, numbered_rows
from vqa_tui.sources.clip_probe import length_of
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.picture_cells import PictureCells, is_data_uri
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.sources.record_files import numbered_records
from vqa_tui.sources.record_truth import BadRecord, as_object, scalar_text, text_of, texts_of
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.sources.splits import split_in_name, split_in_path

_EXPECTED = (
    'Expected records such as {"image": …, "conversations": [{"from": "human", "value": …}, …]}, {"messages": …, '
    '"images": […]} or {"text": …, "image": …, "response": …}, as a JSON list or one per line.'
)
_PICTURE_FIELDS = ("image", "images", "image_path", "picture")
_VIDEO_FIELDS = ("video", "videos", "video_path")
_SHOWN_FIELDS = (*_PICTURE_FIELDS, *_VIDEO_FIELDS)
_PICTURE_PARTS = ("image", "image_url", "input_image")
_VIDEO_PARTS = ("video", "video_url", "input_video")
_TURN_FIELDS = ("conversations", "messages")
_ASKING = frozenset({"human", "user"})
_SILENT = frozenset({"system", "tool", "observation", "function_call"})
_PLACEHOLDER = re.compile(r"\s*<(?:image|video)>\s*")
_MOST_PACKED = 10_000
"""Records in one packed list."""


class ConversationSource:
    """Reads records that hold pictures and turns of questions and answers; every form is told from its fields.

    The pictures are `image`, `images`, `image_path`, or parts of messages; a data URI is written once as a file in
    `vqa_pictures` in the root. Several make one item, which shows them in their order before its questions. Each answer
    belongs to the asking turn before it, from whose text `<image>` is taken out; an answer to nothing but pictures is a
    caption, and a turn without its other half is a problem. What `ground_truth` states is known of the picture. `text`
    with `response` (or `output`) is one question, as is `question` with `answer`. Packed lists of records are read one
    by one. Fields that are no turns, and system turns, are kept in `extra`. The key is the name of the picture, or the
    names of several; the split is `split`, or that of a folder in the name, or that of the file. Parquet and Arrow
    files may hold such records too. A video in place of pictures is one clip, as long as it is. Records of none, of
    both, and of several videos are problems.
    """

    def __init__(self, file: Path, images: Path | None = None, *, allow_outside: bool = False) -> None:
        self._file = file
        contained = ContainedRoot(images or file.parent, allow_outside=allow_outside)
        self._pictures = PictureCells(contained)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the file; see Source.records."""
        for found in joined_items(self._rows(), scratch, self._pictures.find):
            yield self._clip(found) if isinstance(found, SourceItem) and is_video(found.path) else found

    def _clip(self, video: SourceItem) -> SourceItem | ImportProblem:
        try:
            clip = Clip(start_s=0, end_s=length_of(self.root / video.path), whole=True)
        except UnusablePicture as error:
            return ImportProblem(video.key, video.where, f"the video {error.reason}")
        except VqaError as error:
            return ImportProblem(video.key, video.where, f"is about a video: {error.sentence}")
        return replace(video, truth=video.truth.model_copy(update={"clip": clip}))

    def _rows(self) -> Iterator[Row | ImportProblem]:
        for place, value in self._records():
            if isinstance(value, ImportProblem):
                yield value
                continue
            packed = value if isinstance(value, list) else [value]
            for number, record in enumerate(packed[:_MOST_PACKED], start=1):
                where = f"{place} part {number}" if isinstance(value, list) else place
                try:
                    yield from self._row(where, as_object(record))
                except BadRecord as error:
                    yield ImportProblem(where, where, error.reason)
            if len(packed) > _MOST_PACKED:
                reason = f"packs {len(packed)} records; the first {_MOST_PACKED} are read"
                yield ImportProblem(f"{place} parts", place, reason)

    def _records(self) -> Iterator[tuple[str, Any]]:
        if self._file.suffix.lower() not in ARROW_SUFFIXES:
            yield from numbered_records(self._file, _EXPECTED)
            return
        for place, row in numbered_rows(self._file):
            if isinstance(row, ImportProblem):
                yield place, row
            else:
                yield place, json_value({name: _with_uris(name, cell) for name, cell in row.items()})

    def _row(self, place: str, record: dict[str, Any]) -> Iterator[Row | ImportProblem]:
        shown, turns = _shown_by(record), _turns_of(record)
        spoken = _spoken(turns)
        if turns and not spoken.asked and not spoken.captions:
            raise BadRecord("holds no question with an answer after it")
        named = not any(map(is_data_uri, shown))
        key, *further = self._pictures.keys_of(shown)
        split = text_of(record, "split") or (split_in_path(key) if named else None) or split_in_name(self._file.stem)
        extra = {name: value for name, value in record.items() if name not in _READ_FIELDS}
        if named:
            extra |= {name: record[name] for name in _SHOWN_FIELDS if name in record}
        if system := [text for role, text in turns if role in _SILENT and text]:
            extra["system"] = system[0] if len(system) == 1 else system
        items, states_none = _stated(record)
        yield Row(
            key,
            place,
            tuple(spoken.asked),
            tuple(spoken.captions),
            items,
            split=split,
            extra=extra,
            states_none=states_none,
            further=tuple(further),
        )
        if spoken.left_out:
            turns_left = f"turn{'s' if len(spoken.left_out) > 1 else ''} {', '.join(map(str, spoken.left_out[:20]))}"
            reason = f"{turns_left} left out: a question without an answer, or an answer without a question"
            yield ImportProblem(f"{place} turns", place, reason)


_READ_FIELDS = frozenset({*_SHOWN_FIELDS, *_TURN_FIELDS, "text", "response", "output", "question", "answer", "split"})


def _stated(record: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    """Return the items of `ground_truth` (STCray's form of conversations), and whether it says that there are none."""
    stated = record.get("ground_truth")
    if not isinstance(stated, dict):
        return (), False
    try:
        items = texts_of(stated, "items")
    except BadRecord:
        return (), False
    return items, not items and stated.get("category") == "negative"


def _with_uris(field: str, cell: Any) -> Any:
    """Return a cell of a parquet table with the bytes of pictures as data URIs, as JSON would hold them."""
    if field not in _PICTURE_FIELDS:
        return cell
    if isinstance(cell, list):
        return [_with_uris(field, each) for each in cell]
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(data, bytes):
        return f"data:image/any;base64,{base64.b64encode(data).decode('ascii')}"
    return cell


def _shown_by(record: dict[str, Any]) -> list[str]:
    """Return the pictures that a record names or holds, or its one video."""
    pictures, videos = _named(record, _PICTURE_FIELDS, _PICTURE_PARTS), _named(record, _VIDEO_FIELDS, _VIDEO_PARTS)
    shown = pictures + videos
    if not shown:
        raise BadRecord("names no picture (image, images, image_path, or a message part) and no video")
    if not all(map(is_video, videos)):
        suffixes = ", ".join(sorted(VIDEO_SUFFIXES))
        raise BadRecord(f"its video is no file that ends in {suffixes}; a list of frames in its place is not read")
    if len(shown) > 1 and any(map(is_video, shown)):
        raise BadRecord(f"shows a video among {len(shown)} files; records of pictures or of one video are read")
    return shown


def _named(record: dict[str, Any], fields: Sequence[str], parts: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in fields:
        value = record.get(name)
        entries = value if isinstance(value, list) else [] if value is None or value == "" else [value]
        found += [_name_in(name, entry) for entry in entries]
        if found:
            # Several of these fields in one record spell the same file differently; the first one counts.
            return found
    for turn in _turn_list(record):
        content = turn.get("content") if isinstance(turn, dict) else None
        for part in content if isinstance(content, list) else []:
            if isinstance(part, dict) and part.get("type") in parts:
                medium, url = parts[0], parts[1]
                found.append(_name_in(medium, part.get(medium) or part.get(url) or part.get("url")))
    return found


def _name_in(field: str, entry: Any) -> str:
    if isinstance(entry, dict):
        entry = entry.get("url") or entry.get("path")
    if not isinstance(entry, str):
        if field in _VIDEO_FIELDS:
            raise BadRecord(f"`{field}` names no video: it is no file name")
        raise BadRecord(f"`{field}` names no picture: it is neither a file name nor a data URI")
    return entry


def _turn_list(record: dict[str, Any]) -> list[Any]:
    for name in _TURN_FIELDS:
        value = record.get(name)
        if isinstance(value, list):
            return value
        if value is not None:
            raise BadRecord(f"`{name}` is not a list of turns")
    return []


def _turns_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (role, text) of each turn, with the tags of pictures taken out."""
    found = []
    for number, turn in enumerate(_turn_list(record), start=1):
        if not isinstance(turn, dict):
            raise BadRecord(f"turn {number} is not an object")
        role = turn.get("from", turn.get("role"))
        content = turn.get("value", turn.get("content"))
        if isinstance(content, list):
            texts = [
                part.get("text") for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
            ]
            content = "\n".join(text for text in texts if text)
        if not isinstance(role, str) or not isinstance(content, str):
            raise BadRecord(f"turn {number} has no text or nobody who says it (from and value, or role and content)")
        found.append((role, _PLACEHOLDER.sub("\n", content).strip()))
    if found:
        return found
    for asking, answering in (("text", "response"), ("text", "output"), ("question", "answer")):
        if asking in record and answering in record:
            question, answer = scalar_text(record, asking), scalar_text(record, answering)
            if not answer:
                raise BadRecord(f"has no `{answering}`")
            return [("user", _PLACEHOLDER.sub("\n", question).strip()), ("assistant", answer)]
    raise BadRecord("holds neither turns (conversations or messages) nor text with a response")


@dataclass(slots=True)
class _Spoken:
    """What a conversation holds: questions with answers, and answers to nothing but the pictures."""

    asked: list[ReferenceQuestion] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    """Turns, from 1, that are neither: a question without an answer, an answer without a question."""


def _spoken(turns: list[tuple[str, str]]) -> _Spoken:
    found = _Spoken()
    waiting: str | None = None
    asked_in = 0
    for number, (role, words) in enumerate(turns, start=1):
        if role in _SILENT:
            continue
        if role in _ASKING:
            waiting = words if waiting is None else f"{waiting}\n{words}".strip()
            asked_in = number
        elif waiting is None:
            found.left_out.append(number)
        else:
            if not words:
                found.left_out.append(asked_in)
            elif waiting:
                found.asked.append(ReferenceQuestion(question=waiting, answer=words))
            else:
                found.captions.append(words)
            waiting = None
    if waiting is not None:
        found.left_out.append(asked_in)
    return found
