"""The files of Ego4D's natural language queries: which there are, and what `ego4d.json` says of the videos."""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.json_stream import first_byte, stream_items

_CHUNK = 500
_UID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EXPECTED = (
    "Ego4D's queries are `nlq_train.json` or `nlq_val.json` with `ego4d.json` beside it, or the folder of these; "
    "--images names the folder of the videos."
)


def query_files(path: Path) -> tuple[list[Path], Path]:
    """Return the files of queries that `path`, one of them or their folder, means, and the `ego4d.json` beside them.

    `ego4d.json` may have more in its name, such as `ego4d.sample.json`. Raises VqaError where one is not there.
    """
    folder = path if path.is_dir() else path.parent
    queries = sorted(folder.glob("nlq*.json")) if path.is_dir() else [path]
    if not queries:
        raise VqaError(f"{folder} holds no nlq_*.json", hint=_EXPECTED)
    exact = folder / "ego4d.json"
    known = [exact] if exact.is_file() else sorted(set(folder.glob("ego4d*.json")) - set(queries))
    if len(known) != 1:
        what = "no ego4d.json" if not known else f"several: {', '.join(each.name for each in known)}"
        raise VqaError(f"the durations of the videos stand in ego4d.json, and {folder} holds {what}", hint=_EXPECTED)
    for file in (*queries, known[0]):
        if first_byte(file) != b"{":
            raise VqaError(f"{file} is not a file of Ego4D: it must be one JSON object", hint=_EXPECTED)
    return queries, known[0]


def note_videos(file: Path, scratch: Scratch) -> Iterator[ImportProblem]:
    """Put the duration and the address of every video of `ego4d.json` into `scratch`, by uid; yield what is wrong."""
    numbered = enumerate(stream_items(file, "videos.item"), start=1)
    found = False
    while chunk := list(islice(numbered, _CHUNK)):
        found = True
        rows = []
        for number, record in chunk:
            place = f"{file.name} video {number}"
            if not isinstance(record, dict) or not is_uid(record.get("video_uid")):
                yield ImportProblem(place, place, "has no `video_uid` of letters, digits, `-` and `_`")
                continue
            address = record.get("s3_path")
            known = [seconds(record.get("duration_sec")), address if isinstance(address, str) else ""]
            rows.append((record["video_uid"], json.dumps(known)))
        scratch.put_many("videos", rows)
    if not found:
        yield ImportProblem(file.name, file.name, "holds no videos: `videos` is missing or empty")


def known_video(scratch: Scratch, uid: str) -> tuple[float | None, str] | None:
    """Return duration in seconds and address of a video that `note_videos` noted; None for one that it did not."""
    found = scratch.get("videos", uid)
    if not found:
        return None
    duration, address = json.loads(found[0])
    return duration, address


def is_uid(value: Any) -> bool:
    """Tell whether a value can be a uid of Ego4D, and so a step of a path."""
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def seconds(value: Any) -> float | None:
    """Return a number of seconds, or None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)
