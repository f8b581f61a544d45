"""The JSON list that LLaVA trains on: `id`, `image`, `conversations`."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.conversation import conversations
from vqa_tui.exporters.placed import PlacedPicture


def llava_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair, with ids `key#0`, `key#1` …, or one for the picture, with its key as id.

    `image` is a list where there are several (LLaVA-VL/LLaVA-NeXT, llava/train/train.py).
    """
    picture = placed.picture
    shown = len(placed.paths)
    turns_of_all = conversations(picture.pairs, grouped=grouped, medium=placed.medium, shown=shown)
    for pair, turns in zip(picture.pairs, turns_of_all, strict=False):
        record_id = picture.key if grouped else f"{picture.key}#{pair.ordinal}"
        yield {"id": record_id, placed.medium: placed.path_or_paths, "conversations": turns}
