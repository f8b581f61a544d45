"""Importing: what is new is added, what is the same is left, what is broken is listed, and nothing stops the rest."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PictureFacts
from vqa_tui.operations import dataset_import, import_facts
from vqa_tui.operations.datasets import ImportProgress, dataset_detail, import_dataset, list_datasets
from vqa_tui.operations.workspace import Workspace
from vqa_tui.paths import WorkspacePaths
from vqa_tui.sources.probe import probe
from vqa_tui.store.datasets import dataset_named, item_page
from vqa_tui.store.db import Database, StoreTrouble
from vqa_tui.store.scratch import SqliteScratch

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    paths = WorkspacePaths(tmp_path / "work" / ".vqa")
    async with Database.open(paths) as database:
        yield Workspace(paths, database)


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were really opened, in no fixed order."""
    names: list[str] = []

    def counting(path: Path) -> PictureFacts:
        names.append(path.name)
        return probe(path)

    monkeypatch.setattr(import_facts, "probe", counting)
    return names


def picture(path: Path, colour: str = "teal") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), colour).save(path)
    return path


def annotations(folder: Path, *records: dict[str, Any]) -> Path:
    path = folder / "annotations.json"
    path.write_text(json.dumps(records))
    return path


async def unfinished(workspace: Workspace) -> dict[str, str | None]:
    return {view.name: view.unfinished for view in await list_datasets(workspace)}


async def keys(workspace: Workspace, name: str) -> list[str]:
    row = await dataset_named(workspace.db, name)
    assert row is not None
    return [item.key for item in await item_page(workspace.db, row.id, size=10_000)]


async def test_a_second_import_adds_only_what_is_new_and_opens_only_that(
    workspace: Workspace, tmp_path: Path, probed: list[str]
) -> None:
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "pics" / name)
    first = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (first.dataset, first.added, first.unchanged, first.updated, first.problems) == ("pics", 2, 0, 0, 0)
    assert first.bytes == sum(path.stat().st_size for path in (tmp_path / "pics").iterdir())
    picture(tmp_path / "pics" / "c.jpg")
    probed.clear()
    second = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (second.dataset, second.added, second.unchanged, second.updated) == ("pics", 1, 2, 0)
    assert probed == ["c.jpg"]
    assert await keys(workspace, "pics") == ["a.jpg", "b.jpg", "c.jpg"]


async def test_a_touched_file_is_opened_again_and_counts_as_unchanged(
    workspace: Workspace, tmp_path: Path, probed: list[str]
) -> None:
    path = picture(tmp_path / "pics" / "a.jpg")
    await import_dataset(workspace, "folder", tmp_path / "pics")
    os.utime(path, ns=(1, 1))
    report = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (report.unchanged, report.updated) == (1, 0)
    probed.clear()
    await import_dataset(workspace, "folder", tmp_path / "pics")
    assert probed == []


async def test_changed_pictures_and_changed_truth_are_updates(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "pics" / "a.jpg")
    picture(tmp_path / "pics" / "b.jpg")
    await import_dataset(workspace, "folder", tmp_path / "pics")
    os.utime(picture(tmp_path / "pics" / "a.jpg", "red"), ns=(1, 1))
    (tmp_path / "pics" / "b.txt").write_text("a caption")
    report = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (report.added, report.unchanged, report.updated) == (0, 0, 2)
    row = await dataset_named(workspace.db, "pics")
    assert row is not None
    a, b = await item_page(workspace.db, row.id)
    assert a.facts == probe(tmp_path / "pics" / "a.jpg")
    assert b.truth.captions == ("a caption",)


async def test_broken_pictures_are_listed_and_leave_the_list_when_repaired(
    workspace: Workspace, tmp_path: Path
) -> None:
    picture(tmp_path / "pics" / "good.jpg")
    (tmp_path / "pics" / "empty.jpg").write_bytes(b"")
    (tmp_path / "pics" / "text.jpg").write_text("hello")
    report = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (report.added, report.problems) == (1, 2)
    assert {problem.key: problem.reason for problem in report.examples} == {
        "empty.jpg": "is empty (0 bytes)",
        "text.jpg": "holds text, not a picture",
    }
    picture(tmp_path / "pics" / "empty.jpg")
    (tmp_path / "pics" / "text.jpg").unlink()
    report = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (report.added, report.problems) == (1, 0)
    assert (await dataset_detail(workspace, "pics")).problems == ()


async def test_a_picture_that_was_broken_and_is_back_as_it_was_leaves_the_list(
    workspace: Workspace, tmp_path: Path, probed: list[str]
) -> None:
    path = picture(tmp_path / "pics" / "a.jpg")
    await import_dataset(workspace, "folder", tmp_path / "pics")
    path.rename(tmp_path / "away.jpg")
    path.symlink_to(tmp_path / "pics")
    assert (await import_dataset(workspace, "folder", tmp_path / "pics")).problems == 1
    path.unlink()
    (tmp_path / "away.jpg").rename(path)
    probed.clear()
    report = await import_dataset(workspace, "folder", tmp_path / "pics", limit=1)
    assert (report.unchanged, report.problems, probed) == (1, 0, [])
    left = [problem.key for problem in (await dataset_detail(workspace, "pics")).problems]
    assert "a.jpg" not in left


async def test_what_opens_no_picture_comes_in_larger_batches_with_the_same_sums(
    workspace: Workspace, tmp_path: Path
) -> None:
    picture(tmp_path / "set" / "a.jpg")
    records = [{"image_id": number, "image_filename": "a.jpg"} for number in range(3_000)]
    path = annotations(tmp_path / "set", *records)
    first = await import_dataset(workspace, "stcray", path)
    seen: list[int] = []
    again = await import_dataset(workspace, "stcray", path, progress=lambda progress: seen.append(progress.seen))
    assert (first.added, again.unchanged, again.bytes) == (3_000, 3_000, first.bytes)
    assert seen[0] == 256
    assert seen[-1] == 3_000
    assert len(seen) < 5
    seen.clear()
    limited = await import_dataset(
        workspace, "stcray", path, limit=700, progress=lambda progress: seen.append(progress.seen)
    )
    assert limited.usable == seen[-1] == 700


async def test_a_picture_that_breaks_later_stays_and_is_listed(workspace: Workspace, tmp_path: Path) -> None:
    path = picture(tmp_path / "pics" / "a.jpg")
    await import_dataset(workspace, "folder", tmp_path / "pics")
    path.write_bytes(b"")
    report = await import_dataset(workspace, "folder", tmp_path / "pics")
    assert (report.unchanged, report.problems) == (0, 1)
    assert await keys(workspace, "pics") == ["a.jpg"]


async def test_a_limited_import_forgets_no_problem_and_takes_that_many(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(6):
        picture(tmp_path / "pics" / f"{number}.jpg")
    (tmp_path / "pics" / "0.jpg").write_bytes(b"")
    (tmp_path / "pics" / "5.jpg").write_bytes(b"")
    assert (await import_dataset(workspace, "folder", tmp_path / "pics")).problems == 2
    report = await import_dataset(workspace, "folder", tmp_path / "pics", name="few", limit=3)
    assert (report.added, report.problems) == (3, 1)
    assert await keys(workspace, "few") == ["1.jpg", "2.jpg", "3.jpg"]
    await import_dataset(workspace, "folder", tmp_path / "pics", name="pics", limit=2)
    assert len((await dataset_detail(workspace, "pics")).problems) == 2
    with pytest.raises(VqaError, match="at least 1"):
        await import_dataset(workspace, "folder", tmp_path / "pics", limit=0)


async def test_a_record_that_repeats_a_key_is_a_problem_every_time(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.jpg")
    first, second = {"image_path": "a.jpg", "caption": "first"}, {"image_path": "a.jpg", "caption": "second"}
    path = annotations(tmp_path / "set", first, second)
    for added, unchanged in ((1, 0), (0, 1)):
        report = await import_dataset(workspace, "stcray", path)
        assert (report.added, report.unchanged, report.updated, report.problems) == (added, unchanged, 0, 1)
    row = await dataset_named(workspace.db, "set")
    assert row is not None
    assert [item.truth.captions for item in await item_page(workspace.db, row.id)] == [("first",)]


async def test_boxes_drawn_on_another_size_are_noticed(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.jpg")
    boxes = [[1, 1, 5, 5], [600, 10, 20, 20], [60, 40, 50, 50]]
    record = {"image_path": "a.jpg", "categories": ["Knife", "Gun", "Bullet"], "bboxes": boxes}
    path = annotations(tmp_path / "set", record)
    for _ in range(2):
        report = await import_dataset(workspace, "stcray", path)
        assert "1 of 3 boxes lie outside the 64×48 picture (first: box 2, Gun)" in report.examples[0].reason
    assert (await dataset_detail(workspace, "set")).view.problems == 1


async def test_names_come_from_folders_and_are_made_unique(workspace: Workspace, tmp_path: Path) -> None:
    for folder in ("one/my bags", "two/my bags", "three/---"):
        picture(tmp_path / folder / "a.jpg")
    names = [
        (await import_dataset(workspace, "folder", tmp_path / folder)).dataset
        for folder in ("one/my bags", "two/my bags", "three/---", "two/my bags", "one/my bags")
    ]
    assert names == ["my-bags", "my-bags-2", "dataset", "my-bags-2", "my-bags"]


async def test_two_annotation_files_of_one_folder_may_share_a_dataset_by_name(
    workspace: Workspace, tmp_path: Path
) -> None:
    picture(tmp_path / "set" / "a.jpg")
    picture(tmp_path / "set" / "b.jpg")
    train = annotations(tmp_path / "set", {"image_path": "a.jpg"}, {"image_path": "gone.jpg"})
    train = train.rename(train.with_name("train.json"))
    test = annotations(tmp_path / "set", {"image_path": "b.jpg"})
    assert (await import_dataset(workspace, "stcray", train)).dataset == "set"
    assert (await import_dataset(workspace, "stcray", test)).dataset == "set-2"
    await import_dataset(workspace, "stcray", test, name="set")
    detail = await dataset_detail(workspace, "set")
    assert (detail.view.items, [problem.key for problem in detail.problems]) == (2, ["gone.jpg"])


async def test_a_name_that_belongs_to_something_else_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "one" / "a.jpg")
    picture(tmp_path / "two" / "a.jpg")
    path = annotations(tmp_path / "one", {"image_path": "a.jpg"})
    await import_dataset(workspace, "folder", tmp_path / "one", name="bags")
    with pytest.raises(VqaError, match=r"has its pictures in .*one, not in .*two"):
        await import_dataset(workspace, "folder", tmp_path / "two", name="bags")
    with pytest.raises(VqaError, match="is of kind folder, not stcray"):
        await import_dataset(workspace, "stcray", path, name="bags")
    for bad in ("", "-x", "a/b", "a b", "\x1b[31m", "x" * 200):
        with pytest.raises(VqaError, match="cannot be the name"):
            await import_dataset(workspace, "folder", tmp_path / "one", name=bad)
    assert len(await list_datasets(workspace)) == 1


async def test_a_folder_without_pictures_makes_no_dataset(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(VqaError, match="holds no pictures"):
        await import_dataset(workspace, "folder", tmp_path / "nothing")
    assert await list_datasets(workspace) == []


async def test_a_source_without_a_usable_picture_leaves_no_new_dataset(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.jpg")
    path = annotations(tmp_path / "set", {"image_path": "gone.jpg"}, {"odd": 1})
    report = await import_dataset(workspace, "stcray", path)
    assert (report.usable, report.problems, len(report.examples)) == (0, 2, 2)
    assert await list_datasets(workspace) == []
    path.write_text('[{"image_path": "gone.jpg"}, oops]')
    with pytest.raises(VqaError) as refused:
        await import_dataset(workspace, "stcray", path)
    assert "imported" not in refused.value.hint
    assert await list_datasets(workspace) == []

    await import_dataset(workspace, "stcray", annotations(tmp_path / "set", {"image_path": "a.jpg"}))
    report = await import_dataset(workspace, "stcray", annotations(tmp_path / "set", {"image_path": "gone.jpg"}))
    assert report.usable == 0
    assert await keys(workspace, "set") == ["a.jpg"], "a dataset with pictures stays"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_a_reason_reads_as_a_sentence_about_the_picture_it_names(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.new("1", (30_000, 5_000)).save(tmp_path / "set" / "bomb.png")
    (only,) = (await import_dataset(workspace, "folder", tmp_path / "set")).examples
    assert (only.where, only.reason.partition(",")[0]) == ("bomb.png", "has 30000×5000 pixels")
    path = annotations(tmp_path / "set", {"image_path": "bomb.png"})
    (only,) = (await import_dataset(workspace, "stcray", path)).examples
    assert only.where == "annotations.json record 1"
    assert only.reason.startswith("the picture `bomb.png` has 30000×5000 pixels, more than the limit")


async def test_a_full_disk_under_the_scratch_file_is_told_in_words(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "set" / "a.jpg")
    path = annotations(tmp_path / "set", *({"image_id": n, "image_filename": "a.jpg"} for n in range(5_000)))
    made = SqliteScratch()
    made._connection.execute("PRAGMA max_page_count = 6")
    monkeypatch.setattr(dataset_import, "SqliteScratch", lambda: made)
    with pytest.raises(StoreTrouble, match="temporary file of the import: database or disk is full") as refused:
        await import_dataset(workspace, "stcray", path)
    assert "TMPDIR" in refused.value.hint


async def test_what_came_before_malformed_json_is_imported_and_stays(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.jpg")
    records = [{"image_id": number, "image_filename": "a.jpg", "caption": "x" * 300} for number in range(1000)]
    path = annotations(tmp_path / "set", *records)
    path.write_text(path.read_text()[:-1] + ", oops]")
    with pytest.raises(VqaError, match="line 1, column") as refused:
        await import_dataset(workspace, "stcray", path)
    stored = len(await keys(workspace, "set"))
    assert stored >= 256
    assert f"{stored} pictures before that place are imported and in set now." in refused.value.hint
    assert await unfinished(workspace) == {"set": str(path)}


async def test_progress_grows_to_the_report_and_the_loop_stays_free(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "set" / "a.jpg")
    records = [{"image_id": number, "image_filename": "a.jpg"} for number in range(600)]
    seen: list[ImportProgress] = []
    turns_by_batch: list[int] = []
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def note(progress: ImportProgress) -> None:
        seen.append(progress)
        turns_by_batch.append(turns)

    counting = asyncio.create_task(count_turns())
    path = annotations(tmp_path / "set", *records, {"image_id": "x"})
    report = await import_dataset(workspace, "stcray", path, progress=note)
    counting.cancel()
    assert [progress.seen for progress in seen] == [256, 512, 601]
    assert (seen[-1].added, seen[-1].problems) == (report.added, report.problems) == (600, 1)
    assert turns_by_batch == sorted(set(turns_by_batch))


async def test_what_is_committed_stays_when_an_import_is_cancelled(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "set" / "a.jpg")
    records = [{"image_id": number, "image_filename": "a.jpg"} for number in range(600)]
    path = annotations(tmp_path / "set", *records)
    first_batch, release = asyncio.Event(), threading.Event()

    def stall_after_first_batch(path: Path) -> PictureFacts:
        if first_batch.is_set():
            release.wait(30)
        return probe(path)

    def note(progress: ImportProgress) -> None:
        first_batch.set()

    monkeypatch.setattr(import_facts, "probe", stall_after_first_batch)
    job = asyncio.create_task(import_dataset(workspace, "stcray", path, progress=note))
    await first_batch.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    release.set()
    stored = len(await keys(workspace, "set"))
    assert 256 <= stored < 600
    assert await unfinished(workspace) == {"set": str(path)}
    monkeypatch.undo()
    other = annotations(picture(tmp_path / "set" / "b" / "b.jpg").parent, {"image_id": 1, "image_filename": "b.jpg"})
    await import_dataset(workspace, "stcray", other, name="set", images=tmp_path / "set")
    assert await unfinished(workspace) == {"set": str(path)}, "another source says nothing about this one"
    report = await import_dataset(workspace, "stcray", path)
    assert (report.added, report.unchanged) == (600 - stored, stored)
    assert await unfinished(workspace) == {"set": None}
    assert (await import_dataset(workspace, "stcray", path, limit=3)).unchanged == 3
    assert await unfinished(workspace) == {"set": None}, "as many as were asked for is the end"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample data is absent")
@pytest.mark.parametrize(
    ("kind", "path", "added", "problems"),
    [
        ("coco", "coco", 13, 0),
        ("folder", "cc0_images", 11, 0),
        ("stcray-tree", "synthetic/stcray_raw", 1, 1),
        ("stcray", "synthetic/annotations.sample.json", 1, 1),
        ("model-garden", "model_garden/vision_dataset.jsonl", 5, 0),
    ],
)
async def test_real_data_imports_and_imports_again_without_change(
    workspace: Workspace, kind: str, path: str, added: int, problems: int
) -> None:
    report = await import_dataset(workspace, kind, SHARED / path)
    assert (report.added, report.problems) == (added, problems)
    again = await import_dataset(workspace, kind, SHARED / path)
    assert (again.added, again.unchanged, again.updated, again.problems) == (0, added, 0, problems)
