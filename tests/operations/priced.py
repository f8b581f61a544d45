"""Runs at an endpoint with prices that answers nobody, for tests of asking again."""

from collections.abc import Sequence
from typing import Any

import yaml

from tests.tui.workshop import Fate, Workshop


def endpoint(workshop: Workshop, name: str = "other", **more: Any) -> str:
    """Write an endpoint that costs one dollar a million tokens in, two out; return the path of its file."""
    fields = {"name": name, "base_url": "http://127.0.0.1:1/v1", "model": "m-2", "keys": [{"name": "main"}]}
    prices = {"input_per_million": "1", "output_per_million": "2"}
    path = workshop.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**fields, "prices": prices, **more}))
    return str(path)


async def run_of_six(workshop: Workshop, fates: Sequence[Fate]) -> tuple[int, list[int]]:
    """Make a run of six pictures at such an endpoint, the first of which have these fates; return it and its tasks."""
    await workshop.dataset(6)
    run_id = await workshop.run(fates, endpoint=endpoint(workshop, "own"))
    return run_id, await task_ids(workshop, run_id)


async def task_ids(workshop: Workshop, run_id: int) -> list[int]:
    rows = await workshop.workspace.db.read("SELECT id FROM task WHERE run_id = ? ORDER BY id", (run_id,))
    return [row["id"] for row in rows]
