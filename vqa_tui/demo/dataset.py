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
_MARKER = "MADE-BY-VQA-TUI-DEMO.txt"
_MARKER_TEXT = (
    "vqa-tui demo wrote annotations.json and images/ of this folder, and replaces both when it runs here again.\n"
    "Keep nothing of your own in them.\n"
)


def draw_demo_dataset(folder: Path, count: int, seed: int = 7) -> Path:
    """Write `count` scans as `images/NNNNNN.jpg` and their `annotations.json` into `folder`; return the latter.

    The form is the list that `dataset import stcray` reads (boxes are [x, y, width, height] in pixels). Every tenth
    scan is clean, the others hold one to three items. The same seed and Pillow give the same bytes, and a longer
    dataset begins with the shorter one. Raises VqaError when the folder cannot be written, or as
    `refuse_foreign_dataset` does.
    """
    refuse_foreign_dataset(folder)
    images, annotations = folder / "images", folder / "annotations.json"
    try:
        images.mkdir(parents=True, exist_ok=True)
        (folder / _MARKER).write_text(_MARKER_TEXT, "utf-8")
        records = [_draw_one(images, index, seed) for index in range(count)]
        unfinished = annotations.with_suffix(".json.part")
        unfinished.write_text(json.dumps(records, indent=1), "utf-8")
        os.replace(unfinished, annotations)
    except OSError as error:
        raise VqaError(f"cannot write the demo pictures into {folder}: {error.strerror}") from error
    return annotations


def refuse_foreign_dataset(folder: Path) -> None:
    """Raise VqaError when `folder` holds annotations.json or pictures in images/ that no demo wrote.

    A file beside them tells a folder that the demo made; without it nothing there may be replaced.
    """
    try:
        if (folder / _MARKER).is_file():
            return
        images, annotations = folder / "images", folder / "annotations.json"
        if os.path.lexists(annotations):
            found = annotations
        elif os.path.lexists(images) and not (images.is_dir() and next(images.iterdir(), None) is None):
            found = images
        else:
            return
    except OSError as error:
        raise VqaError(f"cannot look into {folder}: {error.strerror}") from error
    raise VqaError(
        f"{found} is already there, and the demo did not make it",
        hint="Nothing was changed. Name an empty or a new folder with --folder DIR.",
    )


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
