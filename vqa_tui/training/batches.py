"""Batches of rows for the trainer; a row that cannot be learned from gives its place to the next that can."""

import contextlib
import os
from typing import Any

import numpy
import torch
from torch.utils.data import Dataset, get_worker_info

from vqa_tui.training.encoding import RowEncoder, RowRefused, collate
from vqa_tui.training.launcher import die_with
from vqa_tui.training.rows import RowFile
from vqa_tui.training.trouble import TrainingTrouble

ROW_IDS, REFUSED = "row_ids", "refused_rows"
"""What a batch holds beside the model's inputs: ids of its rows, and (number, key, reason) of those left out."""
TROUBLE = "trouble"
"""All that a batch holds which could not be made: its TrainingTrouble."""
_MOST_TRIES = 64
_SMALL_BYTES = 64 * 1024
"""Up to this a tensor goes from process to process faster as an array: PyTorch opens a file for each tensor."""


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
        self._made_by = os.getpid()
        self._is_tied = False

    def __call__(self, numbers: list[int]) -> dict[str, Any]:
        """Return the batch, or its trouble, where no row near one that is left out can be learned from.

        It may be made in another process, out of which PyTorch brings no exception whole.
        """
        if get_worker_info() is not None and not self._is_tied:
            # With a batch in the pipe that a killed trainer does not take any more, a worker would wait for ever.
            die_with(self._made_by)
            self._is_tied = True
        try:
            return self._batch(numbers)
        except TrainingTrouble as trouble:
            return {TROUBLE: trouble}

    def _batch(self, numbers: list[int]) -> dict[str, Any]:
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
        batch = collate(encoded, self._encoder.pad_id)
        if get_worker_info() is not None:
            batch = {name: _on_its_way(value) for name, value in batch.items()}
        return {**batch, ROW_IDS: ids, REFUSED: refused}


def _on_its_way(value: torch.Tensor) -> Any:
    """Return a tensor as it goes to another process: in shared memory, or as an array through a pipe where it is small
    or finds no room there (64 MB are a container's default)."""
    if value.nbytes > _SMALL_BYTES:
        with contextlib.suppress(RuntimeError):
            return value.share_memory_()
    return value.numpy()


def inputs_of(batch: dict[str, Any], device: Any) -> dict[str, Any]:
    """Return what the model takes of a batch, all of it tensors on `device`."""
    return {
        name: torch.from_numpy(value).to(device) if isinstance(value, numpy.ndarray) else value
        for name, value in batch.items()
        if name not in (ROW_IDS, REFUSED)
    }
