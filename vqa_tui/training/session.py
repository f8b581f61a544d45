"""One training from start to end: model, data, steps, and what is left behind."""

import gc
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.utils.data import Subset
from transformers import PrinterCallback, Trainer, set_seed
from transformers.trainer import TRAINING_ARGS_NAME

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Ended, Saving, Started
from vqa_tui.domain.training_files import HELD_OUT, METRICS, ROWS, STOP_FILE
from vqa_tui.training.adapters import prepare
from vqa_tui.training.agreement import agree_on_rows, agreed_checkpoints
from vqa_tui.training.answering import Sampler
from vqa_tui.training.arguments import trainer_arguments
from vqa_tui.training.batches import Batcher, Numbers
from vqa_tui.training.checkpoints import CHECKPOINTS, remove_unfinished, step_of
from vqa_tui.training.encoding import PictureSize, RowEncoder
from vqa_tui.training.environment import keep_environment
from vqa_tui.training.event_log import EventLog
from vqa_tui.training.gauges import Gauges
from vqa_tui.training.learned import Learned
from vqa_tui.training.loading import Device, count_parameters, device_for, learning_dtype, load_model, save_processor
from vqa_tui.training.merging import ADAPTER, leave_merged
from vqa_tui.training.reporting import Reporter
from vqa_tui.training.row_trainer import CheckpointUnreadable, RowTrainer
from vqa_tui.training.rows import RowFile, spread
from vqa_tui.training.saving import saving
from vqa_tui.training.trouble import TrainingTrouble


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    phase: str
    reason: str
    step: int


def train(folder: Path, config: TrainingConfig, *, resume: bool) -> Outcome:
    """Train in `folder`, which holds the rows, and leave checkpoints, adapter and metrics there.

    With `resume` it goes on from the newest checkpoint that every machine has whole and that can be loaded. Raises
    TrainingTrouble, and whatever the libraries raise.
    """
    device = device_for(config)
    rows, held_out = RowFile(folder / ROWS), RowFile(folder / HELD_OUT)
    if not len(rows):
        raise TrainingTrouble("there is no row to learn from", "Export pairs, or take another run.")
    arguments = trainer_arguments(folder / CHECKPOINTS, config, device, looks=bool(len(held_out)))
    first = arguments.local_process_index == 0
    log = EventLog(folder / METRICS, writes=first)
    if first:
        for name in remove_unfinished(folder):
            log.say(f"{name} was not written whole: it is passed over and removed")
    agree_on_rows(len(rows), len(held_out))
    found: list[Path | None] = [*agreed_checkpoints(folder, resume=resume)]
    if first:
        keep_environment(folder, device.words)
    unreadable = ""
    for checkpoint in found or [None]:
        try:
            return _Session(folder, config, device, arguments, rows, held_out, log).run(checkpoint)
        except CheckpointUnreadable as reason:
            why = f"checkpoint-{reason.step} cannot be loaded: {reason}"
            log.say(f"{why}; trying the one before")
            unreadable = unreadable or why
        # The model that it was to go into; words alone are kept of the error, which holds it.
        gc.collect()
    raise TrainingTrouble(
        f"none of its checkpoints can be loaded; of the newest: {unreadable}",
        "They stay where they are: with the package versions in environment.json they may load; else start a new one.",
    )


class _Session:
    """A model that is loaded, and what belongs to it."""

    def __init__(
        self,
        folder: Path,
        config: TrainingConfig,
        device: Device,
        arguments: Any,
        rows: RowFile,
        held_out: RowFile,
        log: EventLog,
    ) -> None:
        set_seed(config.seed)
        self._folder, self._config, self._device, self._log = folder, config, device, log
        self._first = arguments.local_process_index == 0
        self._rows, self._held_out = rows, held_out
        self._looked_at = spread(len(held_out), config.eval_rows)
        model, self._processor = _model(config, device)
        encoder = RowEncoder(self._processor, PictureSize(config.min_pixels, config.max_pixels), config.max_tokens)
        self._gauges, learned = Gauges(device.kind), Learned()
        self._reporter = Reporter(folder, log, learned, self._gauges)
        launch = config.launch
        self._sharded = launch.fsdp or bool(launch.deepspeed) or bool(launch.accelerate_config)
        shown = [] if self._sharded else [held_out[number] for number in range(min(config.samples, len(held_out)))]
        self._trainer = RowTrainer(
            model=model,
            args=arguments,
            train_dataset=Numbers(rows),
            eval_dataset=Subset(Numbers(held_out), self._looked_at) if len(held_out) else None,
            callbacks=[self._reporter, Sampler(shown, encoder, log, config.sample_tokens, folder / STOP_FILE)],
            learned=learned,
            reporter=self._reporter,
            batcher=Batcher(rows, encoder),
            looker=Batcher(held_out, encoder),
            keep=config.keep,
            by_unsloth=config.backend == "unsloth",
        )
        self._trainer.remove_callback(PrinterCallback)  # the reporter prints its own lines

    def run(self, checkpoint: Path | None) -> Outcome:
        """Train to the end, or to where a person stops it. Raises CheckpointUnreadable."""
        trainer, log = self._trainer, self._log
        self._tell_start(_steps(trainer, self._config), step_of(checkpoint) if checkpoint else 0)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        step = int(trainer.state.global_step)
        if self._reporter.stopped:
            return self._end(Outcome("stopped", f"stopped after step {step:,}; its checkpoint is whole", step))
        log.write(Saving(time.time()))
        log.say("saving")
        with saving(self._folder):
            self._save()
        return self._end(Outcome("done", "", step))

    def _tell_start(self, steps: int, done: int) -> None:
        config, device, log = self._config, self._device, self._log
        total, learning = count_parameters(self._trainer.model)
        log.write(
            Started(
                at=time.time(),
                first_step=done,
                total_steps=steps,
                epochs=config.epochs,
                rows=len(self._rows),
                held_out=len(self._held_out),
                device=device.words,
                precision=device.precision,
                parameters=total,
                trainable=learning,
                memory_total_bytes=self._gauges.total_bytes(),
                look_every=config.look_every if len(self._held_out) else None,
                save_every=config.save_every,
            )
        )
        log.say(f"{config.model} on {device.words} in {device.precision}: {learning:,} of {total:,} weights learn")
        looked_at = f" ({len(self._looked_at):,} at each look)" if len(self._looked_at) < len(self._held_out) else ""
        going_on = f", from {done:,}" if done else ""
        log.say(f"{len(self._rows):,} rows, {len(self._held_out):,} held out{looked_at}, {steps:,} steps{going_on}")

    def _save(self) -> None:
        partial = self._folder / f"{ADAPTER}.partial"
        self._trainer.save_model(str(partial))
        self._trainer.accelerator.wait_for_everyone()
        if not self._first:
            return
        # A pickle of the Trainer's settings, which nobody who takes the adapter should have to trust.
        (partial / TRAINING_ARGS_NAME).unlink(missing_ok=True)
        save_processor(self._processor, partial)
        shutil.rmtree(self._folder / ADAPTER, ignore_errors=True)
        partial.rename(self._folder / ADAPTER)
        if self._config.merge and self._config.lora is not None:
            model = None if self._sharded else self._trainer.accelerator.unwrap_model(self._trainer.model)
            leave_merged(self._config, model, self._processor, self._folder)

    def _end(self, outcome: Outcome) -> Outcome:
        memory = self._gauges.read().memory_bytes
        self._log.write(Ended(time.time(), outcome.phase, outcome.reason, outcome.step, memory))
        return outcome


def _model(config: TrainingConfig, device: Device) -> tuple[Any, Any]:
    if config.backend == "unsloth":
        from vqa_tui.training.unsloth_models import load_unsloth

        return load_unsloth(config, device)
    model, processor = load_model(config, device, dtype=learning_dtype(config, device))
    model.config.use_cache = False
    model = prepare(model, config)
    if config.gradient_checkpointing and config.lora is not None:
        model.enable_input_require_grads()
    return model, processor


def _steps(trainer: Trainer, config: TrainingConfig) -> int:
    """As the Trainer counts: whole steps of an epoch, times epochs, rounded up."""
    if config.max_steps:
        return config.max_steps
    in_epoch = -(-len(trainer.get_train_dataloader()) // config.accumulation)
    return math.ceil(config.epochs * max(in_epoch, 1))
