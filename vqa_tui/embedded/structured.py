"""The structured list: a question whose answer is itself JSON."""

import json

from vqa_tui.domain.structured import STRUCTURED_QUESTION
from vqa_tui.embedded.scene import Scene, area

STRUCTURED_QUESTIONS = (
    STRUCTURED_QUESTION,
    "Give the items of this X-ray scan as a JSON list.",
    "Which items does this X-ray scan hold? Answer in JSON format.",
    "Return the content of this X-ray scan as JSON.",
)
"""The fixed question first; the others serve when one reply must hold several."""


def structured_answer(scene: Scene) -> str:
    """Return the JSON text `{"items": [{name, confidence, location}], "total_count", "has_concealed_items"}`.

    Items are exactly the stated ones. The confidence says how sure an answer drawn from annotations can be: 0.9 to 0.99
    with a box, the larger its share of all boxes the surer, and 0.85 without one.
    """
    whole = sum(map(area, scene.items)) or 1.0
    items = [
        {
            "name": item.label,
            "confidence": round(0.9 + 0.09 * area(item) / whole, 2) if item.box else 0.85,
            "location": item.word,
        }
        for item in scene.items
    ]
    answer = {"items": items, "total_count": scene.total, "has_concealed_items": scene.has_concealed_items}
    return json.dumps(answer, ensure_ascii=False)
