"""Ego4D natural language queries: one item, a clip of a video, for each query."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqa_tui.domain.clip import VIDEO_SUFFIXES, Clip
from vqa_tui.domain.item import GroundTruth, ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.clip_files import ClipFiles
from vqa_tui.sources.clip_wishes import ClipWishes, read_note
from vqa_tui.sources.contained import ContainedRoot, PathRefused
from vqa_tui.sources.ego4d_files import is_uid, known_video, note_videos, query_files, seconds
from vqa_tui.sources.json_stream import stream_items
from vqa_tui.sources.record_truth import BadRecord, valid_text
from vqa_tui.sources.splits import split_in_name
from vqa_tui.video.addresses import check_address, exists_at, joined
from vqa_tui.video.reader import video_reader

_FOLDERS = ("", "videos/", "full_scale/", "v1/full_scale/", "v2/full_scale/", "v2/video_540ss/", "video_540ss/")
"""Where Ego4D's own downloader puts videos (ego4d --datasets full_scale, video_540ss), and the usual ones."""
_BY_ADDRESS = "s3_path"
_ANSWER = "Answer (Optional):"
_FIELDS = ("template", "slot_x", "verb_x", "slot_y", "verb_y")


@dataclass(frozen=True, slots=True)
class _Video:
    uid: str
    file: str
    """From the root, or an address."""
    duration_s: float
    split: str | None


class Ego4dNlqSource:
    """`ego4d.json` and `nlq_*.json` of Ego4D (EGO4D/docs, annotation schemas), with the videos.

    The clip of a query is [floor(start), min(ceil(end), duration)] in whole seconds of the video, as EVUD cuts it; its
    key is `video_uid/clip_uid/annotation_uid/index`, which counts queries as the file does, those left out included.
    A query with an answer is a reference question; the others' stand in `extra`, with Ego4D's ids, under the names
    that EVUD gives them. Videos are found by uid in the root and in the folders of Ego4D's downloader.
    """

    def __init__(
        self, path: Path, videos: Path | None, wishes: ClipWishes | None = None, *, allow_outside: bool = False
    ) -> None:
        """Raises VqaError where a file is missing, or nothing is installed that reads videos or an address."""
        wishes = wishes or ClipWishes()
        if wishes == ClipWishes() and videos is not None and (noted := read_note(videos)) is not None:
            # A folder of kept clips in the place of the videos: the import of these goes on.
            videos, wishes = noted
        self._queries, self._known = query_files(path)
        video_reader()
        if wishes.videos_from not in ("", _BY_ADDRESS):
            check_address(joined(wishes.videos_from, "x"))
        folder = videos or (path if path.is_dir() else path.parent)
        self._contained = ContainedRoot(folder, allow_outside=allow_outside)
        self._from = wishes.videos_from
        self._files = ClipFiles(self._contained.path, wishes)
        self.root = self._files.root

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the queries; see Source.records."""
        yield from note_videos(self._known, scratch)
        for file in self._queries:
            found = False
            for number, record in enumerate(stream_items(file, "videos.item"), start=1):
                found = True
                yield from self._of_video(file, f"{file.name} video {number}", record, scratch)
            if not found:
                yield ImportProblem(file.name, file.name, "holds no queries: `videos` is missing or empty")

    def make(self, item: SourceItem) -> None:
        """Cut and upload the clip of an item as wished; see MakesFiles.make."""
        self._files.make(item)

    def _of_video(self, file: Path, place: str, record: Any, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        try:
            video = self._video(file, record, scratch)
        except BadRecord as error:
            yield ImportProblem(place, place, f"{error.reason}; its queries are left out")
            return
        for at, clip in _listed(record, "clips", place):
            if isinstance(clip, str):
                yield ImportProblem(at, at, clip)
                continue
            for there, annotation in _listed(clip, "annotations", at):
                if isinstance(annotation, str):
                    yield ImportProblem(there, there, annotation)
                    continue
                ids = (clip.get("clip_uid"), annotation.get("annotation_uid"))
                for here, query in _listed(annotation, "language_queries", there):
                    if isinstance(query, str):
                        yield ImportProblem(here, here, query)
                        continue
                    try:
                        yield self._item(video, ids, int(here.rpartition(" ")[2]) - 1, query, here)
                    except BadRecord as error:
                        yield ImportProblem(here, here, error.reason)

    def _video(self, file: Path, record: Any, scratch: Scratch) -> _Video:
        if not isinstance(record, dict) or not is_uid(record.get("video_uid")):
            raise BadRecord("has no `video_uid` of letters, digits, `-` and `_`")
        uid = record["video_uid"]
        known = known_video(scratch, uid)
        if known is None:
            raise BadRecord(f"the video {uid} is not in {self._known.name}")
        duration, address = known
        if not duration:
            raise BadRecord(f"the video {uid} has no `duration_sec` above 0 in {self._known.name}")
        split = record.get("split")
        found = self._at_address(uid, address) if self._from else self._on_disk(uid)
        named = valid_text(split) if isinstance(split, str) and split else split_in_name(file.stem)
        return _Video(uid, found, duration, named)

    def _on_disk(self, uid: str) -> str:
        try:
            for folder in _FOLDERS:
                for suffix in sorted(VIDEO_SUFFIXES):
                    if found := self._contained.find(f"{folder}{uid}{suffix}"):
                        return found
        except PathRefused as error:
            raise BadRecord(f"the video {uid} {error.reason}") from error
        raise BadRecord(
            f"there is no video {uid}.mp4 in {self._contained.path} or its folders {', '.join(filter(None, _FOLDERS))}"
        )

    def _at_address(self, uid: str, address: str) -> str:
        where = address if self._from == _BY_ADDRESS else joined(self._from, f"{uid}.mp4")
        if not where:
            raise BadRecord(f"the video {uid} has no `s3_path` in {self._known.name}")
        try:
            if exists_at(where):
                return where
        except OSError as error:
            raise BadRecord(f"the video at {where} cannot be looked up: {error}") from error
        raise BadRecord(f"there is no video at {where}")

    def _item(self, video: _Video, ids: tuple[Any, Any], number: int, query: dict[str, Any], place: str) -> SourceItem:
        for name, uid in zip(("clip_uid", "annotation_uid"), ids, strict=True):
            if not is_uid(uid):
                raise BadRecord(f"has no `{name}` of letters, digits, `-` and `_`")
        asked = query.get("query")
        if not isinstance(asked, str) or not asked.strip():
            raise BadRecord("has no `query`")
        key = f"{video.uid}/{ids[0]}/{ids[1]}/{number}"
        start_s, end_s = _span(query, video.duration_s)
        clip, path, cut_from = self._files.placed(key, video.file, Clip(start_s=start_s, end_s=end_s))
        asked, answer = valid_text(asked.strip()), query.get("answer")
        answer = valid_text(answer).strip().removeprefix(_ANSWER).strip() if isinstance(answer, str) else ""
        extra: dict[str, Any] = {
            "ego4d_video_uid": video.uid,
            "ego4d_clip_uid": ids[0],
            "ego4d_annotation_uid": ids[1],
            "ego4d_language_query_index": number,
            "duration_(s)": _whole(round(end_s - start_s, 6)),
            "video_start_sec": query["video_start_sec"],
            "video_end_sec": query["video_end_sec"],
            "query": asked,
        }
        extra |= cut_from
        extra |= {name: valid_text(text) for name in _FIELDS if isinstance(text := query.get(name), str) and text}
        questions = (ReferenceQuestion(question=asked, answer=answer, split=None),) if answer else ()
        return SourceItem(key, path, GroundTruth(questions=questions, clip=clip, extra=extra), video.split, place)


def _listed(record: dict[str, Any], name: str, place: str) -> Iterator[tuple[str, Any]]:
    """Yield the place and the object of each entry of a list, or words in its place where it is none."""
    entries = record.get(name)
    if entries is None:
        return
    if not isinstance(entries, list):
        yield place, f"`{name}` is not a list"
        return
    what = {"clips": "clip", "annotations": "annotation"}.get(name, "query")
    for number, entry in enumerate(entries, start=1):
        at = f"{place} {what} {number}"
        yield at, entry if isinstance(entry, dict) else "is not a JSON object"


def _span(query: dict[str, Any], duration_s: float) -> tuple[float, float]:
    """Return where the clip of a query begins and ends. Raises BadRecord for times that make none."""
    start, end = (seconds(query.get(name)) for name in ("video_start_sec", "video_end_sec"))
    if start is None or end is None:
        raise BadRecord("has no `video_start_sec` and `video_end_sec` (the test split is without)")
    first, last = float(math.floor(start)), min(float(math.ceil(end)), duration_s)
    if first >= duration_s:
        raise BadRecord(f"begins at {start:g} s, and its video is {duration_s:g} s long")
    if last <= first:
        raise BadRecord(f"is empty: it begins at {start:g} s and ends at {end:g} s")
    return first, last


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number
