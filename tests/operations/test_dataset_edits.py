"""Renaming, deleting and looking into datasets, as both faces do it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import dataset_contents, dataset_edits
from vqa_tui.operations.datasets import (
    dataset_detail,
    dataset_kinds,
    dataset_row,
    import_dataset,
    list_datasets,
    suggested_name,
)
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.size_bands import SizeBand, size_bands
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.process.lock import ProcessLock
from vqa_tui.sources.registry import KINDS
from vqa_tui.store import dataset_edits as store
from vqa_tui.store import run_deletion, runs
from vqa_tui.store.datasets import SizeGroup


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "work") as opened:
        yield opened


@pytest.fixture
async def bags(workspace: Workspace, tmp_path: Path) -> Path:
    """A folder of three pictures, a broken one too, imported as `bags`."""
    folder = tmp_path / "bags"
    folder.mkdir()
    for number, side in enumerate((100, 600, 3000)):
        Image.new("RGB", (side, 50), (number, 0, 0)).save(folder / f"{number}.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    await import_dataset(workspace, "folder", folder)
    return folder


async def start(workspace: Workspace, name: str) -> None:
    await create_run(workspace, RunRequest("bags", "caption", "embedded", name=name, pilot=0, yes=True))


async def test_a_renamed_dataset_is_found_by_a_later_import_and_by_its_runs(workspace: Workspace, bags: Path) -> None:
    await start(workspace, "first")
    assert await dataset_edits.rename_dataset(workspace, "bags", "sacks") == "sacks"
    assert await suggested_name(workspace, "folder", bags) == "sacks"
    report = await import_dataset(workspace, "folder", bags)
    assert (report.dataset, report.unchanged) == ("sacks", 3)
    (view,) = await list_datasets(workspace)
    assert (view.name, view.runs) == ("sacks", ("first",))


@pytest.mark.parametrize(("new", "words"), [("a b", "cannot be the name"), ("", "cannot be the name")])
async def test_a_malformed_name_is_refused(workspace: Workspace, bags: Path, new: str, words: str) -> None:
    with pytest.raises(VqaError, match=words):
        await dataset_edits.rename_dataset(workspace, "bags", new)


async def test_a_taken_name_is_refused_and_the_own_one_is_no_change(workspace: Workspace, bags: Path) -> None:
    await import_dataset(workspace, "folder", bags, name="other")
    with pytest.raises(VqaError, match="named other already"):
        await dataset_edits.rename_dataset(workspace, "bags", "other")
    assert await dataset_edits.rename_dataset(workspace, "bags", "bags") == "bags"


async def test_deleting_leaves_the_pictures(workspace: Workspace, bags: Path) -> None:
    gone = await dataset_edits.delete_dataset(workspace, "bags")
    assert (gone.name, gone.items, gone.problems) == ("bags", 3, 1)
    assert await list_datasets(workspace) == []
    assert len(os.listdir(bags)) == 4
    with pytest.raises(VqaError, match="no dataset named bags"):
        await dataset_edits.delete_dataset(workspace, "bags")
    # Importing it again makes it anew.
    assert (await import_dataset(workspace, "folder", bags)).added == 3


async def test_a_used_dataset_names_the_runs_that_keep_it(workspace: Workspace, bags: Path) -> None:
    await start(workspace, "first")
    await start(workspace, "second")
    with pytest.raises(VqaError, match="first, second use it"):
        await dataset_edits.delete_dataset(workspace, "bags")
    with pytest.raises(VqaError, match="r0, r1, r2, r3, r4 and 2 more use it"):
        dataset_edits.refuse_used("bags", tuple(f"r{n}" for n in range(7)))


async def test_contents_tell_splits_sizes_and_categories(workspace: Workspace, bags: Path) -> None:
    contents = await dataset_contents.dataset_contents(workspace, "bags")
    assert contents.splits == ((None, 3),)
    assert [(band.up_to, band.pictures) for band in contents.sizes] == [(256, 1), (1024, 1), (4096, 1)]
    assert (await dataset_detail(workspace, "bags")).sizes == contents.sizes
    with pytest.raises(VqaError, match="no dataset named bgs"):
        await dataset_contents.dataset_contents(workspace, "bgs")


def test_bands_hold_every_picture_once() -> None:
    groups = [SizeGroup(side, 10, 1, side) for side in (1, 256, 257, 1024, 1025, 4096, 4097, 90_000)]
    assert size_bands(groups) == (
        SizeBand(256, 2, 257),
        SizeBand(512, 1, 257),
        SizeBand(1024, 1, 1024),
        SizeBand(2048, 1, 1025),
        SizeBand(4096, 1, 4096),
        SizeBand(None, 2, 94_097),
    )


async def test_items_and_problems_come_one_by_one(workspace: Workspace, bags: Path) -> None:
    keys = [item.key async for item in dataset_contents.dataset_items(workspace, "bags")]
    assert keys == ["0.jpg", "1.jpg", "2.jpg"]
    assert [item.key async for item in dataset_contents.dataset_items(workspace, "bags", search="1")] == ["1.jpg"]
    (problem,) = [each async for each in dataset_contents.dataset_problems(workspace, "bags")]
    assert problem.where == "broken.jpg" and problem.reason


async def test_the_kinds_that_can_be_imported_are_told(workspace: Workspace) -> None:
    assert {kind.name for kind in dataset_kinds()} == set(KINDS)
    assert {kind.name for kind in dataset_kinds() if not kind.takes_images} == {
        "folder",
        "folder-sets",
        "stcray-tree",
        "video",
    }
    assert {kind.name for kind in dataset_kinds() if kind.takes_columns} == {"jsonl", "csv", "parquet", "hf"}


async def test_a_path_that_is_not_unicode_is_refused_in_words(workspace: Workspace, bags: Path) -> None:
    strange = Path(os.fsdecode(bytes(bags.parent) + b"/\xff"))
    os.rename(bags, strange)
    with pytest.raises(VqaError, match="is not valid UTF-8"):
        await import_dataset(workspace, "folder", strange)


async def test_a_dataset_can_go_as_soon_as_its_deleted_run_is_emptied(workspace: Workspace, bags: Path) -> None:
    await start(workspace, "first")
    (run_id,) = [run_id for run_id, _name in await runs.run_names(workspace.db)]
    # Deleted, and broken off before anything was emptied.
    await run_deletion.mark_deleted(workspace.db, run_id, who="me", words="", flights=[])
    assert (await list_datasets(workspace))[0].runs == ()
    async with ProcessLock(workspace.paths.run_lock(run_id)):
        with pytest.raises(VqaError, match="used by a run that is just being deleted"):
            await dataset_edits.delete_dataset(workspace, "bags")
    told: list[tuple[int, int]] = []
    gone = await dataset_edits.delete_dataset(workspace, "bags", progress=lambda done, of: told.append((done, of)))
    assert (gone.items, told) == (3, [(3, 3)])


async def test_a_deletion_that_was_broken_off_goes_on(workspace: Workspace, bags: Path) -> None:
    (view,) = await list_datasets(workspace)
    await store.mark_deleted(workspace.db, (await dataset_row(workspace, "bags")).id, who="me")
    assert await list_datasets(workspace) == [] and view.items == 3
    assert await dataset_edits.finish_deletions(workspace) == 1
    assert await dataset_edits.finish_deletions(workspace) == 0
    assert not await workspace.db.read("SELECT 1 FROM item") and not await workspace.db.read("SELECT 1 FROM dataset")
