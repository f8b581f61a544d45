"""The processes that open pictures for a trainer end with it, and their end is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tests.process.test_training_supervisor import is_running
from tests.training.conftest import training_folder
from vqa_tui.domain.training_events import Ended, events

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
    while is_running(worker):
        if time.monotonic() > deadline:
            os.kill(worker, signal.SIGKILL)
            raise AssertionError("the worker waits for a trainer that is gone")
        time.sleep(0.05)


_KILLED_WHILE_TOLD = """
import contextlib
import os
import signal
import sys
import time
from multiprocessing.queues import Queue
from pathlib import Path

from vqa_tui.training import __main__ as program, batches
from vqa_tui.training.row_trainer import RowTrainer

folder = Path(sys.argv[1]).parent
trainer, made, learn, words = os.getpid(), [], RowTrainer.compute_loss, program.in_words
sent_by, put = [], Queue.put


def put_and_note(self, *arguments, **named):
    sent_by.append(self)
    return put(self, *arguments, **named)


def wait_for(fact):
    until = time.monotonic() + 60
    while not fact() and time.monotonic() < until:
        time.sleep(0.01)


def make_three_and_die(self, numbers):
    if os.getpid() != trainer:
        made.append(numbers)
        if len(made) == 4:
            wait_for((folder / "learning").exists)
            wait_for(lambda: sent_by[-1]._reader.poll())  # the third batch is on its way
            os.closerange(3, 4_096)  # as the kernel does it: first the files, then the word to the parent
            (folder / "closed").touch()
            wait_for((folder / "telling").exists)
            os.kill(os.getpid(), signal.SIGKILL)
    return batch(self, numbers)


def learn_when_closed(self, *arguments, **named):
    (folder / "learning").touch()
    wait_for((folder / "closed").exists)
    return learn(self, *arguments, **named)


def tell(error):
    (folder / "telling").touch()
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    return words(error)


batches._SMALL_BYTES = 0  # all goes through shared memory, which is fetched from who made it
batch, batches.Batcher._batch = batches.Batcher._batch, make_three_and_die
RowTrainer.compute_loss = learn_when_closed
program.in_words = tell
Queue.put = put_and_note
sys.exit(program.main([sys.argv[1]]))
"""


def test_a_worker_that_dies_while_its_lack_is_told_breaks_nothing_off(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=50, held_out=0)
    command = [sys.executable, "-P", "-c", _KILLED_WHILE_TOLD, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S * 3)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and ("EOFError" in said or "Connection" in said), said
    told = list(events((tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()))
    assert isinstance(told[-1], Ended), said
    assert "a process that makes batches was ended from outside" in told[-1].reason
