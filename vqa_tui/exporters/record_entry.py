"""One record of a training file as it was read."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, or why there is none. `number` is a line of JSON Lines or of a table, or an entry, from 1."""

    number: int
    record: dict[str, Any] | None
    problem: str = ""
    breaks_off: bool = False
    """Whether what follows cannot be read either, or is not there: the file is cut."""
