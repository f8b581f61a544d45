"""JSON Lines with one question and answer each, as the STCray training reader takes them."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.exporters.conversation import image_id, item_labels
from vqa_tui.exporters.media_tags import neutralised


def stcray_flat_records(
    picture: ExportPicture, image_path: str, run: ExportedRun, grouped: bool
) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair; there is no grouped form."""
    categories = item_labels(picture.truth)
    for pair in picture.pairs:
        yield {
            "image_path": image_path,
            "question": neutralised(pair.question),
            "answer": neutralised(pair.answer),
            "metadata": {
                "image_id": image_id(picture.key, picture.truth),
                "question_type": pair.question_type,
                "categories": categories,
                "num_categories": len(categories),
                "generated_by": "llm",
                "model": run.model,
            },
        }
