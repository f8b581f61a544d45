"""One row of training data as the trainer reads it, whatever export it came from; one line of JSON each."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says: texts, and numbers of pictures (from 0) where they stand between them."""

    role: str
    """`system`, `user` or `assistant`."""
    parts: tuple[str | int, ...]

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A conversation about no, one or several pictures; it ends with an assistant's turn."""

    id: int
    """From 0, in the order of the data; metrics name rows by it."""
    key: str
    """What it is called in the data: the file of its first picture, as a rule."""
    turns: tuple[Turn, ...]
    pictures: tuple[str, ...] = ()
    """Absolute paths."""
    kind: str = ""
    """Question type of its last pair; empty where the data tells none."""
    categories: tuple[str, ...] = ()
    """Of its picture: what the dataset says of it, or the labels of its boxes. Known where it was made of a run."""
    pairs: tuple[int, ...] = ()
    """Ids of the question-answer pairs in the workspace (the store's table `sample`) that say what this row says about
    its picture: one, or several where the same was stored twice. Empty where it was not made of a run."""

    def as_json(self) -> str:
        """Return one line, without its end."""
        value = {
            "id": self.id,
            "key": self.key,
            "turns": [{"role": turn.role, "parts": turn.parts} for turn in self.turns],
            "pictures": self.pictures,
            "kind": self.kind,
            "categories": self.categories,
            "pairs": self.pairs,
        }
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def of_json(cls, line: str) -> "TrainingRow":
        """Return the row that `as_json` wrote. Raises ValueError for anything else."""
        try:
            value: dict[str, Any] = json.loads(line)
            return cls(
                id=int(value["id"]),
                key=str(value["key"]),
                turns=tuple(Turn(str(turn["role"]), tuple(turn["parts"])) for turn in value["turns"]),
                pictures=tuple(map(str, value["pictures"])),
                kind=str(value["kind"]),
                categories=tuple(map(str, value["categories"])),
                pairs=tuple(map(int, value["pairs"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a row of training data: {error}") from error
