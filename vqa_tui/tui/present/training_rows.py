"""Trainings as rows, and the lines of a log as a terminal would show them."""

from collections.abc import Callable

from textual.content import Content

from vqa_tui.domain.training import TrainingPhase, TrainingSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import count, moment
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import Row, text

TRAINING_COLUMNS = (
    Column("No", 2, 6, right=True),
    Column("Name", 8, 40, grow=True),
    Column("State", 9, 12),
    Column("Step", 5, 19, right=True),
    Column("Model", 8, 40, soft=True, drop=2),
    Column("Began", 8, 16, drop=1),
)
MOST_LINES = 5_000
_LONGEST = 2_000
_STATES = {
    TrainingPhase.QUEUED: ("○", QUIET),
    TrainingPhase.STARTING: ("●", GOOD),
    TrainingPhase.TRAINING: ("●", GOOD),
    TrainingPhase.STOPPING: ("◐", WARN),
    TrainingPhase.SAVING: ("●", GOOD),
    TrainingPhase.DONE: ("✔", GOOD),
    TrainingPhase.STOPPED: ("■", WARN),
    TrainingPhase.CANCELLED: ("■", QUIET),
    TrainingPhase.FAILED: ("✖", BAD),
}


def training_row(training: TrainingSummary, now: float) -> Row:
    """Return one training of the list."""
    total = f"{count(training.total_steps)}" if training.total_steps else "–"
    return Row(
        training.id,
        (
            Content(str(training.id)),
            text(training.name, "bold"),
            training_state(training),
            text(f"{count(training.step)}/{total}"),
            text(training.model, QUIET),
            text(moment(training.started_at or training.created_at, now), QUIET),
        ),
    )


def training_state(training: TrainingSummary) -> Content:
    """Return the phase with its mark, or that its process is gone."""
    if training.is_lost:
        return Content.styled("✖ lost", BAD)
    mark, style = _STATES[training.phase]
    return Content.styled(f"{mark} {training.phase}", style)


def log_lines(log: str) -> list[str]:
    """Return the newest lines of a log, each safe to show: of a progress bar drawn over itself, only its last state."""
    lines = log.split("\n")[-MOST_LINES - 1 :]
    if lines and not lines[-1]:
        lines.pop()
    return [clean(_last_state(line), one_line=False, limit=_LONGEST).replace("\n", " ") for line in lines]


def _last_state(line: str) -> str:
    """A carriage return begins the line anew."""
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def trainings_empty(command: Callable[[str], str]) -> Content:
    """Return what there is to do where nothing was trained; `command` makes the line that a person types."""
    return Content.assemble(
        ("No training yet", "bold"),
        "\n\nA training learns from the pairs of a run. Review them (5), then write them as a file:\n\n",
        (command("export RUN qwen train.jsonl --split 0.9/0.1"), "bold $text-primary"),
        ("\n\nThe log of every training of this workspace is shown here while it is written.", QUIET),
    )
