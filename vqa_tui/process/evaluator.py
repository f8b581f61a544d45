"""Running the program that judges a training, in a process of its own that loads PyTorch and ends with us."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from vqa_tui.paths import WorkspacePaths
from vqa_tui.process.devices import places_of, take_one, variables_for
from vqa_tui.process.known_process import note_process
from vqa_tui.process.lock import ProcessLock
from vqa_tui.process.process_group import end_group, group_lives
from vqa_tui.process.training_command import start_in_session

LOG = "evaluation.log"
_MODULE = "vqa_tui.training.evaluate"
_LOOK_EVERY_S = 0.1


def evaluator_command(config: Path, limit: int | None) -> list[str]:
    """Return the arguments that judge the training with the configuration at `config`."""
    more = [] if limit is None else ["--limit", str(limit)]
    return [sys.executable, "-P", "-m", _MODULE, str(config), *more]


async def run_evaluator(
    paths: WorkspacePaths, training_id: int, device: str, command: list[str], tell: Callable[[str], None]
) -> tuple[int, str]:
    """Run `command` to its end and return its exit status and its last line; `tell` gets each line, hostile text.

    Meanwhile the training is taken, and the first place of `device` that is free; a cancel of this task ends the
    process with its children, and who cancels the training finds it by the file beside the lock. Raises VqaError when
    the training or the device is at work or there is no such device, OSError when the process cannot be started.
    """
    lock = ProcessLock(
        paths.training_lock(training_id),
        taken="this training is at work, or being evaluated",
        hint="Evaluate it again when that has ended.",
    )
    folder = paths.training_folder(training_id)
    noted = paths.training_evaluator(training_id)
    async with lock:
        noted.unlink(missing_ok=True)
        taken = take_one(
            paths,
            places_of(device, 1),
            f"an evaluation of the training {training_id}",
            hint="Evaluate when it has ended, or stop it.",
        )
        try:
            variables = variables_for(taken.places)
            child = _started(command, folder, (lock.descriptor, *taken.descriptors), variables)
            lines = _Lines(folder / LOG, tell)
            try:
                note_process(noted, child.pid)
                while (status := child.poll()) is None:
                    lines.tell_new()
                    await asyncio.sleep(_LOOK_EVERY_S)
                lines.tell_new()
                return status, lines.last
            finally:
                if group_lives(child.pid):
                    await asyncio.shield(end_group(child.pid))
                child.wait()
                noted.unlink(missing_ok=True)
        finally:
            taken.release()


class _Lines:
    """Whole lines of a file, each told once."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path, self._tell = path, tell
        self._read = 0
        self.last = ""

    def tell_new(self) -> None:
        with open(self._path, "rb") as file:
            file.seek(self._read)
            whole = file.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            self.last = line
            self._tell(line)


def _started(
    command: list[str], folder: Path, held: tuple[int, ...], variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """While the process lives nothing else trains there, though we be killed: it inherits the locks `held`."""
    with open(folder / LOG, "wb") as log:
        return start_in_session(command, folder, log, variables, held)
