"""What a person changed for one picture when asking it again, and for this one alone."""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from vqa_tui.domain.run import ORIGINAL_SIZE

MOST_TOKENS = 1_000_000
"""More output than any model gives; a mistyped number must not set aside a fortune."""

Side = Annotated[int, Field(ge=16, le=100_000)] | Literal["original"]
"""A longest side in pixels, or the picture as it is."""


@dataclass(frozen=True, slots=True)
class TaskChanges:
    """Instead of what recipe and limits say; None changes nothing. They hold until the picture is done."""

    max_tokens: int | None = None
    max_side: Side | None = None

    def __bool__(self) -> bool:
        return self.max_tokens is not None or self.max_side is not None

    def side(self, otherwise: int | None) -> int | None:
        """Return the longest side in pixels at which the picture is sent; None is as it is."""
        if self.max_side is None:
            return otherwise
        return None if self.max_side == ORIGINAL_SIZE else self.max_side

    def on_top_of(self, before: "TaskChanges") -> "TaskChanges":
        """Return these changes, and those of `before` that they leave alone."""
        return TaskChanges(
            before.max_tokens if self.max_tokens is None else self.max_tokens,
            before.max_side if self.max_side is None else self.max_side,
        )

    @property
    def in_words(self) -> str:
        """The changes as `max_tokens 4000, longest side 512 px`; empty where there is none."""
        words = [] if self.max_tokens is None else [f"max_tokens {self.max_tokens}"]
        if self.max_side is not None:
            side = f"{self.max_side} px" if isinstance(self.max_side, int) else self.max_side
            words.append(f"longest side {side}")
        return ", ".join(words)

    def as_json(self) -> str:
        """Return canonical JSON that names only what is changed: `{}` for nothing."""
        named = {"max_side": self.max_side, "max_tokens": self.max_tokens}
        changed = {name: value for name, value in named.items() if value is not None}
        return json.dumps(changed, sort_keys=True, separators=(",", ":"))


UNCHANGED = TaskChanges()


def changes_of(stored: str) -> TaskChanges:
    """Return what `as_json` wrote; what this version does not know changes nothing."""
    if stored == "{}":
        return UNCHANGED
    found = json.loads(stored)
    return TaskChanges(found.get("max_tokens"), found.get("max_side"))
