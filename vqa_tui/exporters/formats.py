"""The training formats by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.llava import llava_records
from vqa_tui.exporters.qwen import qwen_records
from vqa_tui.exporters.stcray_flat import stcray_flat_records

Records = Callable[[ExportPicture, str, ExportedRun, bool], Iterator[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One training format. `records` takes a picture, the path to write for it, the run, and whether to group."""

    name: str
    summary: str
    """One line for lists and help."""
    suffix: str
    records: Records
    is_list: bool = False
    """One JSON list, rather than one JSON object a line."""
    can_group: bool = True


_QWEN = ExportFormat("qwen", "JSON Lines of conversations, for Qwen-VL and ShareGPT readers", ".jsonl", qwen_records)
_STCRAY_FLAT = ExportFormat(
    "stcray-flat",
    "JSON Lines of single questions and answers with metadata, for the STCray reader",
    ".jsonl",
    stcray_flat_records,
    can_group=False,
)
_LLAVA = ExportFormat("llava", "a JSON list of conversations, for LLaVA", ".json", llava_records, is_list=True)

FORMATS: dict[str, ExportFormat] = {known.name: known for known in (_QWEN, _STCRAY_FLAT, _LLAVA)}


def export_format(name: str, *, grouped: bool = False) -> ExportFormat:
    """Return the format `name`. Raises VqaError when it is unknown, or cannot be grouped and `grouped` is asked for."""
    found = FORMATS.get(name)
    if found is None:
        raise VqaError(f"unknown export format `{name}`", hint=f"Known are: {', '.join(FORMATS)}.")
    if grouped and not found.can_group:
        groupable = ", ".join(other.name for other in FORMATS.values() if other.can_group)
        raise VqaError(
            f"the format {name} has one line for each pair and cannot be grouped by picture",
            hint=f"Leave out the grouping, or take {groupable}.",
        )
    return found
