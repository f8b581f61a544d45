"""Real pictures and annotations the whole way: import, embedded endpoint, export, validate."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Stage
from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.domain.run import Phase
from vqa_tui.operations.datasets import dataset_detail, import_dataset
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.planning import RunRequest

DATA = Path(__file__).parents[2].parent / "shared" / "data"
with_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the sample data is not at {DATA}")


async def _whole_way(stage: Stage, dataset: str, recipe: str, *formats: str) -> int:
    """Run a dataset through a recipe, export it in each format, validate it; return the number of pairs."""
    run_id = await stage.run(RunRequest(dataset, recipe, stage.endpoint(), pilot=0, name=f"{dataset}-{recipe}"))
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.DONE and view.counts.failed == 0, view
    assert view.samples > 0
    for name in formats:
        suffix = ".json" if name == "llava" else ".jsonl"
        out = stage.folder / f"{dataset}-{recipe}-{name}{suffix}"
        report = await export_run(
            stage.workspace, run_id, name, out, split=(0.7, 0.3) if view.counts.done > 1 else None
        )
        assert report.pairs == view.samples
        verdict = validate_file(report.manifest)
        assert verdict.ok, verdict.problems
    return view.samples


@with_data
async def test_coco(stage: Stage) -> None:
    report = await import_dataset(stage.workspace, "coco", DATA / "coco", name="coco")
    assert (report.added, report.problems) == (13, 0)
    again = await import_dataset(stage.workspace, "coco", DATA / "coco", name="coco")
    assert (again.added, again.unchanged) == (0, 13)
    assert await _whole_way(stage, "coco", "general-vqa", "qwen", "llava", "stcray-flat") >= 26
    assert await _whole_way(stage, "coco", "caption", "qwen") == 13


@with_data
async def test_cc0_pictures(stage: Stage) -> None:
    report = await import_dataset(stage.workspace, "folder", DATA / "cc0_images", name="cc0")
    assert (report.added, report.problems) == (11, 0)
    await _whole_way(stage, "cc0", "general-vqa", "qwen", "llava")


@with_data
async def test_stcray_tree_and_annotations_report_junk_and_missing_pictures(stage: Stage) -> None:
    report = await import_dataset(stage.workspace, "stcray-tree", DATA / "synthetic" / "stcray_raw", name="tree")
    assert report.added == 1 and report.problems == 1
    detail = await dataset_detail(stage.workspace, "tree")
    assert "._" in detail.problems[0].key or "._" in detail.problems[0].reason
    report = await import_dataset(
        stage.workspace, "stcray", DATA / "synthetic" / "annotations.sample.json", name="list"
    )
    assert report.added == 1 and report.problems == 1
    detail = await dataset_detail(stage.workspace, "list")
    assert "missing.jpg" in detail.problems[0].reason
    await _whole_way(stage, "tree", "stcray", "stcray-flat", "qwen")


async def test_drawn_scans_give_a_validated_stcray_file_in_the_original_form(stage: Stage) -> None:
    annotations = draw_demo_dataset(stage.folder / "scans", 24)
    await import_dataset(stage.workspace, "stcray", annotations, name="scans")
    pairs = await _whole_way(stage, "scans", "stcray", "stcray-flat", "qwen", "llava")
    assert pairs == 24 * 3
    first = json.loads((stage.folder / "scans-stcray-stcray-flat.train.jsonl").read_text().splitlines()[0])
    assert set(first) == {"image_path", "question", "answer", "metadata"}
    assert first["metadata"].keys() >= {
        "image_id", "question_type", "categories", "num_categories", "generated_by", "model"
    }  # fmt: skip
