"""Trainings of a workspace as they would stand there, with no trainer at work."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.tui.made_tasks import NOW
from tests.tui.workshop import Workshop
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.evaluation import EVALUATION, BeforeAndAfter, Evaluation, Figures, JudgedAnswer, JudgedRow
from vqa_tui.domain.training_events import (
    Answered,
    Ended,
    Event,
    LeftOut,
    Looked,
    Saved,
    Started,
    Stepped,
    event_line,
)
from vqa_tui.domain.training_row import TrainingRow, Turn


async def make_training(
    workshop: Workshop,
    number: int,
    log: str,
    *,
    phase: str = "done",
    reason: str = "",
    step: int = 0,
    name: str = "",
    told: Iterable[Event] = (),
    rows: Iterable[TrainingRow] = (),
    data: dict[str, Any] | None = None,
    priority: int = 0,
    held_out: int = 1,
) -> Path:
    """Store a training of that number in that phase, with a log, metrics and rows; return the log's path."""
    config = TrainingConfig(name=f"tiny-{number}", model="tiny")
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out, priority) "
            'VALUES (?, ?, ?, ?, \'cpu\', \'["python", "-m", "vqa_tui.training"]\', ?, 9, ?, ?)',
            (
                number,
                name or config.name,
                json.dumps(config.model_dump(mode="json")),
                json.dumps(data or {}),
                NOW - 3_600,
                held_out,
                priority,
            ),
        )
        await transaction.execute(
            "INSERT INTO training_state (training_id, phase, reason, started_at, ended_at, step, total_steps) "
            "VALUES (?, ?, ?, ?, ?, ?, 60)",
            (number, phase, reason, NOW - 3_600, None if phase == "training" else NOW - 600, step),
        )
    path = workshop.workspace.paths.training_log(number)
    path.parent.mkdir(parents=True)
    path.write_text(log, encoding="utf-8", errors="replace")
    workshop.workspace.paths.training_lock(number).touch()
    told = list(told)
    for saved in [event for event in told if isinstance(event, Saved)][-3:]:
        (path.parent / saved.path).mkdir(parents=True)
    lines = [event_line(event) for event in told]
    if lines:
        metrics_of(workshop, number).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    (path.parent / "rows.jsonl").write_text("".join(row.as_json() + "\n" for row in rows), "utf-8")
    return path


def metrics_of(workshop: Workshop, number: int) -> Path:
    """Return where the trainer of that number tells of itself."""
    return workshop.workspace.paths.training_folder(number) / "metrics.jsonl"


def made_row(number: int, picture: str = "", *, pairs: tuple[int, ...] = (), question: str = "") -> TrainingRow:
    """Return a row of one question about a picture."""
    asked = Turn("user", (0, question or f"What is shown in picture {number}?"))
    turns = (asked, Turn("assistant", (f"A bag with {number} knives.",)))
    return TrainingRow(number, f"{number:05}.png", turns, (picture,) if picture else (), "general", (), pairs)


def made_course(steps: int = 40, *, picture: str = "", every: int = 10, total: int = 60) -> list[Event]:
    """Return what a trainer tells in so many steps: the loss falls, but for a spike at step 17."""
    began = NOW - 3_600
    told: list[Event] = [
        Started(began, 0, total, 3, 9, 2, "CPU", "fp32", 221_280, 32_768, 16_000_000_000),
        LeftOut(began, 5, "00005.png", "its picture is broken"),
    ]
    for step in range(1, steps + 1):
        loss = 6.0 if step == 17 else 0.5 + 4 / step
        at = began + 2.0 * step
        told.append(Stepped(at, step, step / 20, loss, 0.01, 1 + 1 / step, 2.0, 900, (step % 9, 8), 552_000_000))
        if step % every == 0:
            told.append(Looked(at, step, loss + 0.2, 0.4))
            words = "A bag with a knife." if step > every else "bag bag bag"
            told.append(Answered(at, step, 7, "00007.png", picture, "What is shown?", "A bag with a knife.", words))
            told.append(Saved(at, step, f"checkpoints/checkpoint-{step}", 455_000, loss + 0.2))
    return told


def ended(step: int, phase: str = "done", reason: str = "") -> Ended:
    """Return the last word of a trainer."""
    return Ended(NOW - 600, phase, reason, step, 552_000_000)


def made_evaluation(picture: str = "", *, pairs: tuple[int, ...] = ()) -> Evaluation:
    """Return what an evaluation found: the tuned model is better but for its loss on `color`."""
    base = Figures(40, 30, 7.0912, 0.0, 0.0, 0.051, 0.05, 1.2)
    tuned = Figures(40, 30, 0.5117, 0.875, 0.875, 0.912, 0.9, 71.3)
    kinds = (BeforeAndAfter("count", base, tuned), BeforeAndAfter("color", tuned, base))
    rows = tuple(
        JudgedRow(
            number,
            f"{number:05}.png",
            picture,
            f"How many knives are in bag {number}?",
            "two knives",
            "count",
            ("Knife", "Bag"),
            pairs,
            JudgedAnswer("a a a", 7.5, False, 0.0, 0.0),
            JudgedAnswer("three knives", 1.25, False, 0.1 * number, 0.1 * number),
        )
        for number in range(1, 4)
    )
    return Evaluation(
        NOW - 300, "tiny", "adapter", "CPU", "fp32", 40, 0, 64, "nrefs:1|eff:yes", BeforeAndAfter("", base, tuned),
        kinds, (BeforeAndAfter("Knife", base, tuned),), rows,
    )  # fmt: skip


def keep_evaluation(workshop: Workshop, number: int, found: Evaluation) -> None:
    """Write down what an evaluation of that training found."""
    (workshop.workspace.paths.training_folder(number) / EVALUATION).write_text(found.as_json(), "utf-8")
