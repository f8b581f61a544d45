"""What a person may say of the clips of a video dataset, and the note of it in a folder of kept clips."""

import json
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError

NOTE = "vqa-clips.json"
"""Lies in a folder of kept clips and says of which videos they are cut, so that the import can go on from there."""


@dataclass(frozen=True, slots=True)
class ClipWishes:
    """Where videos come from and where clips go to; all empty: local videos, and clips are made when they are sent."""

    videos_from: str = ""
    """The address of a folder of videos, such as `s3://bucket/videos`, or `s3_path`: each from the address that the
    annotations give. Empty: the videos lie on this machine."""
    keep: Path | None = None
    """A folder for the cut clips, which are then the pictures of the dataset."""
    upload_to: str = ""
    """The address of a folder that gets a copy of each clip, such as `gs://bucket/clips`."""
    length_s: float = 0.0
    """Seconds of each clip into which a video is cut of which nothing says where its clips are; 0: none is cut."""


def write_note(videos: Path, wishes: ClipWishes) -> None:
    """Leave a note in the folder of kept clips. Raises OSError."""
    if wishes.keep is not None:
        told = {"videos": str(videos), "videos_from": wishes.videos_from, "upload_to": wishes.upload_to}
        (wishes.keep / NOTE).write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def read_note(folder: Path) -> tuple[Path, ClipWishes] | None:
    """Return the folder of videos and the wishes with which the clips in `folder` were made; None where none were.

    Raises VqaError for a note that cannot be read.
    """
    note = folder / NOTE
    try:
        told = json.loads(note.read_text("utf-8"))
        return Path(told["videos"]), ClipWishes(str(told["videos_from"]), folder, str(told["upload_to"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VqaError(
            f"{note} cannot be read, so it is not known of which videos these clips are",
            hint="Remove it, and name the folder of the videos with --images and this one with --keep-clips.",
        ) from error
