"""What ends a training in a sentence a person can act on."""

import errno
import re


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
        return f"{self}. {self.hint}" if self.hint else str(self)


def full_disk() -> TrainingTrouble:
    """Return what to say when nothing more can be written."""
    return TrainingTrouble(
        "the disk is full, so a checkpoint could not be written",
        "Free some space and resume: the checkpoints before it are whole.",
    )


def in_words(error: BaseException) -> TrainingTrouble:
    """Return what an error of the libraries means; what is not known keeps its own words."""
    if isinstance(error, TrainingTrouble):
        return error
    lines = str(error).strip().splitlines() or [""]
    # PyTorch hands on what a process that makes batches raised as a text: its traceback, whose last line says it.
    handed_on = " in DataLoader worker process " in lines[0]
    words = (lines[-1] if handed_on else lines[0])[:500]
    name = type(error).__name__
    if isinstance(error, MemoryError) or name in {"OutOfMemoryError", "AcceleratorError"} or _lacks_memory(words):
        return TrainingTrouble(
            "out of memory",
            "Lower max_pixels or batch_size, set gradient_checkpointing or four_bit, or take a smaller model; "
            "`vqa-tui train estimate` says what each takes.",
        )
    if re.search(r"DataLoader worker .*(is killed by signal|exited unexpectedly)", words):
        return TrainingTrouble(
            "a process that makes batches was ended from outside",
            "Most often the system does so where memory runs out: lower max_pixels or batch_size, and resume.",
        )
    if _lacks_space(error):
        return full_disk()
    if isinstance(error, ModuleNotFoundError):
        return TrainingTrouble(
            f"the package {error.name} is not installed", "`pip install 'vqa-tui[train]'` brings what training needs."
        )
    told = words if handed_on else f"{name}: {words}" if words else name
    return TrainingTrouble(told, "The log has the whole story.")


def _lacks_space(error: BaseException) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError) and error.errno in full:
        return True
    return any(word in str(error) for word in ("No space left on device", "Disk quota exceeded", "File too large"))


def _lacks_memory(words: str) -> bool:
    lowered = words.lower()
    return any(
        each in lowered
        for each in (
            "out of memory",
            "can't allocate memory",
            "cannot allocate memory",
            "std::bad_alloc",
            "bad allocation",
        )
    )
