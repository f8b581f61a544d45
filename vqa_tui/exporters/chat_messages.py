"""Records of chat `messages`: LLaMA-Factory's ShareGPT, TRL, Unsloth and OpenAI fine-tuning."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPair
from vqa_tui.exporters.media_tags import IMAGE_TAG, neutralised
from vqa_tui.exporters.placed import PlacedPicture

Message = dict[str, Any]


def sharegpt_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield `messages` of plain text with an `<image>` tag for each of `images` (LLaMA-Factory, data/README.md)."""
    tags = f"{IMAGE_TAG}\n" * len(placed.paths)
    for pairs in _groups(placed, grouped):
        messages = _messages(pairs, lambda text, is_first: f"{tags}{text}" if is_first else text, lambda text: text)
        yield {"messages": messages, "images": list(placed.paths)}


def trl_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield `images` and `messages` of content lists, whose `{"type": "image"}` stands for the next of `images`.

    TRL, docs/source/dataset_formats.md, "Vision datasets": a tag in the text would stand for nothing.
    """
    for pairs in _groups(placed, grouped):
        parts: list[Message] = [{"type": "image"} for _ in placed.paths]
        yield {"images": list(placed.paths), "messages": _part_messages(pairs, parts)}


def unsloth_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield `messages` of content lists in which each image part names a file (unsloth_zoo, vision_utils)."""
    for pairs in _groups(placed, grouped):
        yield {"messages": _part_messages(pairs, [{"type": "image", "image": path} for path in placed.paths])}


def openai_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield `messages` as chat completions take them: the pictures as data URIs, answers as plain text."""
    pictures = [{"type": "image_url", "image_url": {"url": path}} for path in placed.paths]
    for pairs in _groups(placed, grouped):
        yield {
            "messages": _messages(
                pairs,
                lambda text, is_first: [*(pictures if is_first else []), {"type": "text", "text": text}],
                lambda text: text,
            )
        }


def _part_messages(pairs: Sequence[ExportPair], pictures: list[Message]) -> list[Message]:
    return _messages(
        pairs,
        lambda text, is_first: [*(pictures if is_first else []), {"type": "text", "text": text}],
        lambda text: [{"type": "text", "text": text}],
    )


def _groups(placed: PlacedPicture, grouped: bool) -> list[Sequence[ExportPair]]:
    pairs = placed.picture.pairs
    return [pairs] if grouped else [[pair] for pair in pairs]


def _messages(
    pairs: Sequence[ExportPair], question: Callable[[str, bool], Any], answer: Callable[[str], Any]
) -> list[Message]:
    messages: list[Message] = []
    for index, pair in enumerate(pairs):
        messages.append({"role": "user", "content": question(neutralised(pair.question), index == 0)})
        messages.append({"role": "assistant", "content": answer(neutralised(pair.answer))})
    return messages
