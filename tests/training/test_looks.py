"""Looks at held-out rows: how many they take, what a broken one costs, and what they say of checkpoints."""

import json
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from transformers import TrainerControl, TrainerState

from tests.training.conftest import training_folder
from tests.training.test_trainer import end, losses, start, told, train, wait_for
from vqa_tui.domain.training_events import LeftOut, Looked, Saved, Stepped, checkpoints, events
from vqa_tui.training import reporting
from vqa_tui.training.checkpoints import newest_checkpoint
from vqa_tui.training.event_log import EventLog
from vqa_tui.training.gauges import Gauges
from vqa_tui.training.learned import Learned
from vqa_tui.training.rows import spread

pytestmark = pytest.mark.training
BROKEN = b"\x89PNG\r\n\x1a\n broken"


def test_rows_are_spread_over_the_file() -> None:
    assert spread(10, 4) == [0, 2, 5, 7]
    assert spread(3, 4) == spread(3, None) == [0, 1, 2]
    assert spread(0, 4) == []


def test_a_look_takes_some_rows_and_tells_the_checkpoint_before_it_how_good_it_is(tmp_path: Path) -> None:
    """Of eight held-out rows it takes the first, third, fifth and seventh."""
    config = training_folder(tmp_path, held_out=8, eval_rows=4, samples=0, max_steps=4, save_every=1, keep=1)
    for number in (13, 14, 15):
        (tmp_path / f"{number}.png").write_bytes(BROKEN)
    status, said, found = train(config)
    assert status == 0 and "8 held out (4 at each look)" in said, said
    assert {each.row for each in found if isinstance(each, LeftOut)} == {14, 15}, "15 was to stand in for 14"
    kinds = [type(each) for each in found if isinstance(each, Saved | Looked)]
    assert kinds == [Saved, Looked] * 4
    saved = checkpoints(found)
    assert all(each.loss is not None and each.seconds > 0 for each in saved)
    best = min(saved, key=lambda each: each.loss or 0.0).step
    kept = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert kept == {"checkpoint-4", f"checkpoint-{best}"}
    state = json.loads((tmp_path / "checkpoints" / "checkpoint-4" / "trainer_state.json").read_text("utf-8"))
    assert state["best_global_step"] == best and Path(state["best_model_checkpoint"]).name == f"checkpoint-{best}"
    assert state["log_history"][-1]["step"] == 4 and "eval_loss" in state["log_history"][-1]


def test_the_time_of_a_look_is_not_that_of_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of 12 s that are told together, and a look of ten minutes between them."""
    clock = 100.0
    monkeypatch.setattr(time, "perf_counter", lambda: clock)
    log = EventLog(tmp_path / "metrics.jsonl", writes=True)
    reporter = reporting.Reporter(tmp_path, log, Learned(), Gauges("cpu"))
    state, control = TrainerState(global_step=2, max_steps=9), TrainerControl()
    reporter.on_step_begin(None, state, control)
    clock += 12 + 600
    reporter.paused(600.0)
    reporter.on_step_begin(None, state, control)
    clock += 12
    reporter.on_log(None, state, control, {"loss": 1.0})
    clock += 12
    reporter.on_log(None, state, control, {"loss": 1.0})
    told = list(events((tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()))
    assert [each.seconds for each in told if isinstance(each, Stepped)] == [24.0, 12.0]


def test_a_look_that_fails_costs_no_step(tmp_path: Path) -> None:
    config = training_folder(tmp_path, max_steps=6, save_every=3)
    for number in range(16, 20):
        (tmp_path / f"{number}.png").write_bytes(BROKEN)
    status, said, found = train(config)
    assert status == 1 and "cannot be learned from" in end(found).reason, said
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and newest.name == "checkpoint-3"
    assert [(each.step, each.loss) for each in checkpoints(found)] == [(3, None)]


def test_a_stop_breaks_a_look_off_and_saves(tmp_path: Path) -> None:
    """A look of hundreds of rows, in a step that is not to be saved."""
    config = training_folder(
        tmp_path, rows=604, held_out=600, eval_rows="all", batch_size=1, max_steps=5_000, save_every=5_000, eval_every=2
    )
    process = start(config)
    wait_for(lambda: 2 in losses(told(config)), process)
    (tmp_path / "stop").touch()
    said, _ = process.communicate()
    last = end(told(config))
    assert process.returncode == 0 and (last.phase, last.step) == ("stopped", 2), said
    assert not [each for each in told(config) if isinstance(each, Looked)]
    newest = newest_checkpoint(tmp_path)
    assert newest is not None and newest.name == "checkpoint-2"
