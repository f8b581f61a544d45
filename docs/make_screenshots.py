"""Make the pictures of the real screen that the README shows: make screenshots

Draws scans, starts a real run on the embedded endpoint with a little rehearsed trouble, opens the app on it and saves
what it shows as SVG beside this file: the dashboard at two sizes, items, failures and review.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import yaml
from textual.pilot import Pilot

from docs.screen_svg import portable
from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view, start_engine, stop_run
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.services import Services

HERE = Path(__file__).parent
SCANS = 600
SHOWN_AFTER = 180
PATIENCE_S = 180
BUDGET = Decimal("1.00")
ENDPOINT = {
    "name": "rehearsal",
    "kind": "embedded",
    "model": "vqa-embedded-1",
    "keys": [
        {"name": "main", "group": "project-1"},
        {"name": "second", "group": "project-2"},
        {"name": "former", "group": "project-3"},
    ],
    "groups": {
        "project-1": {"requests_per_minute": 400, "tokens_per_minute": 1_000_000},
        "project-2": {"requests_per_minute": 90, "requests_per_day": 1_500},
    },
    "prices": {"input_per_million": "0.30", "output_per_million": "2.50"},
    "concurrency": 12,
    "embedded": {
        "latency_ms": 1100,
        "latency_spread": 0.5,
        "bad_keys": ["former"],
        "requests_per_minute_by_key": {"main": 400},
        "fail": {"500": 0.03, "reset": 0.01, "bad_json": 0.05, "refused": 0.01},
    },
}

Scene = tuple[tuple[str, tuple[str, ...]], ...]
"""Keys, and the words that are on the screen after each."""
DASHBOARD: Scene = (("", ("running",)),)
PICTURES: dict[str, tuple[tuple[int, int], Scene]] = {
    "screen-200x50": ((200, 50), DASHBOARD),
    "screen-80x24": ((80, 24), DASHBOARD),
    "screen-items": ((150, 42), (("3", ("Pairs (", "▀")),)),
    "screen-failures": ((150, 42), (("4", ("What helps",)), ("t", ("bad reply", "▀")))),
    "screen-review": ((120, 30), (("5", ("truth", "▀")),)),
}


async def start(workspace: Workspace, folder: Path) -> int:
    """Start a run over drawn scans and return its id."""
    annotations = await asyncio.to_thread(draw_demo_dataset, folder / "scans", SCANS)
    await import_dataset(workspace, "stcray", annotations, name="stcray-train")
    endpoint = folder / "rehearsal.yaml"
    endpoint.write_text(yaml.safe_dump(ENDPOINT))
    request = RunRequest("stcray-train", "stcray", str(endpoint), name="stcray-train", pilot=0, budget_usd=BUDGET)
    run_id = await create_run(workspace, request)
    await start_engine(workspace, run_id)
    return run_id


async def until(workspace: Workspace, run_id: int, fact: Callable[[RunView], bool]) -> None:
    """Wait until `fact` holds of the run."""
    deadline = time.monotonic() + PATIENCE_S
    while not fact(await run_view(workspace, run_id)):
        if time.monotonic() > deadline:
            raise SystemExit("the run does not get on")
        await asyncio.sleep(0.1)


async def picture(workspace: Workspace, run_id: int, size: tuple[int, int], scene: Scene) -> str:
    """Return what the app shows of a run after the keys of a scene, once all its words are there."""
    app = VqaApp(Services(workspace, workspace), open_run=run_id)
    async with app.run_test(size=size) as pilot:
        deadline = time.monotonic() + PATIENCE_S
        await _see(app, pilot, ("rpm",), deadline)
        for key, words in scene:
            if key:
                await pilot.press(key)
            await _see(app, pilot, words, deadline)
        await pilot.pause(1.0)
        return portable(app.export_screenshot(simplify=True))


async def _see(app: VqaApp, pilot: Pilot[None], words: tuple[str, ...], deadline: float) -> None:
    while not all(word.replace(" ", "&#160;") in app.export_screenshot(simplify=True) for word in words):
        if time.monotonic() > deadline:
            raise SystemExit(f"the app does not show {words}")
        await pilot.pause(0.1)


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        async with open_workspace(Path(name)) as workspace:
            run_id = await start(workspace, Path(name))
            await until(workspace, run_id, lambda view: view.counts.done >= SHOWN_AFTER)
            for name, (size, scene) in PICTURES.items():
                svg = await picture(workspace, run_id, size, scene)
                (HERE / f"{name}.svg").write_text(svg, "utf-8")
                print(f"docs/{name}.svg: {len(svg.encode()) // 1000} kB")
            if (await run_view(workspace, run_id)).phase is Phase.RUNNING:
                await stop_run(workspace, run_id, cancel_in_flight=True)
            await until(workspace, run_id, lambda view: view.engine.pid is None)


if __name__ == "__main__":
    asyncio.run(main())
