"""What ends a training in a sentence a person can act on."""

import errno


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


class PeerLost(TrainingTrouble):
    """Another process of the training ended, which says itself why."""


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
    words = _first_line(error)
    name = type(error).__name__
    if is_lack_of_memory(error):
        return TrainingTrouble(
            "out of memory",
            "Lower max_pixels or batch_size, set gradient_checkpointing or four_bit, or take a smaller model; "
            "`vqa-tui train estimate` says what each takes.",
        )
    if name == "DistBackendError" or any(each in words for each in ("closed by peer", "reset by peer", "Broken pipe")):
        return PeerLost(
            "another process of this training ended",
            "Its own log says why, on its machine. Resume on all machines: checkpoints are whole.",
        )
    if "DataLoader worker" in words:
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
    return TrainingTrouble(f"{name}: {words}" if words else name, "The log has the whole story.")


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an error of the libraries says that no memory is left."""
    if isinstance(error, MemoryError) or type(error).__name__ in {"OutOfMemoryError", "AcceleratorError"}:
        return True
    words = _first_line(error).lower()
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


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:500]


def _lacks_space(error: BaseException) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if isinstance(error, OSError) and error.errno in full:
        return True
    return any(word in str(error) for word in ("No space left on device", "Disk quota exceeded", "File too large"))
