"""The app that started a real training is killed: the training works on, and the next app shows it."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.e2e.terminal import Terminal
from tests.training.test_faults import Place, place

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("stty") is None, reason="needs a pseudo-terminal"),
]
__all__ = ["place"]
_ESCAPE, _START = "\x1b", "\x13"


def test_a_killed_app_leaves_its_training_at_work(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    tiny = yaml.safe_load((Path(__file__).parents[2] / "configs" / "train_tiny.yaml").read_text("utf-8"))
    mine = {
        **tiny,
        "name": "train_mine",
        "description": "mine learns without end",
        "data": "shapes.jsonl",
        "max_steps": 100_000,
    }
    (place.folder / "trainings").mkdir()
    (place.folder / "trainings" / "train_mine.yaml").write_text(yaml.safe_dump({**mine, "samples": 0}), "utf-8")
    with Terminal([], columns=100, rows=30) as terminal:
        terminal.until("Welcome")
        terminal.press(_ESCAPE)
        terminal.until("No run yet", without=["Welcome"])
        terminal.press("6")
        terminal.until("› training")
        terminal.press("n")
        terminal.until("New training")
        terminal.until("mine learns without end", "what the configuration names")
        terminal.press(_START)
        terminal.until("● training", without=["New training"])
        place.wait(place.is_stepping)
        os.kill(terminal.pid, signal.SIGKILL)
    before = len(place.told())
    place.wait(lambda: len(place.told()) > before + 3)
    assert place.shown()["at_work"]
    with Terminal([], columns=100, rows=30) as terminal:
        terminal.until("No run yet", without=["Welcome"])
        terminal.press("6")
        terminal.until("● training", "of 100 000")
        terminal.press("X")
        terminal.until("Cancel this training?")
        terminal.press("y")
        terminal.until("cancelled")
    assert not place.shown()["at_work"]
