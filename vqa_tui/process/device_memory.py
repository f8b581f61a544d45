"""What memory the device of a training has, without loading PyTorch."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from vqa_tui.process.devices import CPU, GPU

_PATIENCE_S = 10.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One device, or the machine's own memory where it has no GPU."""

    words: str
    gpu: bool
    total_bytes: int | None
    """None where the driver does not tell."""


def device_memory(place: str) -> DeviceMemory:
    """Return what `cpu` or `gpu N` is: a GPU as `nvidia-smi` tells of it."""
    if place == CPU:
        return DeviceMemory("CPU", False, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if (program := shutil.which("nvidia-smi")) is None:
        return DeviceMemory("GPU", True, None)
    query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(
            [program, *query, "-i", place.removeprefix(GPU).strip()],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        ).stdout
        name, _, mebibytes = told.splitlines()[0].rpartition(",")
        return DeviceMemory(name.strip(), True, int(mebibytes) * _MIB)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return DeviceMemory("GPU", True, None)
