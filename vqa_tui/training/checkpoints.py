"""Which checkpoints of a training were written whole, and away with those that were not."""

import json
import shutil
from pathlib import Path

CHECKPOINTS = "checkpoints"
_WRITTEN_LAST = "trainer_state.json"


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written whole; None where there is none."""
    return max(filter(_is_whole, (folder / CHECKPOINTS).glob("checkpoint-*")), key=step_of, default=None)


def remove_unfinished(folder: Path) -> None:
    """Delete checkpoints that were not written whole: nothing goes on from them, they take space, and they would count
    among those that are kept."""
    for path in (folder / CHECKPOINTS).glob("*"):
        if path.is_dir() and not _is_whole(path):
            shutil.rmtree(path, ignore_errors=True)


def step_of(checkpoint: Path) -> int:
    """Return the step after which a checkpoint was written."""
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _is_whole(checkpoint: Path) -> bool:
    """The file that is written last is there to its end: it is written in place, and may have been cut off."""
    try:
        json.loads((checkpoint / _WRITTEN_LAST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True
