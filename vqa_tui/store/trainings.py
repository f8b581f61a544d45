"""Trainings: made and steered by faces, reported on by their own process. Each table has one writer."""

import time
from dataclasses import dataclass

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.domain.training_events import Started, events
from vqa_tui.domain.training_files import METRICS
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.at_work import is_locked
from vqa_tui.store.db import Database, Row
from vqa_tui.tail import tail

_HINT = "`vqa-tui train list` shows them."
_LAST_EVENTS = 100
"""Enough for the last step among samples and looks."""
_COLUMNS = (
    "t.id, t.name, t.config ->> 'model' AS model, t.config ->> 'backend' AS backend, t.device, t.priority, t.rows, "
    "t.held_out, t.wish, t.created_at, s.phase, s.reason, s.started_at, s.ended_at, s.step, s.total_steps "
    "FROM training t JOIN training_state s ON s.training_id = t.id"
)


@dataclass(frozen=True, slots=True)
class FrozenTraining:
    """What a training was made of, as stored."""

    id: int
    name: str
    config: str
    """Canonical JSON of a TrainingConfig."""
    data: str
    """JSON: where its rows come from (see operations.training_data)."""
    device: str
    command: str
    """JSON: the arguments of the trainer's process, without the interpreter's options."""


async def create_training(database: Database, *, name: str, config: str, data: str, device: str, priority: int) -> int:
    """Store a training that waits for its process and return its id. Raises VqaError when the name is taken."""
    async with database.write() as transaction:
        if await transaction.rows("SELECT 1 FROM training WHERE name = ?", (name,)):
            raise VqaError(f"there is a training named {name} already", hint=_HINT)
        training_id = await transaction.insert(
            "INSERT INTO training (name, config, data, device, command, priority, created_at) "
            "VALUES (?, ?, ?, ?, '[]', ?, ?)",
            (name, config, data, device, priority, time.time()),
        )
        await transaction.execute("INSERT INTO training_state (training_id) VALUES (?)", (training_id,))
    return training_id


async def complete_training(database: Database, training_id: int, *, command: str, rows: int, held_out: int) -> None:
    """Note what is known once the folder of the training is there."""
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE training SET command = ?, rows = ?, held_out = ? WHERE id = ?",
            (command, rows, held_out, training_id),
        )


async def rename_training(database: Database, training_id: int, name: str) -> None:
    """Give a training another name. Raises VqaError when another one has it, or when there is no such training."""
    async with database.write() as transaction:
        if await transaction.rows("SELECT 1 FROM training WHERE name = ? AND id != ?", (name, training_id)):
            raise VqaError(f"there is a training named {name} already", hint=_HINT)
        if not await transaction.rows("SELECT 1 FROM training WHERE id = ?", (training_id,)):
            raise VqaError(f"there is no training {training_id}", hint=_HINT)
        await transaction.execute("UPDATE training SET name = ? WHERE id = ?", (name, training_id))


async def delete_training(database: Database, training_id: int) -> None:
    """Forget a training; its folder is another's business."""
    async with database.write() as transaction:
        await transaction.execute("DELETE FROM training WHERE id = ?", (training_id,))


async def frozen_training(database: Database, training_id: int) -> FrozenTraining:
    """Return what a training was made of. Raises VqaError when there is none of that id."""
    row = await database.read_one(
        "SELECT id, name, config, data, device, command FROM training WHERE id = ?", (training_id,)
    )
    if row is None:
        raise VqaError(f"there is no training {training_id}", hint=_HINT)
    return FrozenTraining(*row)


async def training_summaries(database: Database, paths: WorkspacePaths) -> tuple[TrainingSummary, ...]:
    """Return all trainings, newest first."""
    rows = await database.read(f"SELECT {_COLUMNS} ORDER BY t.id DESC")
    return tuple(_summary(row, paths) for row in rows)


async def training_summary(database: Database, paths: WorkspacePaths, training_id: int) -> TrainingSummary:
    """Return one training. Raises VqaError when there is none of that id."""
    row = await database.read_one(f"SELECT {_COLUMNS} WHERE t.id = ?", (training_id,))
    if row is None:
        raise VqaError(f"there is no training {training_id}", hint=_HINT)
    return _summary(row, paths)


async def wish_for(database: Database, training_id: int, wish: TrainingWish) -> None:
    """Store what a person wants of a training."""
    async with database.write() as transaction:
        await transaction.execute("UPDATE training SET wish = ? WHERE id = ?", (wish.value, training_id))


async def current_wish(database: Database, training_id: int) -> TrainingWish | None:
    """Return what a person wants of a training; None when it was deleted."""
    row = await database.read_one("SELECT wish FROM training WHERE id = ?", (training_id,))
    return TrainingWish(row["wish"]) if row else None


async def set_priority(database: Database, training_id: int, priority: int) -> None:
    """Store which of those that wait goes first: the highest."""
    async with database.write() as transaction:
        await transaction.execute("UPDATE training SET priority = ? WHERE id = ?", (priority, training_id))


async def shift_priority(database: Database, training_id: int, by: int, *, most: int) -> int:
    """Raise or lower a priority by so much, to `most` on either side of 0, and return what it is then."""
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE training SET priority = max(min(priority + ?, ?), ?) WHERE id = ?", (by, most, -most, training_id)
        )
        rows = await transaction.rows("SELECT priority FROM training WHERE id = ?", (training_id,))
    return int(rows[0]["priority"]) if rows else 0


async def report_phase(
    database: Database,
    training_id: int,
    phase: TrainingPhase,
    reason: str = "",
    *,
    process: tuple[int, int] | None = None,
) -> None:
    """Store the phase, for the process of the training alone; `process` is its number and when it began, in ticks."""
    now = time.time()
    begins = phase is TrainingPhase.STARTING
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE training_state SET phase = :phase, reason = :reason, "
            "started_at = CASE WHEN :begins THEN :now ELSE started_at END, "
            "ended_at = CASE WHEN :ended THEN :now WHEN :begins THEN NULL ELSE ended_at END WHERE training_id = :id",
            {
                "phase": phase.value,
                "reason": reason,
                "begins": begins,
                "ended": not phase.is_live,
                "now": now,
                "id": training_id,
            },
        )
        if process is not None:
            await transaction.execute(
                "UPDATE training_state SET pid = ?, process_start = ? WHERE training_id = ?", (*process, training_id)
            )


async def report_steps(database: Database, training_id: int, step: int, total_steps: int | None) -> None:
    """Store how far a training is, for its own process alone."""
    async with database.write() as transaction:
        await transaction.execute(
            "UPDATE training_state SET step = ?, total_steps = ? WHERE training_id = ?",
            (step, total_steps, training_id),
        )


async def process_of(database: Database, training_id: int) -> tuple[int, int] | None:
    """Return the number of the last process of a training and when it began, in ticks; None where none began."""
    row = await database.read_one("SELECT pid, process_start FROM training_state WHERE training_id = ?", (training_id,))
    return (row["pid"], row["process_start"]) if row and row["pid"] is not None else None


def is_evaluated(paths: WorkspacePaths, training_id: int) -> bool:
    """Return whether a training is being judged: who does that names itself in a file while it holds the lock, and no
    supervisor lives."""
    if not paths.training_evaluator(training_id).exists():
        return False
    return is_locked(paths.training_lock(training_id)) and not is_locked(paths.training_supervisor_lock(training_id))


def step_told(paths: WorkspacePaths, training_id: int) -> int | None:
    """Return the step that a trainer told last in its file of events; None where none did."""
    try:
        told = list(events(tail(paths.training_folder(training_id) / METRICS, lines=_LAST_EVENTS).splitlines()))
    except OSError:
        return None
    steps = (each.first_step if isinstance(each, Started) else getattr(each, "step", None) for each in reversed(told))
    return next((step for step in steps if step is not None), None)


def _summary(row: Row, paths: WorkspacePaths) -> TrainingSummary:
    phase, at_work = TrainingPhase(row["phase"]), is_locked(paths.training_lock(row["id"]))
    # Its supervisor, who would store how far it is, is gone.
    goes_alone = phase.is_live and not is_locked(paths.training_supervisor_lock(row["id"]))
    told = step_told(paths, row["id"]) if goes_alone else None
    return TrainingSummary(
        id=row["id"],
        name=row["name"],
        model=row["model"],
        backend=row["backend"],
        device=row["device"],
        phase=phase,
        reason=row["reason"],
        wish=TrainingWish(row["wish"]),
        priority=row["priority"],
        at_work=at_work,
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        step=row["step"] if told is None else told,
        total_steps=row["total_steps"],
        rows=row["rows"],
        held_out=row["held_out"],
        evaluated=at_work and is_evaluated(paths, row["id"]),
    )
