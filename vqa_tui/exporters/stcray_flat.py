"""JSON Lines with one question and answer each, as the STCray training reader takes them."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.conversation import image_id, item_labels
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture


def stcray_flat_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair; there is no grouped form.

    The metadata say nothing of categories where the dataset does not: an empty list would state that there are none.
    """
    picture = placed.picture
    categories = item_labels(picture.truth)
    stated = {"categories": categories, "num_categories": len(categories)} if picture.truth.annotated else {}
    for pair in picture.pairs:
        yield {
            "image_path": placed.path,
            "question": neutralised(pair.question),
            "answer": neutralised(pair.answer),
            "metadata": {
                "image_id": image_id(picture.key, picture.truth),
                "question_type": pair.question_type,
                **stated,
                "generated_by": "llm",
                "model": run.model if pair.source is None else pair.source.model,
            },
        }
