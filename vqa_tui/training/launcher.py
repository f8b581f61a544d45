"""What a trainer owes to the launcher (torchrun, accelerate) that started it beside others."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

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
