"""What a training tells while it works, and how it hears that a person wants it to stop."""

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from vqa_tui.domain.training_events import LeftOut, Looked, Saved, Stepped
from vqa_tui.domain.training_files import STOP_FILE
from vqa_tui.training.checkpoints import remove_later
from vqa_tui.training.event_log import EventLog
from vqa_tui.training.gauges import Gauges
from vqa_tui.training.learned import Learned, Refusal
from vqa_tui.training.together import any_of


class LookBrokenOff(Exception):
    """A person wants the training to end, so a look at held-out rows is not brought to its end."""


class Reporter(TrainerCallback):  # type: ignore[misc]  # untyped base
    """Writes an event for each step, look and checkpoint; ends the training when the stop file appears."""

    def __init__(self, folder: Path, log: EventLog, learned: Learned, gauges: Gauges) -> None:
        self._folder = folder
        self._log = log
        self._learned = learned
        self._gauges = gauges
        self._since: float | None = None
        self.save_seconds = 0.0
        """What the newest checkpoint took."""
        self.stopped = False

    def paused(self, seconds: float) -> None:
        """Leave the time of a look or a checkpoint out of that of the step."""
        if self._since is not None:
            self._since += seconds

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if args.should_save and state.global_step:
            remove_later(self._folder, state.global_step)

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._since is None:
            self._since = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._is_stop_wanted(state):
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self._is_stop_wanted(state):
            raise LookBrokenOff

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        if not logs or "loss" not in logs:
            return
        batches = self._learned.take()
        self._tell_left_out(batches.refused)
        loss, norm, rate = _finite(logs["loss"]), _finite(logs.get("grad_norm")), float(logs.get("learning_rate", 0.0))
        now = self._gauges.read()
        end = time.perf_counter()
        seconds, self._since = end - (self._since or end), end
        self._log.write(
            Stepped(
                at=time.time(),
                step=state.global_step,
                epoch=round(float(state.epoch or 0.0), 4),
                loss=loss,
                learning_rate=rate,
                grad_norm=norm,
                seconds=round(seconds, 4),
                tokens=batches.tokens,
                rows=batches.rows,
                memory_bytes=now.memory_bytes,
                utilisation=now.utilisation,
                temperature_c=now.temperature_c,
            )
        )
        shown = "not a number" if loss is None else f"{loss:.4f}"
        self._log.say(f"step {state.global_step}/{state.max_steps}  loss {shown}  rate {rate:.3g}  {seconds:.2f} s")

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        if not metrics or "eval_loss" not in metrics:
            return
        self._tell_left_out(self._learned.take_refused())
        loss = _finite(metrics["eval_loss"])
        seconds = round(float(metrics.get("eval_runtime", 0.0)), 3)
        self._log.write(Looked(time.time(), state.global_step, loss, seconds))
        self._log.say(f"held-out rows: loss {'not a number' if loss is None else f'{loss:.4f}'} after {seconds:.1f} s")

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        name = f"checkpoints/checkpoint-{state.global_step}"
        size = sum(path.stat().st_size for path in (self._folder / name).rglob("*") if path.is_file())
        self._log.write(Saved(time.time(), state.global_step, name, size, seconds=round(self.save_seconds, 3)))
        self._log.say(f"saved {name}")

    def _tell_left_out(self, refused: tuple[Refusal, ...]) -> None:
        for row, key, reason in refused:
            self._log.write(LeftOut(time.time(), row, key, reason))
            self._log.say(f"left out: {key}: {reason}")

    def _is_stop_wanted(self, state: TrainerState) -> bool:
        """Whether the stop file is there, on any machine and the same for all processes: one that stopped alone would
        leave the rest waiting for it."""
        wanted = any_of((self._folder / STOP_FILE).exists())
        self.stopped = wanted and state.global_step < state.max_steps
        return wanted


def _finite(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None
