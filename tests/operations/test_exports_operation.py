"""Exports of a real workspace: what is written, what is refused, and that it validates."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.config.freeze import freeze
from vqa_tui.config.recipe import Checks, PromptTemplates, Recipe, ReplyFormat
from vqa_tui.domain.export import Reviewed
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.atomic_file import AtomicFile
from vqa_tui.exporters.formats import FORMATS, Grouping
from vqa_tui.exporters.manifest import Manifest, read_manifest
from vqa_tui.exporters.validation_report import ProblemKind
from vqa_tui.operations.exports import export_formats, export_run, validate_file
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import exports as store_exports
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.exports import exported_pictures, exported_run, last_hashes

RECIPE = Recipe(
    name="mine",
    prompt=PromptTemplates(user="x"),
    reply=ReplyFormat(kind="json_pairs"),
    checks=Checks(min_answer_chars=5, risk_words=("risk level",)),
)
TRUTH = '{"categories":["Knife"]}'


class StoredRun:
    """A workspace with one run, to which finished pictures are added as the engine would."""

    def __init__(self, workspace: Workspace, pictures: Path) -> None:
        self.workspace = workspace
        self.pictures = pictures

    async def create(self) -> None:
        async with self.workspace.db.write() as transaction:
            await transaction.execute(
                "INSERT INTO dataset (id, name, kind, root, source, created_at, imported_at) "
                "VALUES (1, 'bags', 'folder', ?, ?, 0, 0)",
                (str(self.pictures), str(self.pictures)),
            )
            await transaction.execute(
                "INSERT INTO run (id, name, dataset_id, recipe_name, endpoint_name, model, recipe, endpoint, "
                "config_sha256, pilot_size, created_at, limits) VALUES (1, 'first', 1, 'mine', 'embedded', 'm-1', ?, "
                "'{}', 'cafe', 0, 0, '{}')",
                (freeze(RECIPE),),
            )
            await transaction.execute("INSERT INTO run_state (run_id, phase) VALUES (1, 'running')")

    async def add(
        self, numbers: Iterable[int], *, pairs: int = 2, status: str = "done", look: int | None = None
    ) -> None:
        """Store pictures with `pairs` pairs each; equal `look` makes equal files."""
        async with self.workspace.db.write() as transaction:
            for number in numbers:
                path = self.pictures / f"{number:03}.png"
                Image.new("RGB", (16, 16), (number if look is None else look, 0, 7)).save(path)
                data = path.read_bytes()
                await transaction.execute(
                    "INSERT INTO item VALUES (?, 1, ?, ?, 'PNG', 16, 16, ?, ?, 1, 0, NULL, ?, 1, 0)",
                    (number, f"k{number}", path.name, len(data), hashlib.sha256(data).hexdigest(), TRUTH),
                )
                finished = 1.0 if status in ("done", "failed", "skipped") else None
                kind = "refused" if status == "failed" else None
                await transaction.execute(
                    "INSERT INTO task (id, run_id, item_id, status, finished_at, last_kind) VALUES (?, 1, ?, ?, ?, ?)",
                    (number, number, status, finished, kind),
                )
                for ordinal in range(pairs if status == "done" else 0):
                    await transaction.execute(
                        "INSERT INTO sample (run_id, task_id, ordinal, question, answer, question_type) "
                        "VALUES (1, ?, ?, ?, ?, ?)",
                        (number, ordinal, f"Question {ordinal}?", f"Answer {ordinal} <image> é.", f"type{ordinal}"),
                    )

    async def reject(self, task: int) -> None:
        async with self.workspace.db.write() as transaction:
            await transaction.execute("UPDATE sample SET verdict = 'rejected' WHERE task_id = ?", (task,))


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[StoredRun]:
    (tmp_path / "bags").mkdir()
    async with open_workspace(tmp_path) as workspace:
        run = StoredRun(workspace, tmp_path / "bags")
        await run.create()
        yield run


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_an_export_and_its_manifest(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 6))
    await stored.add([6], status="failed")
    await stored.add([7, 8], status="pending", pairs=0)
    await stored.reject(2)
    out = tmp_path / "train.jsonl"
    report = await export_run(stored.workspace, 1, "qwen", out)
    lines = _lines(out)
    assert [line["image"] for line in lines] == [f"bags/{n:03}.png" for n in (1, 1, 3, 3, 4, 4, 5, 5)]
    assert lines[1]["conversations"][1] == {"from": "gpt", "value": "Answer 1 [image] é."}
    assert out.read_bytes().endswith(b"}\n")
    assert (report.pictures, report.pairs, report.folder) == (4, 8, tmp_path)
    assert report.warnings == (
        "2 of 8 pictures are not in the file: not finished yet",
        "1 of 8 pictures are not in the file: failed",
        "2 rejected pairs were left out",
    )
    manifest = read_manifest(report.manifest)
    assert report.manifest == tmp_path / "train.jsonl.manifest.json"
    assert manifest.files == report.files
    (file,) = manifest.files
    assert (file.name, file.part, file.records, file.pictures, file.pairs) == ("train.jsonl", "all", 8, 4, 8)
    assert (file.sha256, file.bytes) == (hashlib.sha256(out.read_bytes()).hexdigest(), out.stat().st_size)
    assert manifest.run.model_dump() == {
        "id": 1,
        "name": "first",
        "phase": "running",
        "dataset": "bags",
        "recipe": "mine",
        "recipe_sha256": hashlib.sha256(freeze(RECIPE).encode()).hexdigest(),
        "config_sha256": "cafe",
        "endpoint": "embedded",
        "model": "m-1",
    }
    assert manifest.question_types == {"type0": 4, "type1": 4}
    assert manifest.image_paths == "relative to this folder"
    assert (manifest.skipped.unfinished_pictures, manifest.skipped.failed_pictures) == (2, 1)
    assert (manifest.split, manifest.grouped, manifest.format) == (None, False, "qwen")
    validation = validate_file(out)
    assert validation.ok, validation.problems
    assert "✓ Validated 8 VQA pairs" in validation.verdict
    assert "✓ Files are as the manifest lists them" in validation.verdict
    assert validate_file(report.manifest).ok


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("split", [None, (0.75, 0.25), (0.5, 0.25, 0.25)])
@pytest.mark.parametrize("name", [known.name for known in export_formats()])
async def test_every_format_validates(
    name: str, split: tuple[float, ...] | None, grouped: bool, stored: StoredRun, tmp_path: Path
) -> None:
    await stored.add(range(1, 9))
    out = tmp_path / "new" / "folder" / ("x.csv" if name == "csv" else "x.json")
    grouping = FORMATS[name].grouping
    if grouped and grouping is Grouping.APART:
        with pytest.raises(VqaError, match="cannot be grouped"):
            await export_run(stored.workspace, 1, name, out, grouped=True)
        assert not (tmp_path / "new").exists()
        return
    report = await export_run(stored.workspace, 1, name, out, split=split, grouped=grouped)
    records = [file for file in report.files if not file.role]
    assert [file.pairs for file in records] == [round(16 * share) for share in split or (1,)]
    validation = validate_file(out)
    assert validation.ok, validation.problems
    assert validation.stats.formats == (name,)
    assert (validation.stats.pairs, validation.stats.pictures) == (16, 8)
    assert validation.stats.records == (8 if grouped or grouping is Grouping.TOGETHER else 16)
    for file in records:
        assert validate_file(out.parent / file.name).ok
    if FORMATS[name].holds_pictures:
        assert report.warnings == ()
        return
    assert "picture paths are absolute" in report.warnings[0]
    assert str(stored.pictures) in (out.parent / report.files[0].name).read_text("utf-8")


async def test_a_split_keeps_equal_pictures_together(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 21))
    await stored.add(range(21, 61), look=200)
    out = tmp_path / "x.jsonl"
    report = await export_run(stored.workspace, 1, "qwen", out, split=(0.8, 0.2))
    sides: dict[str, set[str]] = {}
    for side in ("train", "val"):
        for line in _lines(tmp_path / f"x.{side}.jsonl"):
            digest = hashlib.sha256((tmp_path / line["image"]).read_bytes()).hexdigest()
            sides.setdefault(digest, set()).add(side)
    assert len(sides) == 21
    assert all(len(where) == 1 for where in sides.values())
    assert sum(where == {"train"} for where in sides.values()) == 17
    assert sum(file.pairs for file in report.files) == 120
    before = [(tmp_path / f"x.{side}.jsonl").read_bytes() for side in ("train", "val")]
    await export_run(stored.workspace, 1, "qwen", out, split=(0.8, 0.2))
    assert [(tmp_path / f"x.{side}.jsonl").read_bytes() for side in ("train", "val")] == before
    assert "✓ No image is on two sides of the split" in validate_file(out).verdict


@pytest.mark.parametrize(("pictures", "share", "training"), [(2, 0.999, 1), (2, 0.001, 1), (10, 0.75, 8), (7, 0.5, 4)])
async def test_split_sizes(pictures: int, share: float, training: int, stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, pictures + 1))
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", split=(share, 1 - share))
    assert [file.pictures for file in report.files] == [training, pictures - training]


async def test_a_single_picture_cannot_be_split(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    await stored.add([2], look=1)
    with pytest.raises(VqaError, match="about fewer pictures that can stand apart than the split has sides") as refused:
        await export_run(stored.workspace, 1, "llava", tmp_path / "x.json", split=(0.5, 0.5))
    assert "Leave out the split" in refused.value.hint
    assert sorted(os.listdir(tmp_path)) == [".vqa", "bags"]


async def test_leaks_and_changes_are_found_when_files_are_edited(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 9))
    out = tmp_path / "x.jsonl"
    await export_run(stored.workspace, 1, "qwen", out, split=(0.5, 0.5))
    training, validation = tmp_path / "x.train.jsonl", tmp_path / "x.val.jsonl"
    stolen = _lines(training)[0]
    copied = stored.pictures / "copy.png"
    copied.write_bytes((tmp_path / stolen["image"]).read_bytes())
    stolen["image"] = "bags/copy.png"
    validation.write_text(validation.read_text("utf-8") + json.dumps(stolen) + "\n", "utf-8")
    for path in (out, validation):
        kinds = {(problem.kind, problem.line) for problem in validate_file(path).problems}
        assert (ProblemKind.MANIFEST, 0) in kinds
        assert ProblemKind.SPLIT in {kind for kind, _ in kinds}
    found = [p for p in validate_file(validation).problems if p.kind is ProblemKind.SPLIT]
    assert "x.train.jsonl and in x.val.jsonl" in found[0].message
    os.remove(training)
    messages = [problem.message for problem in validate_file(validation).problems]
    assert "another side of the split is not there" in messages
    assert "the manifest lists this file, and it is not there" in [p.message for p in validate_file(out).problems]


async def test_the_recipe_in_the_manifest_sets_the_limits(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET answer = 'Hm.' WHERE ordinal = 0")
        await transaction.execute("UPDATE sample SET answer = 'The risk level is low.' WHERE ordinal = 1")
    await export_run(stored.workspace, 1, "llava", tmp_path / "x.json")
    report = validate_file(tmp_path / "x.json")
    assert [(p.kind, p.place) for p in report.problems] == [
        (ProblemKind.ANSWER, "x.json, entry 1"),
        (ProblemKind.RISK_WORDS, "x.json, entry 2"),
    ]


async def test_an_export_during_a_run_is_one_moment(stored: StoredRun) -> None:
    """While pages are read the engine goes on storing: what comes later is left out whole."""
    await stored.add(range(1, 8))
    run = await exported_run(stored.workspace.db, 1)
    assert run is not None
    keys = []
    async for page in exported_pictures(stored.workspace.db, run, page_pictures=2):
        keys.append([picture.key for picture in page.pictures])
        assert len(keys) <= 4, "pictures that were stored later are exported as well"
        await stored.add([100 + len(keys)])
    assert keys == [["k1", "k2"], ["k3", "k4"], ["k5", "k6"], ["k7"]]
    hashes = sorted(
        hashlib.sha256((stored.pictures / f"{number:03}.png").read_bytes()).hexdigest() for number in range(1, 8)
    )
    assert await last_hashes(stored.workspace.db, run, (0.3, 0.3, 0.4)) == (hashes[1], hashes[3])
    later = await exported_run(stored.workspace.db, 1)
    assert later is not None
    assert later.last_sample_id > run.last_sample_id


@pytest.mark.parametrize("reviewed", list(Reviewed))
async def test_pages_use_the_tasks_of_the_page_and_not_all_samples(stored: StoredRun, reviewed: Reviewed) -> None:
    page = store_exports._SAMPLES_OF_PAGE.format(taken=store_exports._TAKEN[reviewed])
    values = {"run": 1, "last": 9, "last_attempt": 9, "first": 1, "after": 9}
    plan = [row["detail"] for row in await stored.workspace.db.read(f"EXPLAIN QUERY PLAN {page}", values)]
    assert "sqlite_autoindex_sample_1 (task_id>? AND task_id<?)" in plan[0]
    assert [detail for detail in plan[1:] if detail.startswith(("SEARCH", "SCAN"))] == [plan[-1]]
    assert plan[-1].startswith("SEARCH attempt") and "(task_id=?" in plan[-1]


async def test_refusals(stored: StoredRun, tmp_path: Path) -> None:
    workspace, out = stored.workspace, tmp_path / "x.jsonl"
    with pytest.raises(VqaError, match="there is no run 9"):
        await export_run(workspace, 9, "qwen", out)
    with pytest.raises(VqaError, match="the run first has no question-answer pairs yet"):
        await export_run(workspace, 1, "qwen", out)
    await stored.add([1])
    with pytest.raises(VqaError, match="unknown export format `xml`"):
        await export_run(workspace, 1, "xml", out)
    for split in ((0.9, 0.2), (1.0, 0.0), (float("nan"), 0.5), (-0.5, 1.5)):
        with pytest.raises(VqaError, match="cannot be made"):
            await export_run(workspace, 1, "qwen", out, split=split)
    with pytest.raises(VqaError, match="is a folder"):
        await export_run(workspace, 1, "qwen", tmp_path / "bags")
    with pytest.raises(VqaError, match="cannot write the export"):
        await export_run(workspace, 1, "qwen", tmp_path / "bags" / "001.png" / "x.jsonl")
    await stored.reject(1)
    with pytest.raises(VqaError, match="every question-answer pair of the run first was rejected"):
        await export_run(workspace, 1, "qwen", out)
    assert sorted(os.listdir(tmp_path)) == [".vqa", "bags"]


async def test_only_own_exports_are_replaced(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1, 2])
    out = tmp_path / "x.jsonl"
    out.write_text("precious")
    with pytest.raises(VqaError, match="already exists and is not an export"):
        await export_run(stored.workspace, 1, "qwen", out)
    assert out.read_text() == "precious"
    out.unlink()
    for _ in range(2):
        await export_run(stored.workspace, 1, "qwen", out)
    report = await export_run(stored.workspace, 1, "qwen", out, split=(0.5, 0.5))
    assert "x.jsonl of an earlier export is still there, and no manifest lists it any more" in report.warnings
    with pytest.raises(VqaError, match="already exists and is not an export"):
        await export_run(stored.workspace, 1, "qwen", out)
    (tmp_path / "y.jsonl.manifest.json").write_text('{"made_by": "someone"}')
    with pytest.raises(VqaError, match="is in the way"):
        await export_run(stored.workspace, 1, "qwen", tmp_path / "y.jsonl")


async def test_a_failure_leaves_the_earlier_export_as_it_was(
    stored: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored.add([1, 2])
    out = tmp_path / "x.jsonl"
    await export_run(stored.workspace, 1, "qwen", out)
    before = _files(tmp_path)
    await stored.add([3])

    def no_space(self: AtomicFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(AtomicFile, "seal", no_space)
    with pytest.raises(StoreTrouble, match="the disk is full") as refused:
        await export_run(stored.workspace, 1, "qwen", out)
    assert "Make room" in refused.value.hint
    assert _files(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "words"), [(13, "does not let you write"), (30, "can only be read"), (5, "Input/output error")]
)
async def test_a_folder_that_cannot_be_written_is_told_in_words(
    stored: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    await stored.add([1])

    def refuse(path: Path, mode: str = "r") -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("vqa_tui.exporters.atomic_file.open", refuse, raising=False)
    with pytest.raises(VqaError, match=words) as refused:
        await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    assert "Errno" not in str(refused.value) and "Choose another" in refused.value.hint
    assert not isinstance(refused.value, StoreTrouble)


async def test_a_name_too_long_for_a_file_is_told_in_words(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    with pytest.raises(VqaError, match="the name is too long"):
        await export_run(stored.workspace, 1, "qwen", tmp_path / ("x" * 300))


async def test_a_recipe_can_be_named_for_a_file_without_a_manifest(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    report.manifest.unlink()
    assert validate_file(tmp_path / "x.jsonl").ok
    verdict = validate_file(tmp_path / "x.jsonl", recipe="stcray")
    assert not any(line.startswith("–") for line in verdict.verdict)
    assert "✓ No risk words" in verdict.verdict
    with pytest.raises(VqaError):
        validate_file(tmp_path / "x.jsonl", recipe="nosuch")


async def test_manifests_are_hostile_text_too(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    out = tmp_path / "new" / "x.jsonl"
    report = await export_run(stored.workspace, 1, "qwen", out)
    manifest: Manifest = read_manifest(report.manifest)
    outside = manifest.files[0].model_copy(update={"name": "../../../etc/passwd"})
    report.manifest.write_text(manifest.model_copy(update={"files": (outside,)}).model_dump_json())
    assert [p.message for p in validate_file(report.manifest).problems] == [
        "the manifest lists this file, and it is not there"
    ]
    report.manifest.write_text("{")
    assert [p.kind for p in validate_file(out).problems] == [ProblemKind.MANIFEST]
    with pytest.raises(VqaError, match="is no manifest of an export"):
        validate_file(report.manifest)
    with pytest.raises(VqaError, match="there is no file"):
        validate_file(tmp_path / "nothing")
