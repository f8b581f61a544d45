"""What a training tells while it works, and how it hears that a person wants it to stop."""

import os
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from vqa_tui.domain.training_events import Looked, Saved, Stepped
from vqa_tui.domain.training_files import STOP_FILE
from vqa_tui.training.event_log import EventLog
from vqa_tui.training.gauges import Gauges
from vqa_tui.training.learned import Learned


class Reporter(TrainerCallback):  # type: ignore[misc]  # untyped base
    """Writes an event for each step, look and checkpoint; ends the training when the stop file appears."""

    def __init__(self, folder: Path, log: EventLog, learned: Learned, gauges: Gauges) -> None:
        self._folder = folder
        self._log = log
        self._learned = learned
        self._gauges = gauges
        self._since = time.perf_counter()
        self._looked: tuple[int, float | None] = (-1, None)
        self.stopped = False

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step % max(int(args.logging_steps), 1) == 0:
            self._since = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._is_stop_wanted():
            self.stopped = state.global_step < state.max_steps
            control.should_save = control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        if not logs or "loss" not in logs:
            return
        rows, tokens = self._learned.take()
        loss, norm, rate = _finite(logs["loss"]), _finite(logs.get("grad_norm")), float(logs.get("learning_rate", 0.0))
        now = self._gauges.read()
        seconds = time.perf_counter() - self._since
        self._log.write(
            Stepped(
                at=time.time(),
                step=state.global_step,
                epoch=round(float(state.epoch or 0.0), 4),
                loss=loss,
                learning_rate=rate,
                grad_norm=norm,
                seconds=round(seconds, 4),
                tokens=tokens,
                rows=rows,
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
        loss = _finite(metrics["eval_loss"])
        self._looked = (state.global_step, loss)
        seconds = round(float(metrics.get("eval_runtime", 0.0)), 3)
        self._log.write(Looked(time.time(), state.global_step, loss, seconds))
        self._log.say(f"held-out rows: loss {'not a number' if loss is None else f'{loss:.4f}'} after {seconds:.1f} s")

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        name = f"checkpoints/checkpoint-{state.global_step}"
        size = sum(path.stat().st_size for path in (self._folder / name).rglob("*") if path.is_file())
        step, loss = self._looked
        self._log.write(Saved(time.time(), state.global_step, name, size, loss if step == state.global_step else None))
        self._log.say(f"saved {name}")

    def _is_stop_wanted(self) -> bool:
        """Whether the stop file is there, the same on all processes: one that stopped alone would leave the rest
        waiting for it."""
        wanted = (self._folder / STOP_FILE).exists()
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return wanted
        device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
        flag = torch.tensor([int(wanted and os.environ.get("RANK", "0") == "0")], device=device)
        torch.distributed.broadcast(flag, src=0)
        return bool(flag.item())


def _finite(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None
