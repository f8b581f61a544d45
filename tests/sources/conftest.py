"""Pictures made on the spot, and a scratch file for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]


@pytest.fixture
def make_picture(tmp_path: Path) -> MakePicture:
    def make(name: str, size: tuple[int, int] = (40, 30), colour: str = "teal") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path)
        return path

    return make


@pytest.fixture
def scratch() -> Iterator[SqliteScratch]:
    with SqliteScratch() as made:
        yield made
