"""Which rows, and how many tokens, were learned from since the last report."""

import torch


class Learned:
    """Counts batches of one process."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._tokens = 0

    def add(self, rows: list[int], tokens: int) -> None:
        self._rows.extend(rows)
        self._tokens += tokens

    def take(self) -> tuple[tuple[int, ...], int]:
        """Return row ids of this process and tokens of all processes since the last call; all processes call it."""
        rows, tokens = tuple(self._rows), self._tokens
        self._rows, self._tokens = [], 0
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
            total = torch.tensor([tokens], device=device)
            torch.distributed.all_reduce(total)
            tokens = int(total.item())
        return rows, tokens
