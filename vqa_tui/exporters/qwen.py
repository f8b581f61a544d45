"""JSON Lines of conversations for Qwen-VL: the bare form of its own trainer, and the STCray form around it."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.conversation import conversations, image_id, item_labels
from vqa_tui.exporters.placed import PlacedPicture


def qwen_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for each pair, or one for the picture, with the ground truth beside the conversation.

    `image` is the key that Qwen's own trainer (qwen-vl-finetune) reads; `image_path` names the same file for readers
    of the STCray conversation form. The category is `negative` only where the dataset states that there is nothing, and
    `unknown` where it says nothing.
    """
    picture = placed.picture
    items = item_labels(picture.truth)
    category = "positive" if items else "negative" if picture.truth.annotated else "unknown"
    for record in qwen_finetune_records(placed, run, grouped):
        yield {
            "image_id": image_id(picture.key, picture.truth),
            placed.medium: placed.path_or_paths,
            f"{placed.medium}_path": placed.path_or_paths,
            "conversations": record["conversations"],
            "ground_truth": {"category": category, "items": items},
        }


def qwen_finetune_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield `image` (or `video`) and `conversations` alone (QwenLM/Qwen3-VL, qwen-vl-finetune/README.md).

    Several pictures are a list, with a tag for each.
    """
    shown = len(placed.paths)
    for turns in conversations(placed.picture.pairs, grouped=grouped, medium=placed.medium, shown=shown):
        yield {placed.medium: placed.path_or_paths, "conversations": turns}
