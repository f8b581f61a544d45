"""Memory, load and heat of what a training computes on."""

import resource
import sys
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Reading:
    """What a moment shows; None where the device does not tell."""

    memory_bytes: int | None = None
    utilisation: float | None = None
    temperature_c: float | None = None


class Gauges:
    """Reads the GPU of this process, or the process itself where there is none."""

    def __init__(self, kind: str) -> None:
        self._cuda = kind == "cuda"
        self._card = _card() if self._cuda else None

    def read(self) -> Reading:
        """Return the highest memory use so far and the card's load and heat now."""
        if not self._cuda:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return Reading(memory_bytes=peak if sys.platform == "darwin" else peak * 1024)
        memory = int(torch.cuda.max_memory_allocated())
        if self._card is None:
            return Reading(memory)
        import pynvml

        try:
            load = float(pynvml.nvmlDeviceGetUtilizationRates(self._card).gpu)
            heat = float(pynvml.nvmlDeviceGetTemperature(self._card, pynvml.NVML_TEMPERATURE_GPU))
        except pynvml.NVMLError:
            return Reading(memory)
        return Reading(memory, load, heat)

    def total_bytes(self) -> int | None:
        """Return what memory the device has."""
        if self._cuda:
            return int(torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory)
        import os

        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _card() -> Any:
    """Return the handle of this process's card, or None where its driver cannot be asked."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
    except (pynvml.NVMLError, AttributeError):
        return None
