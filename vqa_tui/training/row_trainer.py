"""The steps of a training: transformers' Trainer, with rows that are told by name, and checkpoints that last."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import Trainer
from transformers.trainer_utils import rotate_checkpoints

from vqa_tui.training.batches import REFUSED, ROW_IDS, TROUBLE, Batcher, inputs_of
from vqa_tui.training.checkpoints import step_of, to_disk, write_state
from vqa_tui.training.encoding import IGNORED
from vqa_tui.training.learned import Learned
from vqa_tui.training.reporting import LookBrokenOff, Reporter
from vqa_tui.training.saving import saving
from vqa_tui.training.together import any_of
from vqa_tui.training.trouble import is_lack_of_memory


class CheckpointUnreadable(Exception):
    """A checkpoint that looked whole cannot be loaded; `str()` says why."""

    def __init__(self, checkpoint: Path, why: str) -> None:
        super().__init__(why)
        self.step = step_of(checkpoint)


class RowTrainer(Trainer):  # type: ignore[misc]  # untyped base
    """Notes which rows a step learns from and which are left out, and saves before it looks at held-out rows.

    Every token of an answer counts the same in a step, however its rows are dealt to batches and processes. The Trainer
    sees to that but for models whose loss is a mean over their own batch (`accepts_loss_kwargs = False`: Qwen-VL,
    PaliGemma): there the tokens of short answers would count more, and two processes learn otherwise than one.
    """

    control: Any

    def __init__(
        self,
        *,
        learned: Learned,
        reporter: Reporter,
        batcher: Batcher,
        looker: Batcher,
        keep: int,
        by_unsloth: bool,
        **more: Any,
    ) -> None:
        super().__init__(data_collator=batcher, **more)
        # Unsloth replaces the Trainer's arithmetic by its own, which counts tokens.
        self._weighs = not by_unsloth and not self.model_accepts_loss_kwargs
        self._learned = learned
        self._reporter = reporter
        self._batcher, self._looker = batcher, looker
        self._keep = keep
        self._answer_tokens = 0
        """Of the step that is under way, over all its batches and processes."""

    def _run_epoch(self, *arguments: Any, **named: Any) -> None:
        """Do no step where all were done and only what comes after them was not: the Trainer would do one more."""
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return
        super()._run_epoch(*arguments, **named)

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

    def _maybe_log_save_evaluate(
        self, tr_loss: Any, grad_norm: Any, model: Any, trial: Any, *more: Any, **named: Any
    ) -> None:
        """Log, save, and only then look: what ends a look costs no step. The Trainer would look first."""
        control = self.control
        saves, looks = control.should_save, control.should_evaluate
        control.should_save = control.should_evaluate = False
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, model, trial, *more, **named)
        if not (saves or looks):
            return
        since = time.perf_counter()
        if saves:
            self._save_checkpoint(model, trial)
        if looks and not self._look(trial, saved=saves) and not saves:
            self._save_checkpoint(model, trial)
        if self.args.should_save:
            rotate_checkpoints(self.args.output_dir, self._keep, self.state.best_model_checkpoint)
        self._reporter.paused(time.perf_counter() - since)

    def _look(self, trial: Any, *, saved: bool) -> bool:
        """Look at held-out rows and note in the checkpoint, where one was `saved`, which is the best; return whether
        the look came to its end."""
        try:
            metrics = self._evaluate(trial, None)
        except LookBrokenOff:
            self.control.should_training_stop = True
            return False
        is_best = self._determine_best_metric(metrics=metrics, trial=trial)
        if saved:
            if is_best:
                self.state.best_model_checkpoint = str(self._checkpoint)
            if self.args.should_save:
                with saving(self._checkpoint):
                    write_state(self.state, self._checkpoint)
        return True

    @property
    def _checkpoint(self) -> Path:
        """Where the checkpoint of the present step lies."""
        return Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"

    def _save_checkpoint(self, *arguments: Any, **named: Any) -> None:
        """Save, and tell of it when it would survive a power failure."""
        since = time.perf_counter()
        with saving(Path(self.args.output_dir)):
            super()._save_checkpoint(*arguments, **named)
            # Each process writes a file of its own.
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                to_disk(self._checkpoint)
        self._reporter.save_seconds = time.perf_counter() - since
        self.control = self.callback_handler.on_save(self.args, self.state, self.control)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, *arguments: Any, **named: Any) -> None:
        with _reading(resume_from_checkpoint):
            super()._load_from_checkpoint(resume_from_checkpoint, *arguments, **named)

    def _load_optimizer_and_scheduler(self, checkpoint: str) -> None:
        with _reading(checkpoint):
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_scaler(self, checkpoint: str) -> None:
        with _reading(checkpoint):
            super()._load_scaler(checkpoint)

    def _load_rng_state(self, checkpoint: str) -> None:
        with _reading(checkpoint):
            super()._load_rng_state(checkpoint)

    def _note(self, batch: dict[str, Any], *, learns: bool) -> dict[str, Any]:
        """Return the batch with the model's inputs alone. Raises TrainingTrouble where it could not be made."""
        if TROUBLE in batch:
            raise batch[TROUBLE]
        inputs = inputs_of(batch, self.args.device)
        if learns:
            self._learned.add(batch[ROW_IDS], int(inputs["attention_mask"].sum()))
        self._learned.refuse(batch[REFUSED])
        return inputs


@contextmanager
def _reading(checkpoint: str) -> Iterator[None]:
    """Raise CheckpointUnreadable in all processes where one of them cannot read a part of the checkpoint."""
    why = ""
    try:
        yield
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        why = f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]
    if any_of(bool(why)):
        raise CheckpointUnreadable(Path(checkpoint), why or "another process cannot read its part")


def _answer_tokens(batch: dict[str, Any]) -> Any:
    """How many tokens are predicted: the first one of a row never is."""
    return (batch["labels"][..., 1:] != IGNORED).sum()
