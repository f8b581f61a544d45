"""One row for each pair, for spreadsheets and data frames."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture

COLUMNS = ("image", "question", "answer", "question_type", "item", "verdict", "model")


def csv_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one row of COLUMNS for each pair; there is no grouped form."""
    picture = placed.picture
    for pair in picture.pairs:
        yield {
            "image": placed.path,
            "question": neutralised(pair.question),
            "answer": neutralised(pair.answer),
            "question_type": pair.question_type,
            "item": picture.key,
            "verdict": pair.verdict,
            "model": run.model if pair.source is None else pair.source.model,
        }
