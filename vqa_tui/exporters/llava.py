"""The JSON list that LLaVA trains on: `id`, `image`, `conversations`."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.exporters.conversation import conversations


def llava_records(picture: ExportPicture, image_path: str, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair, with ids `key#0`, `key#1` …, or one for the picture, with its key as id."""
    for pair, turns in zip(picture.pairs, conversations(picture.pairs, grouped=grouped), strict=False):
        record_id = picture.key if grouped else f"{picture.key}#{pair.ordinal}"
        yield {"id": record_id, "image": image_path, "conversations": turns}
