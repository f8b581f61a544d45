"""Trainings as rows, and the lines of a log as a terminal would show them."""

from collections.abc import Callable

from textual.content import Content

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import file_size, moment
from vqa_tui.tui.present.phases import GOOD, QUIET
from vqa_tui.tui.present.rows import Row, text

TRAINING_COLUMNS = (
    Column("No", 2, 6, right=True),
    Column("State", 9, 12),
    Column("Started", 8, 16, grow=True),
    Column("Log", 4, 9, right=True, drop=1),
)
MOST_LINES = 5_000
_LONGEST = 2_000


def training_row(training: TrainingSummary, now: float) -> Row:
    """Return one training: its number, whether its process lives, when it began, how long its log is."""
    state = Content.styled("● at work", GOOD) if training.at_work else Content.styled("○ at rest", QUIET)
    cells = (
        Content(str(training.id)),
        state,
        text(moment(training.started_at, now)),
        text(file_size(training.log_bytes), QUIET),
    )
    return Row(training.id, cells)


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
