"""Which rows, and how many tokens, were learned from since the last report, and which rows were left out."""

from dataclasses import dataclass

from vqa_tui.training.together import gathered

Refusal = tuple[int, str, str]
"""Id and key of a row that cannot be learned from, and why."""


@dataclass(frozen=True, slots=True)
class Batches:
    """What the batches held that were taken since the last report, over all processes."""

    rows: tuple[int, ...]
    tokens: int
    refused: tuple[Refusal, ...]
    """Each row once in a training."""


class Learned:
    """Counts batches of this process."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._tokens = 0
        self._refused: list[Refusal] = []
        self._told: set[str] = set()

    def add(self, rows: list[int], tokens: int) -> None:
        """Count a batch that is learned from."""
        self._rows.extend(rows)
        self._tokens += tokens

    def refuse(self, refused: list[Refusal]) -> None:
        """Note rows that were left out."""
        self._refused.extend(refused)

    def take(self) -> Batches:
        """Return what came since the last call; all processes call it."""
        rows, tokens, refused = zip(*gathered((self._rows, self._tokens, self._refused)), strict=True)
        self._rows, self._tokens, self._refused = [], 0, []
        return Batches(tuple(row for each in rows for row in each), sum(tokens), self._untold(refused))

    def take_refused(self) -> tuple[Refusal, ...]:
        """Return the rows alone that were left out since the last call; all processes call it."""
        refused = gathered(self._refused)
        self._refused = []
        return self._untold(refused)

    def _untold(self, refused: "tuple[list[Refusal], ...]") -> tuple[Refusal, ...]:
        found = {each[1]: each for some in refused for each in some if each[1] not in self._told}
        self._told.update(found)
        return tuple(found.values())
