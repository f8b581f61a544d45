"""Batches of rows for the trainer; a row that cannot be learned from gives its place to the next that can."""

from typing import Any

import torch
from torch.utils.data import Dataset

from vqa_tui.training.encoding import RowEncoder, RowRefused, collate
from vqa_tui.training.rows import RowFile
from vqa_tui.training.trouble import TrainingTrouble

ROW_IDS, REFUSED = "row_ids", "refused_rows"
"""What a batch holds beside the model's inputs: ids of its rows, and (number, key, reason) of those left out."""
_MOST_TRIES = 64


class Numbers(Dataset):  # type: ignore[misc]  # untyped base
    """The numbers of the rows; they are read when a batch is made of them."""

    def __init__(self, rows: RowFile) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> int:
        return number


class Batcher:
    """Makes a batch of row numbers."""

    def __init__(self, rows: RowFile, encoder: RowEncoder) -> None:
        self._rows = rows
        self._encoder = encoder

    def __call__(self, numbers: list[int]) -> dict[str, Any]:
        """Raises TrainingTrouble where no row near one that is left out can be learned from."""
        encoded, ids, refused = [], [], []
        for number in numbers:
            for tried in range(_MOST_TRIES):
                row = self._rows[(number + tried) % len(self._rows)]
                try:
                    encoded.append(self._encoder.encode(row))
                except RowRefused as reason:
                    refused.append((row.id, row.key, str(reason)))
                    continue
                ids.append(row.id)
                break
            else:
                raise TrainingTrouble(
                    f"{_MOST_TRIES} rows in a row cannot be learned from; the last: {refused[-1][1]}: {refused[-1][2]}",
                    "`vqa-tui validate FILE` says what is wrong with the data.",
                )
        return {**collate(encoded, self._encoder.pad_id), ROW_IDS: torch.tensor(ids), REFUSED: refused}
