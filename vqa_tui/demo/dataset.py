"""A folder of drawn scans with annotations in the STCray form."""

import json
import os
from pathlib import Path
from random import Random

from vqa_tui.demo.baggage import draw_scan
from vqa_tui.demo.prohibited import ITEMS
from vqa_tui.domain.failure import VqaError

_CLEAN_EVERY = 10
_ITEM_COUNTS = (1, 1, 1, 1, 2, 2, 3)
_JPEG_QUALITY = 88


def draw_demo_dataset(folder: Path, count: int, seed: int = 7) -> Path:
    """Write `count` scans as `images/NNNNNN.jpg` and their `annotations.json` into `folder`; return the latter.

    The form is the list that `dataset import stcray` reads (boxes are [x, y, width, height] in pixels). Every tenth
    scan is clean, the others hold one to three items. The same seed and Pillow give the same bytes, and a longer
    dataset begins with the shorter one. Raises VqaError when the folder cannot be written.
    """
    images = folder / "images"
    annotations = folder / "annotations.json"
    try:
        images.mkdir(parents=True, exist_ok=True)
        records = [_draw_one(images, index, seed) for index in range(count)]
        unfinished = annotations.with_suffix(".json.part")
        unfinished.write_text(json.dumps(records, indent=1), "utf-8")
        os.replace(unfinished, annotations)
    except OSError as error:
        raise VqaError(f"cannot write the demo pictures into {folder}: {error.strerror}") from error
    return annotations


def _draw_one(images: Path, index: int, seed: int) -> dict[str, object]:
    rng = Random(f"{seed}:{index}")
    labels = _labels(rng, index)
    scan = draw_scan(rng, labels)
    name = f"{index:06d}.jpg"
    scan.picture.save(images / name, quality=_JPEG_QUALITY)
    return {
        "image_id": index,
        "image_filename": name,
        "image_path": f"images/{name}",
        "caption": scan.caption,
        "categories": [box.label for box in scan.boxes],
        "bboxes": [[box.x, box.y, box.width, box.height] for box in scan.boxes],
        "num_annotations": len(scan.boxes),
    }


def _labels(rng: Random, index: int) -> list[str]:
    """Choose what a scan holds: nothing in the last of every ten; each category leads equally often in the others."""
    if index % _CLEAN_EVERY == _CLEAN_EVERY - 1:
        return []
    names = list(ITEMS)
    leading = names[(index + index // _CLEAN_EVERY) % len(names)]
    others = [name for name in names if name != leading]
    return [leading, *rng.sample(others, rng.choice(_ITEM_COUNTS) - 1)]
