"""Training files made on the spot: pictures in a folder, and lines that name them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Six different pictures in the folder `img` of tmp_path, as paths relative to tmp_path."""
    (tmp_path / "img").mkdir()
    names = [f"img/{n}.png" for n in range(6)]
    for n, name in enumerate(names):
        Image.new("RGB", (8 + n, 8), (40 * n, 0, 0)).save(tmp_path / name)
    return names


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Write records, or raw lines, to a file of tmp_path and return its path."""

    def write(*records: dict[str, Any] | str, name: str = "train.jsonl") -> Path:
        lines = (record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records)
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write
