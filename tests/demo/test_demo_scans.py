"""Drawn scans: deterministic, exactly annotated, varied, and importable."""

import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageChops

from vqa_tui.demo import baggage
from vqa_tui.demo.baggage import SIZES, draw_scan
from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.demo.material import Material, Part, make_stamp
from vqa_tui.demo.prohibited import ITEMS
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.sources.probe import probe
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch


@pytest.mark.parametrize("label", sorted(ITEMS))
@pytest.mark.parametrize("seed", range(3))
def test_a_box_is_the_exact_extent_of_its_item(label: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[Image.Image] = []
    lay_items = baggage._lay_items

    def keep_the_bag_without_the_item(scene: Image.Image, *rest: Any) -> Any:
        before.append(scene.copy())
        boxes = lay_items(scene, *rest)
        before.append(scene.copy())
        return boxes

    monkeypatch.setattr(baggage, "_lay_items", keep_the_bag_without_the_item)
    (box,) = draw_scan(Random(seed), [label]).boxes
    assert box.label == label
    difference = ImageChops.difference(*before).convert("L").point(lambda value: 255 if value else 0)
    assert difference.getbbox() == (box.x, box.y, box.x + box.width, box.y + box.height)


@pytest.mark.parametrize("seed", range(12))
def test_items_lie_in_the_picture_and_hide_each_other_little(seed: int) -> None:
    labels = ["Gun", "Hammer", "Wrench"]
    scan = draw_scan(Random(seed), labels)
    assert scan.picture.size in SIZES and scan.picture.mode == "RGB"
    assert [box.label for box in scan.boxes] == labels
    for box in scan.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= scan.picture.width and box.y + box.height <= scan.picture.height
        assert box.width * box.height > 400
        assert box.label.lower() in scan.caption


def test_a_clean_scan_says_so() -> None:
    scan = draw_scan(Random(1), [])
    assert scan.boxes == ()
    assert "no prohibited item" in scan.caption


def test_overlap_darkens_and_nothing_is_white() -> None:
    part = Part(Image.new("L", (20, 20), 128), Material.METAL)
    light = make_stamp([part], 0, 1, softness=0).light.getpixel((10, 10))
    twice = make_stamp([part, part], 0, 1, softness=0).light.getpixel((10, 10))
    assert isinstance(light, tuple) and isinstance(twice, tuple)
    assert all(dark < bright < 255 for dark, bright in zip(twice, light, strict=True))
    with pytest.raises(ValueError, match="too thin"):
        make_stamp([Part(Image.new("L", (20, 20), 3), Material.METAL)], 0, 1)


def test_the_same_seed_gives_the_same_bytes_and_a_longer_dataset_begins_with_the_shorter(tmp_path: Path) -> None:
    short, long = draw_demo_dataset(tmp_path / "short", 4), draw_demo_dataset(tmp_path / "long", 6)
    other = draw_demo_dataset(tmp_path / "other", 4, seed=8)
    assert json.loads(short.read_text()) == json.loads(long.read_text())[:4]
    for number in range(4):
        name = f"images/{number:06d}.jpg"
        assert (tmp_path / "short" / name).read_bytes() == (tmp_path / "long" / name).read_bytes()
        assert (tmp_path / "short" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()
    assert not list((tmp_path / "short").glob("*.part")) and other.is_file()


def test_a_dataset_holds_every_category_and_one_clean_scan_in_ten(tmp_path: Path) -> None:
    records = json.loads(draw_demo_dataset(tmp_path, 40).read_text())
    assert sum(not record["categories"] for record in records) == 4
    found = Counter(label for record in records for label in record["categories"])
    assert found.keys() == ITEMS.keys()
    assert max(len(record["categories"]) for record in records) == 3
    assert len({probe(tmp_path / record["image_path"]).width for record in records}) == len(SIZES)


def test_what_was_drawn_is_read_back_as_it_was_drawn(tmp_path: Path) -> None:
    path = draw_demo_dataset(tmp_path, 11)
    with SqliteScratch() as scratch:
        found = list(open_source("stcray", path).records(scratch))
    assert len(found) == 11
    for record, written in zip(found, json.loads(path.read_text()), strict=True):
        assert not isinstance(record, ImportProblem)
        boxes = [[box.x, box.y, box.width, box.height] for box in record.truth.boxes]
        assert boxes == written["bboxes"]
        assert list(record.truth.categories) == written["categories"]
        assert record.truth.captions == (written["caption"],)


@pytest.mark.parametrize("foreign", ["annotations.json", "images/holiday.jpg", "images/000000.jpg"])
def test_what_the_demo_did_not_make_is_never_replaced(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / foreign
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(VqaError, match="the demo did not make it") as refused:
        draw_demo_dataset(tmp_path, 1)
    assert "--folder" in refused.value.hint
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path] and path.read_text() == "mine"


def test_a_folder_that_the_demo_made_is_drawn_again(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    first = draw_demo_dataset(tmp_path, 1).read_bytes()
    assert draw_demo_dataset(tmp_path, 2).read_bytes() != first
    assert len(list((tmp_path / "images").iterdir())) == 2


def test_a_caption_tells_what_each_item_overlaps(monkeypatch: pytest.MonkeyPatch) -> None:
    laid: dict[str, list[baggage._Laid]] = {}

    def keeping(step: str, lay: Any) -> Any:
        def kept(*arguments: Any) -> Any:
            laid[step] = lay(*arguments)
            return laid[step]

        return kept

    for step in ("_lay_garments", "_lay_clutter", "_lay_items"):
        monkeypatch.setattr(baggage, step, keeping(step, getattr(baggage, step)))

    def pixels(thing: baggage._Laid) -> set[tuple[int, int]]:
        dark = thing.mask.load()
        assert dark is not None
        width, height = thing.mask.size
        return {(thing.left + x, thing.top + y) for x in range(width) for y in range(height) if dark[x, y]}

    told = set()
    for seed in range(10):
        sentences = draw_scan(Random(seed), ["Gun", "Scissors"]).caption.split(". ")[1:]
        cloth = set().union(*map(pixels, laid["_lay_garments"]))
        others = [*laid["_lay_clutter"], *laid["_lay_items"]]
        for item, sentence in zip(laid["_lay_items"], sentences, strict=True):
            own = pixels(item)
            over = {other.name for other in others if other is not item and own & pixels(other)}
            _, _, named = sentence.rstrip(".").partition(" overlaps ")
            assert set(filter(None, re.split(", | and ", named))) == over
            assert ("among clothes" in sentence) == bool(own & cloth)
            told.add(bool(over))
    assert told == {True, False}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VqaError, match="cannot write the demo pictures"):
        draw_demo_dataset(tmp_path / "file", 1)
