"""What trainings compute on: the words for it, and a lock on each GPU and on the CPU, so that they take turns."""

import fcntl
import os
import re
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.gpus import VISIBLE, visible_gpus
from vqa_tui.paths import LOCKS_VARIABLE, WorkspacePaths, device_lock, device_locks
from vqa_tui.store.at_work import is_locked

AUTO, CPU, GPU = "auto", "cpu", "gpu"
_ORDER = "CUDA_DEVICE_ORDER"
_PROBED_S = 0.1
"""Who waits looks which places others hold, and for that holds each that is free for an instant."""


def default_device(environment: Mapping[str, str] = os.environ) -> str:
    """Return `gpu` where a GPU is seen, else `cpu`."""
    return GPU if visible_gpus(environment) else CPU


def device_named(words: str | None, processes: int, environment: Mapping[str, str] = os.environ) -> str:
    """Return the device that a person names, as it is stored: `cpu`; `gpu`, which is whichever GPU is free; or
    `gpu 0,1`, which is one of these, or as many as there are `processes`. None and `auto` are the default.

    Raises VqaError, with what there is, for other words, a GPU that is not seen, or too few of them.
    """
    kind, _, listed = " ".join((words or AUTO).split()).partition(" ")
    names = tuple(each.strip() for each in listed.split(",")) if listed else ()
    device = kind.lower()
    if device == AUTO and not names:
        device = default_device(environment)
    elif device == GPU and names:
        device = f"{GPU} {','.join(names)}"
    elif device not in (CPU, GPU) or names:
        raise VqaError(f"there is no device {words!r}", hint=_what_there_is(environment))
    places_of(device, processes, environment)
    return device


def places_of(device: str, processes: int, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return what a stored device may be here: `cpu`, or one or several `gpu N` of which as many are taken as there are
    `processes`. Raises VqaError, with what there is, when it is not there."""
    if device == CPU:
        return (CPU,)
    seen = visible_gpus(environment)
    names = tuple(device.removeprefix(GPU).strip().split(",")) if device != GPU else seen
    if not device.startswith(GPU) or not names or not set(names) <= set(seen):
        raise VqaError(f"there is no device {device!r}", hint=_what_there_is(environment))
    if len(set(names)) < processes:
        raise VqaError(
            f"launch.processes: {processes} processes need a GPU each, and {device} is {len(set(names))}",
            hint=_what_there_is(environment),
        )
    return tuple(f"{GPU} {name}" for name in dict.fromkeys(names))


def variables_for(places: Sequence[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that let a process see these places and no GPU beside them."""
    seen = visible_gpus(environment)
    chosen = [place.removeprefix(GPU).strip() for place in places if place != CPU]
    if not chosen and not seen:
        return {}  # whatever PyTorch finds there is no GPU that we would know to hide
    variables = {VISIBLE: ",".join(chosen)}
    if chosen and VISIBLE not in environment and _ORDER not in environment:
        # Numbers then mean what they mean to nvidia-smi; by itself CUDA puts the fastest first.
        variables[_ORDER] = "PCI_BUS_ID"
    return variables


@dataclass(slots=True)
class Taken:
    """Places that are ours: a child that inherits the open files holds them too."""

    places: tuple[str, ...]
    descriptors: list[int]

    def release(self) -> None:
        """Let go of them, once: a number that was closed may be another file's by then."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def take(paths: WorkspacePaths, places: Sequence[str], number: int, who: str = "another program") -> Taken | None:
    """Lock the first `number` of the places that are free; None, and nothing is locked, where fewer are.

    The locks hold in all workspaces of a person; `who` takes them, for the one at `paths`, is told to those who find
    them taken. Raises VqaError when a lock cannot be made.
    """
    make_lock_folder()
    names: list[str] = []
    descriptors: list[int] = []
    try:
        for place in places:
            if len(names) == number:
                break
            descriptor = os.open(device_lock(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            descriptors.append(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptors.pop())
                continue
            names.append(place)
            with suppress(OSError):  # on a full disk it is held all the same, by one without a name
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{who} of {paths.root}".encode("utf-8", "surrogateescape"), 0)
    except OSError as error:
        Taken((), descriptors).release()
        raise VqaError(f"{device_locks()}: a device cannot be locked: {error.strerror or error}") from error
    except BaseException:
        Taken((), descriptors).release()
        raise
    taken = Taken(tuple(names), descriptors)
    if len(names) < number:
        taken.release()
        return None
    return taken


def take_one(paths: WorkspacePaths, places: Sequence[str], who: str, *, hint: str) -> Taken:
    """Lock the first of the places that is free, as `take` does. Raises VqaError, with `hint` and who has them, where
    none is."""
    deadline = time.monotonic() + _PROBED_S
    while (taken := take(paths, places, 1, who)) is None:
        if time.monotonic() >= deadline:
            raise VqaError("; ".join(f"{place} is taken by {_holder(place)}" for place in places), hint=hint)
        time.sleep(_PROBED_S / 10)
    return taken


def strangers(paths: WorkspacePaths, places: Sequence[str]) -> str:
    """Return who took those of the places that are not free, without the trainings of the workspace at `paths`: these
    are seen there. Empty where there is nobody else. Raises VqaError when a lock cannot be looked at."""
    ours = re.compile(rf"the training \d+ of {re.escape(str(paths.root))}")
    try:
        told = [(place, _holder(place)) for place in places if is_locked(device_lock(place))]
    except OSError as error:
        raise VqaError(f"{device_locks()}: a lock cannot be looked at: {error.strerror or error}") from error
    return "; ".join(f"{place} is taken by {holder}" for place, holder in told if not ours.fullmatch(holder))


def make_lock_folder() -> None:
    """Make the folder of the locks where it is absent. Raises VqaError when it cannot be made, or when others than its
    owner, who must be us, may open the locks in it and so hold up our trainings."""
    folder = device_locks()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise VqaError(f"{folder}: the locks on devices cannot be made: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise VqaError(
            f"{folder}: the locks on devices need a folder of your own that nobody else may enter",
            hint=f"`chmod 700` it if it is yours, or name another in ${LOCKS_VARIABLE}.",
        )


def _holder(place: str) -> str:
    """Return who took a place by its own account."""
    try:
        return Path(device_lock(place)).read_text("utf-8", "replace") or "another program"
    except OSError:
        return "another program"


def _what_there_is(environment: Mapping[str, str]) -> str:
    seen = visible_gpus(environment)
    if not seen:
        return f"There is `{CPU}`; no NVIDIA GPU is seen here. Where one is (WSL), {VISIBLE}=0 says so."
    shown = ", ".join(f"`{GPU} {each}`" for each in seen)
    several = f", `{GPU}` (one that is free), several as `{GPU} {','.join(seen[:2])}`" if len(seen) > 1 else ""
    return f"There is {shown}{several}, `{CPU}`, and `{AUTO}`."
