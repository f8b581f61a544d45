"""What a trainer owes to how it was started: alone, or beside others by a launcher (torchrun, accelerate)."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, MutableMapping

from vqa_tui.gpus import VISIBLE, visible_gpus

_PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def die_with_launcher(environment: Mapping[str, str]) -> None:
    """On Linux, have the kernel end this process when its launcher is gone: a worker has a session of its own, and a
    launcher that was killed passes nothing on."""
    if "LOCAL_RANK" not in environment or sys.platform != "linux":
        return
    launcher = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != launcher:
        os.kill(os.getpid(), signal.SIGKILL)


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
