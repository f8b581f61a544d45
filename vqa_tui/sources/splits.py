"""The split that a file or folder name tells."""

import re

_NAMES = {
    "train": "train", "training": "train", "trainset": "train", "val": "val", "valid": "val", "validation": "val",
    "valset": "val", "dev": "val", "test": "test", "testing": "test", "testset": "test",
}  # fmt: skip


def split_in_name(name: str) -> str | None:
    """Return train, val or test when one word of `name` says so (`STCray_TrainSet`, `instances_val2017`), else None."""
    words = re.findall(r"[a-z]+", name.lower())
    found = {_NAMES[word] for word in words if word in _NAMES}
    return found.pop() if len(found) == 1 else None


def split_in_path(path: str) -> str | None:
    """Return the split that the folders of a POSIX path tell, the innermost first."""
    for folder in reversed(path.split("/")[:-1]):
        if split := split_in_name(folder):
            return split
    return None
