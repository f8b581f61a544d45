"""Letting the model answer rows, to be read beside picture and reference."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from vqa_tui.domain.training_events import Answered
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.training.encoding import RowEncoder, RowRefused
from vqa_tui.training.event_log import EventLog


def answer(model: Any, encoder: RowEncoder, row: TrainingRow, *, most_tokens: int) -> str:
    """Return what the model says to the last question of a row, the likeliest word each time.

    Raises RowRefused for a picture that cannot be read.
    """
    inputs = {name: value.to(model.device) for name, value in encoder.prompt(row).items()}
    with torch.inference_mode():
        written = model.generate(
            **inputs,
            max_new_tokens=most_tokens,
            do_sample=False,
            pad_token_id=encoder.pad_id,
            eos_token_id=encoder.tokenizer.eos_token_id,
        )
    said = written[0, inputs["input_ids"].shape[1] :]
    return str(encoder.tokenizer.decode(said, skip_special_tokens=True)).strip()


def question_of(row: TrainingRow) -> str:
    """Return the last question of a row."""
    return next((turn.text.strip() for turn in reversed(row.turns[:-1]) if turn.role == "user"), "")


class Sampler(TrainerCallback):  # type: ignore[misc]  # untyped base
    """Answers the same few held-out rows at each look, until a person wants the training to end."""

    def __init__(
        self, rows: Sequence[TrainingRow], encoder: RowEncoder, log: EventLog, most_tokens: int, stop_file: Path
    ) -> None:
        self._stop_file = stop_file
        self._rows = rows
        self._encoder = encoder
        self._log = log
        self._most_tokens = most_tokens

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **_: Any
    ) -> None:
        if not state.is_world_process_zero or model is None:
            return
        was_learning = model.training
        model.eval()
        try:
            for row in self._rows:
                if self._stop_file.exists():
                    break
                self._answer(model, row, state.global_step)
        finally:
            model.train(was_learning)

    def _answer(self, model: Any, row: TrainingRow, step: int) -> None:
        try:
            said = answer(model, self._encoder, row, most_tokens=self._most_tokens)
        except RowRefused:
            return  # it was told when the loss on the held-out rows was computed
        self._log.write(
            Answered(
                at=time.time(),
                step=step,
                row=row.id,
                key=row.key,
                picture=row.pictures[0] if row.pictures else "",
                question=question_of(row),
                reference=row.turns[-1].text.strip(),
                answer=said,
            )
        )
