"""Base and tuned model on the held-out rows: both answer every row, and both lose on its reference."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, set_seed

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.evaluation import EVALUATION, JUDGED_ROWS, BeforeAndAfter, Evaluation, JudgedAnswer, JudgedRow
from vqa_tui.domain.training_files import HELD_OUT
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.training.adapters import with_adapter
from vqa_tui.training.answering import answer, question_of
from vqa_tui.training.checkpoints import newest_checkpoint
from vqa_tui.training.encoding import IGNORED, PictureSize, RowEncoder, RowRefused, collate
from vqa_tui.training.loading import Device, device_for, load_model
from vqa_tui.training.merging import ADAPTER
from vqa_tui.training.rows import RowFile, spread
from vqa_tui.training.scores import Said, Scorer
from vqa_tui.training.trouble import TrainingTrouble

WORST = 20
"""Rows that `evaluation.json` shows."""
_MOST_TOKENS = 1024
_SPARE_TOKENS = 16


def evaluate(folder: Path, config: TrainingConfig, *, limit: int | None, tell: Callable[[str], None]) -> Evaluation:
    """Judge the training in `folder` and write `evaluation.json` and `evaluation_rows.jsonl` there.

    With `limit` at most so many rows are looked at, evenly spread over the file. Raises TrainingTrouble where nothing
    is held out or nothing was trained yet, and whatever the libraries raise.
    """
    rows = RowFile(folder / HELD_OUT)
    if not len(rows):
        raise TrainingTrouble(
            "no row is held out, so there is nothing to judge by",
            "Train with `validation` above 0, or on an export with a split.",
        )
    weights = _weights(folder)
    device = device_for(config)
    set_seed(config.seed)
    model, processor = load_model(config, device)
    encoder = RowEncoder(processor, PictureSize(config.min_pixels, config.max_pixels), config.max_tokens)
    looked_at = [rows[number] for number in spread(len(rows), limit)]
    shown = [row for row in looked_at if _can_be_shown(encoder, row, tell)]
    if not shown:
        raise TrainingTrouble("no held-out row can be shown to the model", "`vqa-tui validate FILE` says why.")
    references = [row.turns[-1].text.strip() for row in shown]
    # The same for all rows and both models: enough for the longest reference, so that none is told how long to speak.
    longest = max(len(encoder.tokenizer(reference)["input_ids"]) for reference in references)
    most = min(max(config.sample_tokens, longest + _SPARE_TOKENS), _MOST_TOKENS)
    before = _answers(model, device, encoder, shown, most, lambda words: tell(f"base: {words}"))
    model = _tuned(model, weights, config, device)
    after = _answers(model, device, encoder, shown, most, lambda words: tell(f"tuned: {words}"))
    tell("judging")
    scorer = Scorer()
    judged = [
        [scorer.judged(said, reference) for said, reference in zip(each, references, strict=True)]
        for each in (before, after)
    ]

    def compared(name: str, of: Sequence[int]) -> BeforeAndAfter:
        some = [references[number] for number in of]
        base, tuned = (
            scorer.figures([said[number] for number in of], [marks[number] for number in of], some)
            for said, marks in zip((before, after), judged, strict=True)
        )
        return BeforeAndAfter(name, base, tuned)

    every = compared("", range(len(shown)))
    found = [_judged_row(*each) for each in zip(shown, references, *judged, strict=True)]
    evaluation = Evaluation(
        at=time.time(),
        model=config.model,
        weights=str(weights.relative_to(folder)),
        device=device.words,
        precision=device.precision,
        held_out=len(rows),
        left_out=len(looked_at) - len(shown),
        most_tokens=most,
        bleu_signature=scorer.bleu_signature,
        all=every,
        by_kind=tuple(compared(*each) for each in _groups([(row.kind,) if row.kind else () for row in shown])),
        by_category=tuple(compared(*each) for each in _groups([row.categories for row in shown])),
        worst=tuple(sorted(found, key=lambda row: (row.tuned.token_f1, -(row.tuned.loss or 0.0)))[:WORST]),
    )
    lines = "".join(json.dumps(asdict(row), allow_nan=False) + "\n" for row in found)
    _write_whole({folder / JUDGED_ROWS: lines, folder / EVALUATION: evaluation.as_json() + "\n"})
    return evaluation


def _weights(folder: Path) -> Path:
    """What was learned: the end of the training, or its newest whole checkpoint."""
    found = folder / ADAPTER
    if any(found.glob("*.safetensors")):
        return found
    if checkpoint := newest_checkpoint(folder):
        return checkpoint
    raise TrainingTrouble("nothing was learned yet: there is no adapter and no checkpoint", "Let it train first.")


def _tuned(base: Any, weights: Path, config: TrainingConfig, device: Device) -> Any:
    if config.lora is not None:
        return with_adapter(base, weights)
    kind = AutoModelForImageTextToText if config.modality == "vision" else AutoModelForCausalLM
    return kind.from_pretrained(str(weights), dtype=device.dtype)


def _can_be_shown(encoder: RowEncoder, row: TrainingRow, tell: Callable[[str], None]) -> bool:
    try:
        encoder.encode(row)
    except RowRefused as reason:
        tell(f"left out: {row.key}: {reason}")
        return False
    return True


def _answers(
    model: Any, device: Device, encoder: RowEncoder, rows: Sequence[TrainingRow], most: int, tell: Callable[[str], None]
) -> list[Said]:
    if not getattr(model, "is_loaded_in_4bit", False):
        model.to(device.kind)
    model.eval()
    said = []
    for number, row in enumerate(rows, start=1):
        loss, tokens = _loss(model, encoder, row)
        said.append(Said(answer(model, encoder, row, most_tokens=most), loss, tokens))
        tell(f"row {number:,} of {len(rows):,}")
    return said


def _loss(model: Any, encoder: RowEncoder, row: TrainingRow) -> tuple[float, int]:
    """Sum of the loss over the answers' tokens, and how many they are."""
    batch = {name: value.to(model.device) for name, value in collate([encoder.encode(row)], encoder.pad_id).items()}
    tokens = int((batch["labels"][:, 1:] != IGNORED).sum())
    with torch.inference_mode():
        return float(model(**batch).loss) * tokens, tokens


def _groups(names: Sequence[Sequence[str]]) -> list[tuple[str, list[int]]]:
    """Return each name with the numbers of the rows that have it, the commonest first."""
    found: dict[str, list[int]] = {}
    for number, each in enumerate(names):
        for name in each:
            found.setdefault(name, []).append(number)
    return sorted(found.items(), key=lambda group: (-len(group[1]), group[0]))


def _judged_row(row: TrainingRow, reference: str, base: JudgedAnswer, tuned: JudgedAnswer) -> JudgedRow:
    return JudgedRow(
        row=row.id,
        key=row.key,
        picture=row.pictures[0] if row.pictures else "",
        question=question_of(row),
        reference=reference,
        kind=row.kind,
        categories=row.categories,
        pairs=row.pairs,
        base=base,
        tuned=tuned,
    )


def _write_whole(texts: dict[Path, str]) -> None:
    """A reader finds the earlier documents or these, never half of one."""
    new = {path: path.with_name(f"{path.name}.new") for path in texts}
    try:
        for path, text in texts.items():
            new[path].write_text(text, "utf-8")
    except OSError:
        for written in new.values():
            written.unlink(missing_ok=True)
        raise
    for path, written in new.items():
        written.replace(path)
