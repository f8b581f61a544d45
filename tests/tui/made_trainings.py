"""Trainings of a workspace as they would stand there, with no trainer at work."""

import json
from pathlib import Path

from tests.tui.made_tasks import NOW
from tests.tui.workshop import Workshop
from vqa_tui.config.training import TrainingConfig


async def make_training(
    workshop: Workshop, number: int, log: str, *, phase: str = "done", reason: str = "", step: int = 0
) -> Path:
    """Store a training of that number in that phase, with a log; return the log's path."""
    config = TrainingConfig(name=f"tiny-{number}", model="tiny")
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
            "VALUES (?, ?, ?, '{}', 'cpu', '[]', ?, 9, 1)",
            (number, config.name, json.dumps(config.model_dump(mode="json")), NOW - 3_600),
        )
        await transaction.execute(
            "INSERT INTO training_state (training_id, phase, reason, started_at, step, total_steps) "
            "VALUES (?, ?, ?, ?, ?, 60)",
            (number, phase, reason, NOW - 3_600, step),
        )
    path = workshop.workspace.paths.training_log(number)
    path.parent.mkdir(parents=True)
    path.write_text(log, encoding="utf-8", errors="replace")
    workshop.workspace.paths.training_lock(number).touch()
    return path
