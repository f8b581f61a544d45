"""Pictures of the screens. After a look at what changed: `pytest tests/tui/test_snapshots.py --snapshot-update`.

Nothing in them moves: one clock, one time zone, one place of the workspace, and a picture is taken when all is at rest.
"""

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.image import SVGImageSnapshotExtension
from textual.content import Content

from tests.tui.made_tasks import NOW
from tests.tui.scenes import SCENES
from tests.tui.stage import Stage
from tests.tui.workshop import Workshop
from vqa_tui.operations import training_packages
from vqa_tui.tui.present import configs, datasets, training_facts, wizard_rows
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.services import Services

KEPT = [(name, size) for name, (_, sizes) in SCENES.items() for size in sizes]
ROOT = Path(__file__).parents[2]
MOST_PICTURES, MOST_BYTES = 30, 200_000


@pytest.fixture(autouse=True)
def at_rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One moment, one time zone and one person for all pictures, and no package that seems to be missing."""
    with monkeypatch.context() as patched:
        patched.setattr(training_packages, "find_spec", lambda _name: object())
        patched.setattr(time, "time", lambda: NOW)
        patched.setenv("TZ", "UTC")
        patched.setenv("LOGNAME", "someone")
        patched.setenv("VQA_CONFIG", "/home/someone/.config/vqa-tui")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def moved(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths look the same wherever the tests run."""

    def moved_text(words: str, *more: Any) -> Content:
        return text(words.replace(str(workshop.folder), "/data").replace(str(ROOT), "/opt/vqa-tui"), *more)

    monkeypatch.setattr(Services, "place", "/data/.vqa")
    for module in (configs, datasets, training_facts, wizard_rows):
        monkeypatch.setattr(module, "text", moved_text)


@pytest.mark.parametrize(("name", "size"), KEPT, ids=[f"{name}-{columns}x{rows}" for name, (columns, rows) in KEPT])
async def test_picture(
    name: str, size: tuple[int, int], workshop: Workshop, moved: None, snapshot: SnapshotAssertion
) -> None:
    async with AsyncExitStack() as stack:
        stage = Stage(stack, workshop, size)
        await SCENES[name][0](stage)
        picture = await stage.picture()
    assert "/tmp" not in picture and str(ROOT) not in picture and len(picture.encode()) < MOST_BYTES
    assert picture == snapshot(extension_class=SVGImageSnapshotExtension)


def test_pictures_are_few() -> None:
    assert len(KEPT) <= MOST_PICTURES
