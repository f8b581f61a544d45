"""Values of ours as JSON: faithful to the stored text, pure ASCII, money as numbers of dollars."""

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:
    """Return dataclasses, models, enums, paths and decimals as what JSON knows.

    Dollars are kept to a billionth, as the store holds them; a number that is not finite becomes null.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return round(float(value), 9)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if (dump := getattr(value, "model_dump", None)) is not None:
        return plain(dump())
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, Iterable):
        return [plain(inner) for inner in value]
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def as_json(document: Any, *, indent: int | None = None) -> str:
    """Return a document as JSON, with everything escaped but printable ASCII, so that no terminal is led astray."""
    # JSON allows DEL (0x7f) to stand bare inside strings, which is the only place where it can occur.
    return json.dumps(plain(document), indent=indent, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")
