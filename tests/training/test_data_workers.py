"""The processes that open pictures for a trainer end with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the trainer opens its pictures itself"),
]
_PATIENCE_S = 60.0
_TRAINER = """
import time
from types import SimpleNamespace

import torch
from torch.utils.data import DataLoader

from vqa_tui.training import batches

rows = [SimpleNamespace(id=number, key=str(number)) for number in range(1_000)]
# Two batches are more than a pipe holds, and each tensor is small enough to go through it.
batches.collate = lambda encoded, pad_id: {name: torch.zeros(7_000, dtype=torch.int64) for name in ("ids", "labels")}
batcher = batches.Batcher(rows, SimpleNamespace(encode=lambda row: row, pad_id=0))
taken = iter(DataLoader(range(len(rows)), collate_fn=batcher, num_workers=1, batch_size=4,
                  multiprocessing_context="fork"))
next(taken)
print(taken._workers[0].pid, flush=True)
time.sleep(600)
"""


def test_a_worker_with_a_batch_that_nobody_takes_ends_with_its_trainer() -> None:
    with subprocess.Popen([sys.executable, "-c", _TRAINER], stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdout is not None
        worker = int(trainer.stdout.readline())
        trainer.kill()
    deadline = time.monotonic() + _PATIENCE_S
    while Path(f"/proc/{worker}").exists():
        if time.monotonic() > deadline:
            os.kill(worker, signal.SIGKILL)
            raise AssertionError("the worker waits for a trainer that is gone")
        time.sleep(0.05)
