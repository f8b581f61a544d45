"""JSON Lines of conversations for Qwen-VL: `image`, `conversations`, and the ground truth beside them."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPicture
from vqa_tui.exporters.conversation import conversations, image_id, item_labels


def qwen_records(picture: ExportPicture, image_path: str, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair, or one for the picture.

    `image` is the key that Qwen's own trainer (qwen-vl-finetune) reads; `image_path` names the same file for readers
    of the STCray conversation form. The category is `negative` only where the dataset states that there is nothing, and
    `unknown` where it says nothing.
    """
    items = item_labels(picture.truth)
    category = "positive" if items else "negative" if picture.truth.annotated else "unknown"
    for turns in conversations(picture.pairs, grouped=grouped):
        yield {
            "image_id": image_id(picture.key, picture.truth),
            "image": image_path,
            "image_path": image_path,
            "conversations": turns,
            "ground_truth": {"category": category, "items": items},
        }
