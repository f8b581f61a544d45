"""Follow-ups and money: no run is like one, no key is kept, limits and caps hold, and no picture is paid twice unsaid."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.follow_ups import Elsewhere, follow_up
from vqa_tui.operations.planning import request_like
from vqa_tui.operations.run_edits import delete_run
from vqa_tui.operations.workspace import open_workspace


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    async with open_workspace(tmp_path) as workspace:
        yield Workshop(workspace, workspace, tmp_path)


def endpoint(workshop: Workshop, name: str = "other", **more: Any) -> str:
    """Write an endpoint that costs one dollar a million tokens in, two out; return the path of its file."""
    fields = {"name": name, "base_url": "http://127.0.0.1:1/v1", "model": "m-2", "keys": [{"name": "main"}]}
    prices = {"input_per_million": "1", "output_per_million": "2"}
    path = workshop.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**fields, "prices": prices, **more}))
    return str(path)


async def made(workshop: Workshop) -> tuple[int, list[int]]:
    """A run of six pictures: two failed, one done, three waiting."""
    await workshop.dataset(6)
    run_id = await workshop.run([BAD_REPLY, BAD_REPLY, DONE], endpoint=endpoint(workshop, "own"))
    return run_id, await task_ids(workshop, run_id)


async def task_ids(workshop: Workshop, run_id: int) -> list[int]:
    rows = await workshop.workspace.db.read("SELECT id FROM task WHERE run_id = ? ORDER BY id", (run_id,))
    return [row["id"] for row in rows]


@pytest.mark.parametrize("chosen", [slice(0, 2), slice(1, 3)], ids=["the first pictures", "others"])
async def test_no_run_is_like_one_of_chosen_pictures(workshop: Workshop, chosen: slice) -> None:
    """It would ask the whole dataset, or as many others, without a pilot and without a cap."""
    run_id, ids = await made(workshop)
    two = await follow_up(workshop.workspace, run_id, ids[chosen], Elsewhere(endpoint(workshop), name="two"))
    with pytest.raises(VqaError, match="run two asks pictures that were chosen one by one") as refused:
        await request_like(workshop.workspace, two.run_id)
    assert "vqa-tui item again first ITEM... --endpoint other --model m-2" in refused.value.hint
    # The run that it followed goes, and it is no other for that.
    await delete_run(workshop.workspace, run_id)
    with pytest.raises(VqaError, match="chosen one by one") as refused:
        await request_like(workshop.workspace, two.run_id)
    assert "item again" not in refused.value.hint and "For a run over bags name the dataset" in refused.value.hint
