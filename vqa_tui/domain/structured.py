"""The structured list: an answer that is itself JSON, and the fixed question that asks for it."""

import json
from typing import Any

STRUCTURED_TYPE = "structured_list"
STRUCTURED_QUESTION = "List all items detected in this X-ray scan in JSON format."


def structured_names(answer: str) -> list[str] | None:
    """Return the item names of a structured answer, or None when it is not JSON of the shape asked for.

    The shape is a list of objects that have a `name`, or an object that holds one under `items`, with a `total_count`
    that agrees where there is one.
    """
    try:
        value: Any = json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    items = value.get("items") if isinstance(value, dict) else value
    if not isinstance(items, list):
        return None
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    if isinstance(value, dict) and value.get("total_count", len(items)) != len(items):
        return None
    texts = [name for name in names if isinstance(name, str) and name.strip()]
    return texts if len(texts) == len(names) else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
