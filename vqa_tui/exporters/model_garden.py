"""JSON Lines of `text`, `image`, `response`, as Model Garden's vision training reads them."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture


def model_garden_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair: the trainer keeps only the first question and answer of a record."""
    for pair in placed.picture.pairs:
        yield {"text": neutralised(pair.question), "image": placed.path, "response": neutralised(pair.answer)}
