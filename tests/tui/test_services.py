"""The door outward over a real workspace: every call that needs no engine reaches the real operations."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.tui.services import Services


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    pictures = tmp_path / "scans"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 30), (number * 40, 80, 120)).save(pictures / f"scan_{number}.png")
    async with open_workspace(tmp_path / "work") as workspace:
        await import_dataset(workspace, "folder", pictures, name="scans")
        yield workspace


async def test_a_run_from_choice_to_inspection(workspace: Workspace) -> None:
    services = Services(workspace, workspace)
    assert services.place.endswith(".vqa")
    assert await services.runs() == ()
    assert [(each.name, each.items) for each in await services.library.datasets()] == [("scans", 3)]
    assert "caption" in [each.name for each in await services.library.recipe_files()]
    assert "embedded" in [each.name for each in await services.library.endpoint_files()]

    request = RunRequest("scans", "caption", "embedded", pilot=2)
    plan = await services.plan(request)
    assert plan.items == 3
    run_id = await create_run(workspace, request)
    (line,) = await services.runs()
    assert line.summary.id == run_id and line.view is None

    view = await services.run_view(run_id)
    assert view.phase is Phase.CREATED and view.counts.pending == 3
    limits = await services.set_limits(run_id, {"concurrency": "5"})
    assert limits.concurrency == 5

    ids = await services.task_ids(run_id, TaskFilter((TaskStatus.PENDING,)))
    rows = await services.task_rows(run_id, ids)
    assert len(rows) == 3
    detail = await services.task_detail(run_id, ids[0])
    assert (await services.thumbnail(detail.picture)).size == (40, 30)
    assert await services.queue_edits.edit(run_id, EditVerb.RETRY, list(ids)) == 0
    assert await services.retry_failed(run_id) == 0


async def test_refusals_are_errors_in_words(workspace: Workspace, tmp_path: Path) -> None:
    services = Services(workspace, workspace)
    with pytest.raises(VqaError, match="no dataset named"):
        await services.plan(RunRequest("scanz", "caption", "embedded"))
    run_id = await create_run(workspace, RunRequest("scans", "caption", "embedded"))
    with pytest.raises(VqaError):
        await services.export(run_id, services.export_formats()[0].name, tmp_path / "out.jsonl", None, False)
    with pytest.raises(VqaError):
        await services.plan(RunRequest("scans", "caption", "embedded", budget_usd=Decimal("0"), limit=0))


async def test_the_version_moves_when_another_connection_writes(workspace: Workspace) -> None:
    services = Services(workspace, workspace)
    before = await services.data_version()
    assert await services.data_version() == before
    async with open_workspace(workspace.paths.root) as other:
        await create_run(other, RunRequest("scans", "caption", "embedded"))
    assert await services.data_version() != before
