"""A folder as Ego4D's own downloader leaves it, with drawn videos and queries that a test states."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.videos import draw_video

UID = "00000000-0000-4000-8000-00000000000"
CLIP, ANNOTATION = "c11f", "a22e"


def uid(number: int) -> str:
    return f"{UID}{number}"


def query(start: Any, end: Any, words: Any = "Where is the kettle?", **more: Any) -> dict[str, Any]:
    return {"video_start_sec": start, "video_end_sec": end, "query": words, "template": "Place", **more}


def nlq(*videos: tuple[str, Sequence[Any]], split: str | None = "train") -> dict[str, Any]:
    """Return the JSON of a file of queries: for each video one clip with one annotation with these queries."""
    return {
        "version": "1",
        "videos": [
            {
                "video_uid": name,
                "split": split,
                "clips": [
                    {
                        "clip_uid": CLIP,
                        "annotations": [{"annotation_uid": ANNOTATION, "language_queries": list(queries)}],
                    }
                ],
            }
            for name, queries in videos
        ],
    }


def known(*videos: tuple[str, float], address: str = "") -> dict[str, Any]:
    """Return the JSON of `ego4d.json`: uids and durations in seconds, and addresses in the folder `address`."""
    return {
        "videos": [
            {"video_uid": name, "duration_sec": seconds, "s3_path": f"{address}/{name}.mp4"} for name, seconds in videos
        ]
    }


def write(folder: Path, queries: dict[str, Any], videos: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nlq_train.json").write_text(json.dumps(queries))
    (folder / "ego4d.json").write_text(json.dumps(videos))
    return folder


def kitchen(folder: Path) -> Path:
    """Write two videos of 12 and 6 seconds with three good queries, one of which ends behind its video."""
    for number, seconds in ((1, 12), (2, 6)):
        draw_video(folder / "full_scale" / f"{uid(number)}.mp4", seconds=seconds)
    return write(
        folder,
        nlq(
            (uid(1), [query(2.4, 4.2, answer="Answer (Optional): On the Stove"), query(7, 9.5, "Who came?")]),
            (uid(2), [query(3.9, 8.5, "What did I drop?")]),
        ),
        known((uid(1), 12.0), (uid(2), 6.0)),
    )
