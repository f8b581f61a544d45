"""The demo: pictures that we draw, imported, and a run over them; no key, no network, no cost."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from vqa_tui.demo.dataset import draw_demo_dataset, refuse_foreign_dataset
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import start_engine
from vqa_tui.operations.workspace import Workspace

PICTURES = 60
_DATASET = "demo"
_BUDGET_USD = Decimal("0.50")


@dataclass(frozen=True, slots=True)
class StartedDemo:
    """The run that was started, and what was imported for it."""

    run_id: int
    dataset: str
    added: int
    unchanged: int


async def start_demo(workspace: Workspace, folder: Path, pictures: int, *, approved: bool) -> StartedDemo:
    """Draw scans into `folder`, import them, create a run over them and start its engine.

    One that is not `approved` is as slow as a real endpoint, meets some trouble, and waits after its pilot. Raises
    VqaError when `folder` holds a dataset that is not ours.
    """
    await asyncio.to_thread(refuse_foreign_dataset, folder)
    annotations = await asyncio.to_thread(draw_demo_dataset, folder, pictures)
    report = await import_dataset(workspace, "stcray", annotations, name=_DATASET)
    request = RunRequest(
        dataset=report.dataset,
        recipe="stcray",
        endpoint="embedded" if approved else "demo",
        limit=pictures,
        budget_usd=_BUDGET_USD,
        yes=approved,
    )
    run_id = await create_run(workspace, request)
    await start_engine(workspace, run_id)
    return StartedDemo(run_id, report.dataset, report.added, report.unchanged)
