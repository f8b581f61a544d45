"""What one request shows of an item of several pictures: together they keep to the bytes that the endpoint takes."""

import random
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.item import GroundTruth, Item, PictureFile
from vqa_tui.endpoints.pictures import PreparedPicture
from vqa_tui.engine.shown import media_of
from vqa_tui.sources.probe import probe
from vqa_tui.video.leave import Leave

RECIPE = Recipe.model_validate({"name": "r", "prompt": {"user": "x"}, "reply": {"kind": "blocks"}})


def item_of(root: Path, count: int) -> Item:
    """Draw pictures that JPEG takes many more bytes for than the files have."""
    chance, files = random.Random(1), []
    for number in range(count):
        file = root / f"{number}.webp"
        Image.frombytes("RGB", (40, 30), chance.randbytes(3600)).resize((320, 240)).save(file, quality=10)
        files.append(PictureFile(path=file.name, facts=probe(file)))
    truth = GroundTruth(further=tuple(files[1:]))
    return Item(1, 1, files[0].path, files[0].path, files[0].facts, None, truth)


def shown(root: Path, item: Item, *, max_bytes: int) -> tuple[PreparedPicture, ...]:
    endpoint = Endpoint.model_validate(
        {"name": "e", "kind": "embedded", "model": "m", "keys": [{"name": "a"}],
         "picture": {"max_bytes": max_bytes, "formats": ["JPEG"]}}
    )  # fmt: skip
    media = media_of(RECIPE, endpoint, root, item, None, None, Leave())
    assert isinstance(media, tuple)
    return media


@pytest.mark.parametrize("part", [0.6, 1.0, 1.2])
def test_pictures_that_grow_keep_to_the_bytes_together(tmp_path: Path, part: float) -> None:
    item = item_of(tmp_path, 4)
    files = sum(picture.facts.size_bytes for picture in item.pictures)
    large = shown(tmp_path, item, max_bytes=10_000_000)
    grown = sum(len(picture.data) for picture in large)
    assert grown > 1.3 * files, "else nothing is shown by this"
    most = int(files * part)
    small = shown(tmp_path, item, max_bytes=most)
    assert sum(len(picture.data) for picture in small) <= most
    assert all(len(picture.data) <= most // 4 for picture in small), "each has its share"
    assert shown(tmp_path, item, max_bytes=grown) == large, "nothing is made smaller that fits"
