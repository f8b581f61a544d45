"""Trainings as people start them, and everything that may die under them: terminal, trainer, supervisor."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.process.test_training_supervisor import is_running, stat_of
from tests.training.conftest import draw
from vqa_tui.domain.training_events import Ended, Event, LeftOut, Started, Stepped, events, last_event

pytestmark = pytest.mark.training
PATIENCE_S = 240.0
MANY = ("--set", "max_steps=100000", "--set", "save_every=5", "--set", "samples=0", "--set", "validation=0")


class Place:
    """A workspace with an export of sixteen pictures, and the command line as a program of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "shapes.jsonl"
        records = []
        for number in range(16):
            said = draw(folder / f"{number}.png", number)
            turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": said}]
            records.append({"id": str(number), "image": f"{number}.png", "conversations": turns})
        self.data.write_text("".join(json.dumps(each) + "\n" for each in records), "utf-8")

    def popen(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "vqa_tui", *words, "--workspace", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            start_new_session=True,
        )

    def type(self, *words: str, expect: int = 0) -> str:
        process = self.popen(*words)
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == expect, said
        return said

    def start(self, *words: str) -> None:
        self.type("train", "start", "train_tiny", "--data", str(self.data), "--detach", *words)

    def shown(self, number: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.type("train", "show", str(number), "--json"))
        return found

    def told(self, number: int = 1) -> list[Event]:
        path = self.folder / ".vqa" / "trainings" / str(number) / "metrics.jsonl"
        return list(events(path.read_text("utf-8").splitlines())) if path.exists() else []

    def has_checkpoint(self, number: int = 1) -> bool:
        checkpoints = self.folder / ".vqa" / "trainings" / str(number) / "checkpoints"
        return bool(list(checkpoints.glob("checkpoint-*/trainer_state.json")))

    def wait(self, what: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < deadline, self.type("train", "log", "1")
            time.sleep(0.1)

    def wait_until_gone(self, number: int = 1) -> None:
        self.wait(lambda: not self.shown(number)["at_work"])

    def is_stepping(self, number: int = 1) -> bool:
        told = self.told(number)
        return bool(told) and isinstance(told[-1], Stepped)

    def last_step(self, number: int = 1) -> int:
        stepped = last_event(self.told(number), Stepped)
        assert stepped is not None
        return stepped.step

    def trainer(self, number: int = 1) -> int:
        with closing(sqlite3.connect(self.folder / ".vqa" / "vqa.db")) as database:
            return int(
                database.execute("SELECT pid FROM training_state WHERE training_id = ?", (number,)).fetchone()[0]
            )

    def supervisor(self, number: int = 1) -> int:
        """The parent of the trainer."""
        return int(Path(f"/proc/{self.trainer(number)}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    if not (tmp_path / ".vqa" / "vqa.db").exists():
        return
    for each in json.loads(made.type("train", "list", "--json")):
        if each["at_work"]:
            made.type("train", "cancel", str(each["id"]))
            made.wait_until_gone(each["id"])


def test_a_closed_terminal_and_a_killed_trainer(place: Place) -> None:
    """The face that started it is killed: it works on and is found again. The trainer is killed: it says so, and goes
    on from its newest checkpoint. A corrupt picture is left out."""
    (place.folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    face = place.popen("train", "start", "train_tiny", "--data", str(place.data), *MANY)
    place.wait(place.has_checkpoint)
    os.killpg(face.pid, signal.SIGHUP)
    with suppress(ProcessLookupError):
        os.killpg(face.pid, signal.SIGKILL)
    face.communicate()
    steps = len(place.told())
    place.wait(lambda: len(place.told()) > steps + 3)
    found = place.shown()
    assert found["at_work"] and found["phase"] == "training" and found["total_steps"] == 100_000

    os.kill(place.trainer(), signal.SIGKILL)
    place.wait_until_gone()
    found = place.shown()
    assert found["phase"] == "failed" and "killed by SIGKILL" in found["reason"] and "resume" in found["reason"]
    assert "failed" in place.type("train", "list")

    place.type("train", "resume", "1")
    place.wait(lambda: len([each for each in place.told() if isinstance(each, Started)]) == 2)
    place.wait(place.is_stepping)
    again = [each for each in place.told() if isinstance(each, Started)][-1]
    assert again.first_step >= 5 and again.first_step % 5 == 0
    place.type("train", "stop", "1")
    place.wait_until_gone()
    assert place.shown()["phase"] == "stopped"
    assert {each.row for each in place.told() if isinstance(each, LeftOut)} == {3}


def test_a_killed_supervisor(place: Place) -> None:
    """The trainer goes on, hears a stop, and what became of it is settled by a resume; the next one is cancelled."""
    place.start(*MANY)
    place.wait(place.has_checkpoint)
    os.kill(place.supervisor(), signal.SIGKILL)
    steps = len(place.told())
    place.wait(lambda: len(place.told()) > steps + 3)
    assert place.shown()["at_work"]
    assert "at work" in place.type("train", "resume", "1", expect=2)

    place.type("train", "stop", "1")
    place.wait_until_gone()
    found = place.shown()
    assert found["is_lost"] and found["end"]["phase"] == "stopped"
    assert found["step"] == found["end"]["step"] == place.last_step()

    place.type("train", "resume", "1")
    place.wait(place.is_stepping)
    again = [each for each in place.told() if isinstance(each, Started)][-1]
    assert again.first_step == found["end"]["step"]

    trainer = place.trainer()
    os.kill(place.supervisor(), signal.SIGKILL)
    place.type("train", "cancel", "1")
    found = place.shown()
    assert (found["phase"], found["at_work"]) == ("cancelled", False)
    assert found["step"] == place.last_step()
    # Its new parent collects it a moment later.
    place.wait(lambda: not is_running(trainer))


def test_two_processes_learn_as_one_does_and_stop_together(place: Place) -> None:
    """The same sixteen rows, four a step: by one process, and by two that take two each. Rows are told of both."""
    (place.folder / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    six, quick = ("--set", "max_steps=6"), ("--set", "samples=0", "--set", "validation=0")
    two = (*quick, "--set", "batch_size=2", "--set", "launch.program=accelerate", "--set", "launch.processes=2")
    place.start(*quick, *six)
    place.wait(lambda: any(isinstance(each, Ended) for each in place.told()))
    place.start(*two, *six)
    place.wait(lambda: any(isinstance(each, Ended) for each in place.told(2)))
    assert "torch.distributed.run" in place.type("train", "log", "2")
    alone, together = (
        {each.step: each.loss for each in place.told(number) if isinstance(each, Stepped)} for number in (1, 2)
    )
    assert list(alone) == [1, 2, 3, 4, 5, 6]
    assert together == {step: pytest.approx(loss, abs=1e-3) for step, loss in alone.items()}
    rows = [[each.rows for each in place.told(number) if isinstance(each, Stepped)] for number in (1, 2)]
    assert [sorted(each) for each in rows[0]] == [sorted(each) for each in rows[1]]
    assert [each.row for each in place.told(2) if isinstance(each, LeftOut)] == [3]

    place.start(*two, "--set", "max_steps=100000")
    place.wait(lambda: place.is_stepping(3))
    place.type("train", "stop", "3")
    place.wait_until_gone(3)
    found = place.shown(3)
    assert found["phase"] == "stopped" and found["checkpoints"][-1]["step"] == found["end"]["step"]


def test_a_killed_launcher_takes_its_workers_along(place: Place) -> None:
    place.start(*MANY, "--set", "batch_size=2", "--set", "launch.program=torchrun", "--set", "launch.processes=2")
    place.wait(place.is_stepping)
    launcher = place.trainer()
    workers = children_of(launcher)
    assert len(workers) == 2
    os.kill(launcher, signal.SIGKILL)
    place.wait_until_gone()
    assert place.shown()["phase"] == "failed"
    place.wait(lambda: not any(map(is_running, workers)))


def test_a_killed_worker_is_told_and_not_what_its_neighbour_makes_of_it(place: Place) -> None:
    """The neighbour says that a connection broke, and the launcher ends with 1."""
    place.start(*MANY, "--set", "batch_size=2", "--set", "launch.program=torchrun", "--set", "launch.processes=2")
    place.wait(place.is_stepping)
    os.kill(children_of(place.trainer())[1], signal.SIGKILL)
    place.wait_until_gone()
    found = place.shown()
    assert found["phase"] == "failed" and "a process of the training was killed by SIGKILL" in found["reason"]
    assert "memory" in found["reason"]


def children_of(pid: int) -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if stat_of(path)[1:2] == [str(pid)]]
