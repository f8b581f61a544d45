"""The `dataset_info.json` of a folder, in which LLaMA-Factory finds its datasets."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError

DATASET_INFO = "dataset_info.json"
_MAX_BYTES = 10_000_000

_COLUMNS = {"messages": "messages", "images": "images"}
_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
_SHAREGPT = {"formatting": "sharegpt", "columns": _COLUMNS, "tags": _TAGS}
"""The entry of messages with `role` and `content` (hiyouga/LLaMA-Factory, data/README.md)."""


def dataset_name(file: Path) -> str:
    """Return the name under which a file is registered: `x.train.json` as `x_train`."""
    return file.stem.replace(".", "_")


def merged_info(folder: Path, files: list[Path]) -> bytes:
    """Return the registry of `folder` with entries for `files` added or replaced, and the others as they are.

    Raises VqaError when a file of that name is there and is no registry, or one of the names is another file's.
    """
    path = folder / DATASET_INFO
    known = read_info(path) if path.exists() else {}
    return with_entries(known, [file.name for file in files], str(path))


def with_entries(known: Mapping[str, Any], files: Sequence[str], where: str) -> bytes:
    """Return a registry as a file, with entries for the files of these names added or replaced.

    Raises VqaError, which says `where` it stands, when one of the names is another file's.
    """
    entries = dict(known)
    for file in files:
        name = dataset_name(Path(file))
        entry = entries.get(name)
        if entry is not None and (not isinstance(entry, dict) or entry.get("file_name") != file):
            raise VqaError(
                f"{where} has another dataset named {name}",
                hint="Choose another name for the export, or rename that one.",
            )
        entries[name] = {"file_name": file, **_SHAREGPT}
    # JSON may hold half of a surrogate pair, which UTF-8 cannot: it stays what it was, an escape.
    return json.dumps(entries, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"


def read_info(path: Path) -> dict[str, Any]:
    """Return the registry in `path`. Raises VqaError when it is none, OSError."""
    with open(path, "rb") as file:
        return parsed_info(file.read(_MAX_BYTES + 1), str(path))


def parsed_info(data: bytes, where: str) -> dict[str, Any]:
    """Return the registry that a file holds. Raises VqaError, which says `where` it stands, when it is none."""
    try:
        known = json.loads(data.decode("utf-8-sig")) if len(data) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise VqaError(
            f"{where} is in the way: it is no JSON object of datasets in UTF-8",
            hint="Choose another folder, or move it away.",
        )
    return known


def registration_fault(file: Path) -> str:
    """Return in words why LLaMA-Factory would not read `file` through the registry beside it, or ''.

    Raises OSError when the registry cannot be read.
    """
    path = file.with_name(DATASET_INFO)
    if not path.exists():
        return f"no {DATASET_INFO} beside it names it; LLaMA-Factory finds datasets there"
    try:
        known = read_info(path)
    except VqaError as error:
        return str(error)
    for entry in known.values():
        if isinstance(entry, dict) and entry.get("file_name") == file.name:
            return _entry_fault(entry)
    return f"{DATASET_INFO} beside it does not name it"


def _entry_fault(entry: Mapping[str, Any]) -> str:
    if entry.get("formatting") != "sharegpt":
        return f"its entry in {DATASET_INFO} does not say `formatting: sharegpt`"
    for key, wanted in (("columns", _COLUMNS), ("tags", _TAGS)):
        stated = entry.get(key)
        for name, value in wanted.items():
            if not isinstance(stated, dict) or stated.get(name) != value:
                return f"its entry in {DATASET_INFO} lacks `{key}: {name}: {value}`"
    return ""
