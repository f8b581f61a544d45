"""Make the pictures of the real screen that the README shows: python docs/make_screenshots.py

Draws scans, starts a real run on the embedded endpoint with a little rehearsed trouble, opens the app on it and saves
what it shows, at 200×50 and at 80×24, as SVG beside this file.
"""

import asyncio
import html
import re
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import yaml
from rich.cells import cell_len

from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.domain.run import RunView
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view, start_engine, stop_run
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.services import Services

HERE = Path(__file__).parent
SCANS = 400
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


async def picture(workspace: Workspace, run_id: int, columns: int, rows: int) -> str:
    """Return what the app shows of a run, as SVG that needs no font from elsewhere."""
    app = VqaApp(Services(workspace, workspace), open_run=run_id)
    async with app.run_test(size=(columns, rows)) as pilot:
        deadline = time.monotonic() + PATIENCE_S
        # The keys with a quota stand below one without: they are in sight only when the tables have found their sizes.
        while not all(words in (svg := app.export_screenshot()) for words in ("running", "rpm")):
            if time.monotonic() > deadline:
                raise SystemExit("the app does not show the run")
            await pilot.pause(0.1)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    return re.sub(r'x="([\d.]+)"([^>]*) textLength="([\d.]+)"([^>]*)>([^<]*)</text>', _without_outer_spaces, svg)


def _without_outer_spaces(text: re.Match[str]) -> str:
    """Move a text to where its first letter stands: some viewers drop the spaces at its ends."""
    x, between, length, after, words = float(text[1]), text[2], float(text[3]), text[4], html.unescape(text[5])
    inner = words.strip("\xa0")
    if not inner or not cell_len(words):
        return text[0]
    cell = length / cell_len(words)
    x += cell * (len(words) - len(words.lstrip("\xa0")))
    shown = html.escape(inner, quote=False).replace("\xa0", "&#160;")
    return f'x="{x:.1f}"{between} textLength="{cell * cell_len(inner):.1f}"{after}>{shown}</text>'


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        async with open_workspace(Path(name)) as workspace:
            run_id = await start(workspace, Path(name))
            await until(workspace, run_id, lambda view: view.counts.done >= SHOWN_AFTER)
            for columns, rows in ((200, 50), (80, 24)):
                svg = await picture(workspace, run_id, columns, rows)
                (HERE / f"screen-{columns}x{rows}.svg").write_text(svg, "utf-8")
                print(f"docs/screen-{columns}x{rows}.svg")
            await stop_run(workspace, run_id, cancel_in_flight=True)
            await until(workspace, run_id, lambda view: view.engine.pid is None)


if __name__ == "__main__":
    asyncio.run(main())
