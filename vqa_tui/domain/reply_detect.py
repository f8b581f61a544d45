"""Reading PaliGemma's detections: `<loc0100><loc0200><loc0500><loc0600> battery ; …`.

Four tokens stand for top, left, bottom and right, each in 1/1024 of the picture's height or width; then comes what was
found. `<seg…>` tokens of a mask, which stand behind the box, are passed over.
"""

import json
import re

from vqa_tui.domain.reply_text import ReadReply, UnreadableReply, after_reasoning, storable
from vqa_tui.domain.sample import Pair

LOCATIONS = 1024
"""Steps along each side of a picture."""
_FOUND = re.compile(
    r"<loc(\d{4})>\s*<loc(\d{4})>\s*<loc(\d{4})>\s*<loc(\d{4})>(?:\s*<seg\d{3}>)*[ \t]*([^<;\n]*+)(?=[;<\n]|\Z)"
)


def read_detections(text: str, question: str, *, width: int, height: int, cut: bool = False) -> ReadReply:
    """Return the boxes as the answer to `question`: a JSON list of `{"bbox_2d": [left, top, right, bottom], "label"}`.

    Pixels are those of the upright picture of `width` × `height`, whole and inside it; the keys are those with which
    Qwen2.5-VL is trained to ground things. `cut` says that the reply was truncated: what was named last may lack
    letters, and is left out. Raises UnreadableReply when no box is whole, has an area and says what it holds.
    """
    boxes = []
    rest = after_reasoning(text)
    for found in _FOUND.finditer(rest):
        top, left, bottom, right = (min(int(found[side]), LOCATIONS) / LOCATIONS for side in range(1, 5))
        box = [round(left * width), round(top * height), round(right * width), round(bottom * height)]
        label = " ".join(found[5].split())
        is_last = not rest[found.end() :].strip()
        if label and box[2] > box[0] and box[3] > box[1] and not (cut and is_last):
            boxes.append({"bbox_2d": box, "label": storable(label)})
    if not boxes:
        raise UnreadableReply(_why(text))
    return ReadReply((Pair(question, json.dumps(boxes, ensure_ascii=False)),), cut=cut)


def detection_places(text: str) -> tuple[tuple[int, int], ...]:
    """Return where the detections stand in the reply, in order: start and end in characters."""
    rest = after_reasoning(text)
    before = len(text) - len(rest)
    return tuple((before + found.start(), before + found.end()) for found in _FOUND.finditer(rest))


def _why(text: str) -> str:
    if not text.strip():
        return "the reply is empty"
    return "the reply holds no box: four location tokens and a name behind them"
