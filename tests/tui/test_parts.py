"""Pictures that are several requests in the terminal app: rows, inspector, dashboard and review say which one it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from tests.tui.workshop import Workshop
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import TaskOutcome
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import runs
from vqa_tui.store.queue import TaskQueue
from vqa_tui.tui.app import VqaApp

Wait = Callable[..., Any]
Text = Callable[[Any], str]
HOSTILE = "[/nope]\x1b[31m is it?"
TWO = {
    "name": "two",
    "prompts": [{"name": "caption", "user": "a"}, {"name": "objects", "user": "b {{ part }} of {{ parts }}"}],
    "reply": {"kind": "text", "question": "q"},
}


async def scans(workspace: Workspace, folder: Path) -> None:
    """Import three pictures with no, one and two reference pairs."""
    root = folder / "pictures"
    root.mkdir()
    for number in range(3):
        Image.new("RGB", (24, 16), (number * 60, 90, 90)).save(root / f"scan_{number}.png")
        asked = [{"question": HOSTILE, "answer": "the reference"}, {"question": "how?", "answer": "so"}][:number]
        (root / f"scan_{number}.json").write_text(json.dumps({"questions": asked}))
    await import_dataset(workspace, "folder", root, name="scans")


async def made(workspace: Workspace, recipe: str) -> int:
    """Make a run and answer its first two requests."""
    await scans(workspace, workspace.paths.root.parent)
    run_id = await create_run(workspace, RunRequest("scans", recipe, "embedded", name="parts", pilot=1))
    queue = TaskQueue(workspace.db, run_id, await runs.begin_session(workspace.db, run_id, 1))
    claimed = await queue.claim(2, now=0, pilot_only=False)
    answered = [
        TaskOutcome(task.id, TaskStatus.DONE, pairs=(Pair(HOSTILE, "Yes. Explanation: x"),)) for task in claimed
    ]
    await queue.settle(answered)
    return run_id


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_items_and_inspector_name_the_request(
    workshop: Workshop, tmp_path: Path, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(TWO))
    run_id = await made(workshop.workspace, str(tmp_path / "two.yaml"))
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: "scan_0.png · 1/2 caption" in screen_text(app))
        shown = screen_text(app)
        for name in ("scan_0.png · 2/2 objects", "scan_2.png · 2/2 objects", "1 of 6"):
            assert name in shown, shown
        await pilot.press("j", "enter")
        await until(pilot, lambda: "b 2 of 2" in screen_text(app) or "scan_0.png · 2/2 objects" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_review_shows_the_reference_of_the_pair(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    run_id = await made(workshop.workspace, "vqa-rad")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("5")
        await until(pilot, lambda: "reference  the reference" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_wizard_goes_through_the_requests_about_a_picture(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await scans(workshop.workspace, workshop.workspace.paths.root.parent)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("n")
        await until(pilot, lambda: "scans" in screen_text(app))
        await pilot.press("enter")
        # The picture whose prompt is shown stays the same under the next recipe.
        await until(pilot, lambda: "general-vqa" in screen_text(app) and "scan_0.png" in screen_text(app))
        await pilot.press("G")
        await until(pilot, lambda: "has no" in screen_text(app) and "scan_0.png" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "scan_1.png" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "scan_2.png · 1/2" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "scan_2.png · 2/2" in screen_text(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "scan_1.png" in screen_text(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "scan_2.png · 2/2" in screen_text(app))
