"""Media tags in training text: counted by trainers, and therefore never let in from a model's reply."""

import re

IMAGE_TAG = "<image>"

_TAG = re.compile(r"<(image|video|audio)>", re.IGNORECASE)
_SPECIAL_TOKEN = re.compile(r"<\|([\w▁]+)\|>|<((?:start|end)_of_(?:turn|image)|image_soft_token|bos|eos|/s)>")
"""Of Qwen and Llama 3; of Gemma, and of Llama 2, on which LLaVA is built."""


def neutralised(text: str) -> str:
    """Return `text` with `<image>`, `<video>` and `<audio>` in square brackets, and `<|im_end|>` or `</s>` likewise.

    Trainers match tags with pictures by counting (Qwen-VL refuses a record whose count is off), and chat
    templates end a turn at a special token. Brackets in place of the signs cannot form a new tag with what stands
    around them, which removing could: `<im<image>age>`.
    """
    return _SPECIAL_TOKEN.sub(lambda found: f"[{found[1] or found[2]}]", _TAG.sub(r"[\1]", text))


def special_token(text: str) -> str:
    """Return the first special token of a chat template (`<|im_end|>`) in `text`, or ''."""
    found = _SPECIAL_TOKEN.search(text)
    return found.group() if found else ""


def tag_count(text: str, medium: str = "image") -> int:
    """Return how often `<medium>` stands in `text`, spelled as trainers look for it."""
    return text.count(f"<{medium}>")
