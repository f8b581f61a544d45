"""Writing checkpoints and weights, and telling a full disk from what the libraries make of it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vqa_tui.training.trouble import TRAINING, Deed, DiskFull, TrainingTrouble

_TRIED_BYTES = 4 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def saving(folder: Path, deed: Deed = TRAINING) -> Iterator[None]:
    """Raise TrainingTrouble, in the words of `deed`, in place of whatever a library raises inside when nothing more can
    be written to `folder`.

    PyTorch says `unexpected pos` where a write fell short, and keeps no error number, so the disk itself is asked.
    """
    try:
        yield
    except TrainingTrouble:
        raise
    except Exception as error:
        if _is_full(folder):
            raise DiskFull(deed) from error
        raise


def _is_full(folder: Path) -> bool:
    trial = folder / f".room-{os.getpid()}"
    try:
        with open(trial, "wb", buffering=0) as file:
            written = 0
            while written < _TRIED_BYTES:
                written += file.write(b"\0" * (_TRIED_BYTES - written))
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in _FULL
    finally:
        with suppress(OSError):
            trial.unlink()
    return False
