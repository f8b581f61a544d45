"""Conversations in the form that LLaVA brought in: turns from `human` and `gpt`, the picture as a tag in the first."""

from collections.abc import Sequence
from typing import Any

from vqa_tui.domain.export import ExportPair
from vqa_tui.domain.item import GroundTruth
from vqa_tui.exporters.media_tags import neutralised


def conversation(pairs: Sequence[ExportPair], medium: str = "image", shown: int = 1) -> list[dict[str, str]]:
    """Return two turns for each pair. Only the first human turn carries tags: one for each of `shown` pictures."""
    turns = []
    tags = f"<{medium}>\n" * shown
    for index, pair in enumerate(pairs):
        question = neutralised(pair.question)
        turns.append({"from": "human", "value": question if index else f"{tags}{question}"})
        turns.append({"from": "gpt", "value": neutralised(pair.answer)})
    return turns


def conversations(
    pairs: Sequence[ExportPair], *, grouped: bool, medium: str = "image", shown: int = 1
) -> list[list[dict[str, str]]]:
    """Return one conversation with all pairs of an item of `shown` pictures, or one for each pair."""
    if grouped:
        return [conversation(pairs, medium, shown)]
    return [conversation([pair], medium, shown) for pair in pairs]


def image_id(key: str, truth: GroundTruth) -> Any:
    """Return the id that the dataset itself gave the picture, else its key."""
    return truth.extra.get("image_id", key)


def item_labels(truth: GroundTruth) -> list[str]:
    """Return the distinct categories of a picture; where there are none, the labels of its boxes."""
    return list(dict.fromkeys(truth.categories or (box.label for box in truth.boxes)))
