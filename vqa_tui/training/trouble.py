"""What ends a training in a sentence a person can act on."""

import errno
import re
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass

from vqa_tui.domain.training_exit import ERROR, FAILED, FULL_DISK


@dataclass(frozen=True, slots=True)
class Deed:
    """What is being done, in the words that are said when it cannot go on."""

    unwritten: str
    """What a full disk leaves unwritten."""
    with_room: str
    """What to do about that."""
    with_memory: str
    """What to do about a lack of memory."""


TRAINING = Deed(
    "a checkpoint",
    "Free some space and resume: the checkpoints before it are whole.",
    "Lower max_pixels or batch_size, set gradient_checkpointing or four_bit, or take a smaller model; "
    "`vqa-tui train estimate` says what each takes.",
)
JUDGING = Deed(
    "what was found",
    "Free some space and evaluate again.",
    "Evaluate on a device with more memory: `--device gpu N`, or `--device cpu`.",
)
MERGING = Deed(
    "the merged model",
    "Free as much as the whole model takes, and try again: the adapter is whole.",
    "The whole weights must fit into the memory of this machine; vLLM serves an adapter without merging.",
)


class TrainingTrouble(Exception):
    """A training cannot go on; `str()` says what is wrong and `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[type["TrainingTrouble"], tuple[str, str]]:
        return type(self), (str(self), self.hint)

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{str(self).rstrip('.')}. {self.hint}" if self.hint else str(self)


class DiskFull(TrainingTrouble):
    """Nothing more can be written."""

    def __init__(self, deed: Deed) -> None:
        super().__init__(f"the disk is full, so {deed.unwritten} could not be written", deed.with_room)


class PeerLost(TrainingTrouble):
    """Another process of the training ended, which says itself why."""


def told(trouble: TrainingTrouble, error: BaseException) -> int:
    """Say why a program ends, in one line that begins with `error: `, and return its exit status. Before that line
    stands the traceback of the `error` behind it, unless `trouble` says all."""
    if not isinstance(trouble, DiskFull) and not isinstance(error, TrainingTrouble):
        traceback.print_exception(error)
    with suppress(OSError):  # on a full disk the log takes nothing either: the status says it
        print(f"{ERROR}{trouble.sentence}", file=sys.stderr, flush=True)
    return FULL_DISK if isinstance(trouble, DiskFull) else FAILED


def in_words(error: BaseException, deed: Deed = TRAINING) -> TrainingTrouble:
    """Return what an error of the libraries means; what is not known keeps its own words."""
    if isinstance(error, TrainingTrouble):
        return error
    words = _telling_line(error)
    name = type(error).__name__
    if is_lack_of_memory(error):
        return TrainingTrouble("out of memory", deed.with_memory)
    if _is_end_of_a_maker(error, words):
        return TrainingTrouble(
            "a process that makes batches was ended from outside",
            "Most often the system does so where memory runs out: lower max_pixels or batch_size, and resume.",
        )
    if name == "DistBackendError" or any(each in words for each in ("closed by peer", "reset by peer", "Broken pipe")):
        return PeerLost(
            "another process of this training ended",
            "Its own log says why, on its machine. Resume on all machines: checkpoints are whole.",
        )
    if _lacks_space(error):
        return DiskFull(deed)
    if (package := _missing_package(error)) is not None:
        return TrainingTrouble(
            f"the package {package} is not installed", "`pip install 'vqa-tui[train]'` brings what training needs."
        )
    said = words if _is_handed_on(error) else f"{name}: {words}" if words else name
    return TrainingTrouble(said, "The log has the whole story.")


def _is_end_of_a_maker(error: BaseException, words: str) -> bool:
    """Whether a process that makes batches is gone, as PyTorch says or as the way to it shows, which breaks first."""
    if re.search(r"DataLoader worker .*(is killed by signal|exited unexpectedly)", words):
        return True
    if not isinstance(error, (ConnectionError, EOFError)) or _is_handed_on(error):
        return False
    passed = (frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__))
    return "_try_get_data" in passed


def _missing_package(error: BaseException) -> str | None:
    """Return which package an import lacked; None where that is not what went wrong."""
    behind: BaseException | None = error
    while isinstance(behind, ModuleNotFoundError):
        if behind.name is not None:
            return behind.name
        behind = behind.__cause__  # transformers raises one without a name from the one that has it
    return None


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an error of the libraries says that no memory is left."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = _telling_line(error).lower()
    return any(
        each in words
        for each in (
            "out of memory",
            "can't allocate memory",
            "cannot allocate memory",
            "std::bad_alloc",
            "bad allocation",
        )
    )


def _telling_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return lines[-1 if _is_handed_on(error) else 0][:500]


def _is_handed_on(error: BaseException) -> bool:
    """Whether it was raised by a process that makes batches: PyTorch hands that on as a text, its traceback, whose last
    line says it."""
    return " in DataLoader worker process " in str(error).partition("\n")[0]


def _lacks_space(error: BaseException) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError) and error.errno in full:
        return True
    return any(word in str(error) for word in ("No space left on device", "Disk quota exceeded", "File too large"))
