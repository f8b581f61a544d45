"""One training from start to end: model, data, steps, and what is left behind."""

import json
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, set_seed

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Ended, LeftOut, Started
from vqa_tui.domain.training_files import HELD_OUT, METRICS, ROWS
from vqa_tui.training.adapters import prepare
from vqa_tui.training.answering import Sampler
from vqa_tui.training.arguments import trainer_arguments
from vqa_tui.training.batches import REFUSED, ROW_IDS, TROUBLE, Batcher, Numbers, inputs_of
from vqa_tui.training.checkpoints import CHECKPOINTS, newest_checkpoint, remove_unfinished, step_of
from vqa_tui.training.encoding import IGNORED, PictureSize, RowEncoder
from vqa_tui.training.environment import environment
from vqa_tui.training.event_log import EventLog
from vqa_tui.training.gauges import Gauges
from vqa_tui.training.learned import Learned
from vqa_tui.training.loading import Device, count_parameters, device_for, load_model, save_processor
from vqa_tui.training.merging import ADAPTER, leave_merged
from vqa_tui.training.reporting import Reporter
from vqa_tui.training.rows import RowFile
from vqa_tui.training.saving import saving
from vqa_tui.training.trouble import TrainingTrouble


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    phase: str
    reason: str
    step: int


class RowTrainer(Trainer):  # type: ignore[misc]  # untyped base
    """Notes which rows a step learns from, and tells once of each that is left out.

    Every token of an answer counts the same in a step, however its rows are dealt to batches and processes. The Trainer
    sees to that but for models whose loss is a mean over their own batch (`accepts_loss_kwargs = False`: Qwen-VL,
    PaliGemma): there the tokens of short answers would count more, and two processes learn otherwise than one.
    """

    def __init__(
        self, *, learned: Learned, log: EventLog, batcher: Batcher, looker: Batcher, by_unsloth: bool, **more: Any
    ) -> None:
        super().__init__(data_collator=batcher, **more)
        # Unsloth replaces the Trainer's arithmetic by its own, which counts tokens.
        self._weighs = not by_unsloth and not self.model_accepts_loss_kwargs
        self._learned = learned
        self._log = log
        self._batcher, self._looker = batcher, looker
        self._told: set[str] = set()
        self._answer_tokens = 0
        """Of the step that is under way, over all its batches and processes."""

    def get_eval_dataloader(self, *arguments: Any, **named: Any) -> Any:
        """Held-out rows come from their own file."""
        self.data_collator = self._looker
        try:
            return super().get_eval_dataloader(*arguments, **named)
        finally:
            self.data_collator = self._batcher

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
        """Take what is not the model's out of the batches before they are counted."""
        for_the_model = (self._note(batch, learns=True) for batch in epoch_iterator)
        samples, tokens = super().get_batch_samples(for_the_model, num_batches, device)
        if samples and self._weighs:
            counted = sum(_answer_tokens(batch) for batch in samples).to(device)
            self._answer_tokens = int(self.accelerator.gather(counted).sum())
        return samples, tokens

    def compute_loss(self, model: Any, inputs: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """Weigh a mean over a batch by its share of the step's tokens; the Trainer divides by processes and batches."""
        if not self._weighs or not model.training:
            return super().compute_loss(model, inputs, *arguments, **named)
        dealt = self.accelerator.num_processes * self.current_gradient_accumulation_steps
        share = _answer_tokens(inputs) * dealt / self._answer_tokens
        return super().compute_loss(model, inputs, *arguments, **named) * share

    def prediction_step(self, model: Any, inputs: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        return super().prediction_step(model, self._note(inputs, learns=False), *arguments, **named)

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Nobody reads this estimate, for which all weights would be walked through at every batch."""
        return 0

    def _save_checkpoint(self, *arguments: Any, **named: Any) -> None:
        with saving(Path(self.args.output_dir)):
            super()._save_checkpoint(*arguments, **named)

    def _note(self, batch: dict[str, Any], *, learns: bool) -> dict[str, Any]:
        """Return the batch with the model's inputs alone. Raises TrainingTrouble where it could not be made."""
        if TROUBLE in batch:
            raise batch[TROUBLE]
        inputs = inputs_of(batch, self.args.device)
        if learns:
            self._learned.add(batch[ROW_IDS], int(inputs["attention_mask"].sum()))
        for row, key, reason in batch[REFUSED]:
            if key not in self._told:
                self._told.add(key)
                self._log.write(LeftOut(time.time(), row, key, reason))
                self._log.say(f"left out: {key}: {reason}")
        return inputs


def _answer_tokens(batch: dict[str, Any]) -> Any:
    """How many tokens are predicted: the first one of a row never is."""
    return (batch["labels"][..., 1:] != IGNORED).sum()


def train(folder: Path, config: TrainingConfig, *, resume: bool) -> Outcome:
    """Train in `folder`, which holds the rows, and leave checkpoints, adapter and metrics there.

    With `resume` it goes on from the newest whole checkpoint. Raises TrainingTrouble, and whatever the libraries raise.
    """
    device = device_for(config)
    rows, held_out = RowFile(folder / ROWS), RowFile(folder / HELD_OUT)
    if not len(rows):
        raise TrainingTrouble("there is no row to learn from", "Export pairs, or take another run.")
    checkpoint = newest_checkpoint(folder) if resume else None
    arguments = trainer_arguments(folder / CHECKPOINTS, config, device, looks=bool(len(held_out)))
    first = arguments.process_index == 0
    if first:
        remove_unfinished(folder)
    set_seed(config.seed)
    model, processor = _model(config, device)
    encoder = RowEncoder(processor, PictureSize(config.min_pixels, config.max_pixels), config.max_tokens)
    log, learned, gauges = EventLog(folder / METRICS, writes=first), Learned(), Gauges(device.kind)
    reporter = Reporter(folder, log, learned, gauges)
    sharded = config.launch.fsdp or bool(config.launch.deepspeed) or bool(config.launch.accelerate_config)
    shown = [] if sharded else [held_out[number] for number in range(min(config.samples, len(held_out)))]
    trainer = RowTrainer(
        model=model,
        args=arguments,
        train_dataset=Numbers(rows),
        eval_dataset=Numbers(held_out) if len(held_out) else None,
        callbacks=[reporter, Sampler(shown, encoder, log, config.sample_tokens)],
        learned=learned,
        log=log,
        batcher=Batcher(rows, encoder),
        looker=Batcher(held_out, encoder),
        by_unsloth=config.backend == "unsloth",
    )
    trainer.remove_callback(PrinterCallback)  # the reporter prints its own lines
    steps = _steps(trainer, config)
    done = step_of(checkpoint) if checkpoint else 0
    total, learning = count_parameters(model)
    log.write(
        Started(
            at=time.time(),
            first_step=done,
            total_steps=steps,
            epochs=config.epochs,
            rows=len(rows),
            held_out=len(held_out),
            device=device.words,
            precision=device.precision,
            parameters=total,
            trainable=learning,
            memory_total_bytes=gauges.total_bytes(),
        )
    )
    log.say(f"{config.model} on {device.words} in {device.precision}: {learning:,} of {total:,} weights learn")
    log.say(f"{len(rows):,} rows, {len(held_out):,} held out, {steps:,} steps" + (f", from {done:,}" if done else ""))
    if first:
        (folder / "environment.json").write_text(json.dumps(environment(device.words), indent=2) + "\n", "utf-8")
    if checkpoint and done >= steps:
        # All steps were done, and only what comes after them was not: the Trainer would do one step more.
        trainer._load_from_checkpoint(str(checkpoint))
        step = done
    else:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        step = int(trainer.state.global_step)
    if reporter.stopped:
        return _end(log, gauges, Outcome("stopped", f"stopped after step {step:,}; its checkpoint is whole", step))
    log.say("saving")
    with saving(folder):
        partial = folder / f"{ADAPTER}.partial"
        trainer.save_model(str(partial))
        trainer.accelerator.wait_for_everyone()
        if first:
            save_processor(processor, partial)
            shutil.rmtree(folder / ADAPTER, ignore_errors=True)
            partial.rename(folder / ADAPTER)
            if config.merge and config.lora is not None and not sharded:
                leave_merged(config, trainer.accelerator.unwrap_model(trainer.model), processor, folder)
    return _end(log, gauges, Outcome("done", "", step))


def _end(log: EventLog, gauges: Gauges, outcome: Outcome) -> Outcome:
    log.write(Ended(time.time(), outcome.phase, outcome.reason, outcome.step, gauges.read().memory_bytes))
    return outcome


def _model(config: TrainingConfig, device: Device) -> tuple[Any, Any]:
    if config.backend == "unsloth":
        from vqa_tui.training.unsloth_models import load_unsloth

        return load_unsloth(config, device)
    model, processor = load_model(config, device)
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
