"""Which NVIDIA GPUs a process may see, without asking PyTorch."""

import re
from collections.abc import Mapping
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
_FILES = re.compile(r"nvidia\d+")


def visible_gpus(environment: Mapping[str, str], devices: Path = Path("/dev")) -> tuple[str, ...]:
    """Return the GPUs as CUDA_VISIBLE_DEVICES names them: numbers, or the UUIDs of GPUs and MIG instances. Where it is
    not set they are numbered from 0, and the driver's files in `devices` are counted.

    As CUDA reads it, what stands behind an entry that names nothing is not seen (CUDA Programming Guide, CUDA
    Environment Variables).
    """
    named = environment.get(VISIBLE)
    if named is None:
        count = sum(bool(_FILES.fullmatch(path.name)) for path in devices.glob("nvidia*"))
        return tuple(map(str, range(count)))
    seen: list[str] = []
    for entry in map(str.strip, named.split(",")):
        if not entry or entry.startswith("-"):
            break
        seen.append(entry)
    return tuple(seen)
