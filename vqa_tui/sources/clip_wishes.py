"""What a person may say of the clips of a video dataset."""

from dataclasses import dataclass
from pathlib import Path


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
