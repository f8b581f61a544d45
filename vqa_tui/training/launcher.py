"""What the programs of a training owe to who started them, alone or by a launcher (torchrun, accelerate) beside others,
and to who ends them."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from vqa_tui.gpus import VISIBLE, visible_gpus

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def die_with_launcher(environment: Mapping[str, str]) -> None:
    """End when the launcher is gone: a worker has a session of its own, and a launcher that was killed passes nothing
    on."""
    if "LOCAL_RANK" in environment:
        die_with(os.getppid())


def die_with(parent: int) -> None:
    """On Linux, have the kernel end this process when the thread that began it is gone, one of the process `parent`."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def hearing_of_makers() -> Iterator[None]:
    """After the body, no end of a process that makes batches is heard of any more: PyTorch raises it from a signal
    handler, wherever the program is by then, such as where it writes down why it ends."""
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@contextmanager
def quiet_when_interrupted() -> Iterator[None]:
    """End this process at an interrupt as the signal itself would, with no traceback: somebody wanted it to end."""
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


def see_one_gpu(environment: MutableMapping[str, str]) -> str:
    """Let a process that trains alone see one GPU, before PyTorch looks; return which, or nothing where no other was
    seen.

    The Trainer would share each batch out among all that it sees (torch.nn.DataParallel) by cutting every tensor along
    its first axis, which in the patches of pictures is not that of the rows.
    """
    seen = visible_gpus(environment)
    if environment.get("WORLD_SIZE", "1") != "1" or len(seen) < 2:
        return ""
    environment[VISIBLE] = seen[0]
    return seen[0]
