"""Trainings, their checkpoints, answers and spikes as rows."""

from collections.abc import Callable, Collection

from textual.content import Content

from vqa_tui.domain.training import TrainingPhase, TrainingSummary
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import count, file_size, moment
from vqa_tui.tui.present.phases import BAD, BUSY, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import Row, text
from vqa_tui.tui.present.training_plot import figure

TRAINING_COLUMNS = (
    Column("No", 2, 6, right=True),
    Column("Name", 8, 40, grow=True),
    Column("State", 12, 16),
    Column("Step", 7, 19, right=True),
    Column("Model", 8, 40, soft=True, drop=2),
    Column("Began", 8, 16, drop=1),
)
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


def training_row(training: TrainingSummary, now: float, place: tuple[int, int] | None = None) -> Row:
    """Return one training of the list; `place`: where it waits for its device, among how many."""
    state = training_state(training)
    if place is not None:
        state = Content.assemble(state, (f" {place[0]}/{place[1]}", QUIET))
    total = f"{count(training.total_steps)}" if training.total_steps else "–"
    return Row(
        training.id,
        (
            Content(str(training.id)),
            text(training.name, "bold"),
            state,
            text(f"{count(training.step)}/{total}"),
            text(training.model, QUIET),
            text(moment(training.started_at or training.created_at, now), QUIET),
        ),
    )


def training_state(training: TrainingSummary) -> Content:
    """Return the phase with its mark, that it is being judged, or that its process is gone."""
    if training.evaluated:
        return Content.styled("● evaluating", BUSY)
    if training.is_lost:
        return Content.styled("✖ lost", BAD)
    mark, style = _STATES[training.phase]
    return Content.styled(f"{mark} {training.phase}", style)


CHECKPOINT_COLUMNS = (
    Column("Step", 4, 9, right=True),
    Column("Held out", 8, 8, right=True),
    Column("Size", 6, 8, right=True),
    Column("", 0, 20, grow=True),
)
SAMPLE_COLUMNS = (
    Column("Step", 4, 9, right=True),
    Column("", 1, 1),
    Column("Question", 10, 60, soft=True),
    Column("Reference", 10, 60, grow=True),
    Column("Answer", 10, 60, grow=True),
)
SPIKE_COLUMNS = (
    Column("Step", 4, 9, right=True),
    Column("Loss", 6, 8, right=True),
    Column("Above", 6, 9, right=True),
    Column("Rows", 4, 8, right=True, grow=True),
)


def checkpoint_rows(course: TrainingCourse, kept: Collection[int]) -> list[Row]:
    """Return the checkpoints, newest first: which has the lowest loss, and which gave their place to newer ones."""
    best = course.best
    rows = []
    for each in reversed(course.saved):
        there = each.step in kept
        note = Content.styled("★ lowest loss", GOOD) if each is best else Content("")
        if not there:
            note = Content.styled("removed since", QUIET)
        style = "" if there else QUIET
        cells = (text(count(each.step), style), text(figure(each.loss), style), text(file_size(each.size_bytes), style))
        rows.append(Row((each.step, each.at), (*cells, note)))
    return rows


def sample_rows(course: TrainingCourse) -> list[Row]:
    """Return what was answered to held-out rows, newest look first; the row's id is where it stands in the course."""
    rows = []
    for index in sorted(range(len(course.answers)), key=lambda index: (-course.answers[index].step, index)):
        each = course.answers[index]
        right = same_words(each.reference, each.answer)
        mark = Content.styled("✔", GOOD) if right else Content.styled("·", QUIET)
        cells = (text(count(each.step)), mark, text(each.question, QUIET), text(each.reference), text(each.answer))
        rows.append(Row(index, cells))
    return rows


def same_words(reference: str, answer: str) -> bool:
    """Whether an answer is the reference but for case and white space."""
    return " ".join(reference.casefold().split()) == " ".join(answer.casefold().split())


def spike_rows(course: TrainingCourse) -> list[Row]:
    """Return the steps whose loss stands out of the smoothed loss before them, the highest first."""
    rows = []
    for each in course.spikes():
        behind = len(course.rows_of(each.step))
        above = Content.styled(f"+{figure(each.above)}", WARN)
        rows.append(
            Row(each.step, (text(count(each.step)), text(figure(each.loss)), above, text(count(behind), QUIET)))
        )
    return rows


def trainings_empty(command: Callable[[str], str]) -> Content:
    """Return what there is to do where nothing was trained; `command` makes the line that a person types."""
    return Content.assemble(
        ("No training yet", "bold"),
        "\n\nA training learns from the pairs of a run. Review them (5), then press ",
        ("n", "bold"),
        " for a menu of configurations, or type:\n\n",
        (command("train start train_tiny --run RUN"), "bold $text-primary"),
        ("\n\nLoss, answers, checkpoints and the log of each training are shown here while it works.", QUIET),
    )
