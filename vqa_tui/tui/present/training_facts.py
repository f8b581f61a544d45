"""What a training is and how it stands, in names and values."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish, waiting_line
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.bars import gauge
from vqa_tui.tui.present.facts import facts, heading
from vqa_tui.tui.present.numbers import compact, count, duration, file_size, moment, plural, rate, share
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.present.training_plot import figure
from vqa_tui.tui.present.training_rows import training_state

if TYPE_CHECKING:
    from vqa_tui.operations.training_serve import ServingSight

_LONG = 2_000
_LEFT_OUT_SHOWN = 200


def training_header(training: TrainingSummary | None, course: TrainingCourse | None) -> Content:
    """Return where one is, and of the training under the cursor its state, how far it is and when it ends."""
    parts = [Content.assemble(("vqa-tui › ", QUIET), ("training", "bold"))]
    if training is not None:
        parts[0] = Content.assemble(parts[0], (" › ", QUIET), clean(training.name, one_line=True, limit=60))
        parts.append(training_state(training))
        if training.total_steps:
            parts.append(Content(f"{count(training.step)} / {count(training.total_steps)}"))
        if _paced(training) and course is not None and course.eta_s is not None:
            parts.append(Content.assemble(("ETA ", QUIET), duration(course.eta_s)))
    return Content("   ").join(parts)


def _paced(training: TrainingSummary) -> bool:
    """Whether steps are being done: before the first one of a session the pace known is that of the one before."""
    return training.at_work and not training.evaluated and training.phase is TrainingPhase.TRAINING


def training_facts(
    training: TrainingSummary,
    course: TrainingCourse,
    config: TrainingConfig,
    *,
    source: str,
    folder: Path,
    command: Sequence[str],
    now: float,
    width: int,
    every: Sequence[TrainingSummary] = (),
    serving: "ServingSight | None" = None,
) -> Content:
    """Return how a training stands, what it works on, and what it was made of; `every` are all trainings, for the line
    before its device, and `serving` is what there is to see of its server."""
    parts = [
        facts(_standing(training, course, config, now, width), width),
        facts(_machine(training, course), width),
        Content.assemble(heading("Data"), "\n", facts(_data(training, course, source), width)),
        Content.assemble(heading("Configuration"), "\n", facts(_configuration(config), width)),
        Content.assemble(heading("Files"), "\n", facts(_files(folder, command), width)),
    ]
    if serving is not None and (server := server_text(serving, width)).plain:
        parts.insert(1, Content.assemble(heading("Server"), "\n", server))
    if training.at_work and waiting_line(every, training.device):
        parts.insert(1, Content.assemble(heading(f"In line for {_device(training)}"), "\n", line_text(training, every)))
    if course.left_out:
        parts.insert(-2, Content.assemble(heading("Left out"), "\n", left_out_text(course)))
    return Content("\n\n").join([part for part in parts if part.plain])


def server_text(sight: "ServingSight", width: int) -> Content:
    """Return where what was learned is served and as which endpoint, or why the last server did not come up."""
    if (served := sight.served) is None:
        return Content.styled(f"✖ {clean(sight.problem, limit=_LONG)}", BAD) if sight.problem else Content("")
    answers = served.state == "serving"
    state = Content.styled("● serving", GOOD) if answers else Content.styled(f"◐ {clean(served.state, limit=20)}", WARN)
    more = f"  with {clean(served.program, one_line=True, limit=40)}" + ("" if answers else ", no answer yet")
    pairs = [
        ("State", Content.assemble(state, (more, QUIET))),
        ("Endpoint", text(served.endpoint, "bold")),
        ("Address", text(served.base_url)),
    ]
    return facts(pairs, width)


def line_text(training: TrainingSummary, every: Sequence[TrainingSummary]) -> Content:
    """Return who has the device of a training, and who waits for it in which order; that one stands out by a mark."""
    lines = []
    for each in every:
        if each.device == training.device and each.at_work and not each.waits:
            mark, style = ("▸ ", "bold") if each.id == training.id else ("  ", "")
            lines.append(Content.assemble(mark, training_state(each), (f"  {_name(each)}", style)))
    for place, each in enumerate(waiting_line(every, training.device), start=1):
        priority = f"  priority {count(each.priority)}" if each.priority else ""
        own = each.id == training.id
        mark, style = ("▸ ", "bold") if own else ("  ", "")
        lines.append(Content.assemble(mark, (f"{place}. {_name(each)}", style), (priority, QUIET)))
    if training.waits:
        lines.append(Content.styled("  + and - let this one go earlier or later, P sets its priority", QUIET))
    return Content("\n").join(lines)


def _name(training: TrainingSummary) -> str:
    return clean(training.name, one_line=True, limit=40)


def _device(training: TrainingSummary) -> str:
    return clean(training.device, one_line=True, limit=40)


def left_out_text(course: TrainingCourse) -> Content:
    """Return the rows that could not be learned from, each with the reason."""
    lines = [
        Content.assemble(
            (f"{clean(each.key, one_line=True, limit=200)}  ", "bold"),
            (clean(each.reason, one_line=True, limit=400), WARN),
        )
        for each in course.left_out[:_LEFT_OUT_SHOWN]
    ]
    if (more := len(course.left_out) - _LEFT_OUT_SHOWN) > 0:
        lines.append(Content.styled(f"and {plural(more, 'more row')}", QUIET))
    return Content("\n").join(lines)


def _standing(
    training: TrainingSummary, course: TrainingCourse, config: TrainingConfig, now: float, width: int
) -> list[tuple[str, Content]]:
    live = training.at_work and not training.evaluated
    wanted = {TrainingWish.STOP: "stop wanted", TrainingWish.CANCEL: "cancel wanted"}.get(training.wish, "")
    state = training_state(training)
    if wanted and live and training.phase is not TrainingPhase.STOPPING:
        state = Content.assemble(state, (f" · {wanted}", WARN))
    if training.evaluated:
        state = Content.assemble(state, " · being evaluated")
    reason = "its process is gone; r lets it go on from its newest checkpoint" if training.is_lost else training.reason
    style = BAD if training.is_lost or training.phase is TrainingPhase.FAILED else ""
    found = [("State", state), ("", Content.styled(clean(reason, one_line=True, limit=_LONG), style))]
    if training.total_steps:
        steps = f"{count(training.step)} of {count(training.total_steps)}  {share(training.step, training.total_steps)}"
        room = min(width - len(steps) - 15, 30)
        drawn = gauge(training.step, training.total_steps, room) + Content("  ") if room > 5 else Content("")
        found.append(("Step", drawn + Content(steps)))
    if course.last is not None:
        epochs = f" of {config.epochs:g}" if config.max_steps is None else ""
        found.append(("Epoch", Content(f"{course.last.epoch:.2f}{epochs}")))
    began = training.started_at
    if began is not None:
        end = now if live else training.ended_at
        took = f"  {'for' if live else 'took'} {duration(end - began)}" if end is not None and end >= began else ""
        found.append(("Began", Content.assemble(moment(began, now), (took, QUIET))))
    if _paced(training) and course.eta_s is not None:
        found.append(("ETA", Content.assemble(duration(course.eta_s), ("  at the pace of this session", QUIET))))
    if len(course):
        found.append(("Loss", Content.assemble(figure(course.smoothed[-1]), ("  smoothed", QUIET))))
    if course.looks:
        found.append(("Held out", _held_out(course)))
    if (pace := course.pace) is not None:
        samples = pace.steps_per_s * config.rows_per_step
        words = f"{compact(pace.tokens_per_s)} tokens/s, rows {rate(samples)}, steps {rate(pace.steps_per_s)}"
        found.append(("Pace", Content(words)))
    if training.phase is TrainingPhase.QUEUED or training.priority:
        found.append(("Priority", Content(count(training.priority))))
    return found


def _held_out(course: TrainingCourse) -> Content:
    last = course.looks[-1]
    best = min((each for each in course.looks if each.loss is not None), key=lambda each: each.loss or 0, default=None)
    words = Content.assemble(figure(last.loss), (f"  at step {count(last.step)}", QUIET))
    if best is None or best is last:
        return words
    return Content.assemble(words, (", lowest ", QUIET), figure(best.loss), (f" at {count(best.step)}", QUIET))


def _machine(training: TrainingSummary, course: TrainingCourse) -> list[tuple[str, Content]]:
    started, last = course.started, course.last
    device = started.device if started is not None else training.device
    precision = f"  {started.precision}" if started is not None else ""
    found = [("Device", Content.assemble(clean(device, one_line=True, limit=120), (clean(precision, limit=20), QUIET)))]
    if started is not None:
        learn = f"{count(started.trainable)} of {count(started.parameters)} learn"
        found.append(("Weights", Content.assemble(learn, (f"  {share(started.trainable, started.parameters)}", QUIET))))
    if course.peak_memory_bytes is not None:
        total = started.memory_total_bytes if started is not None else None
        of = f" of {file_size(total)}  {share(course.peak_memory_bytes, total)}" if total else ""
        found.append(("Memory", Content.assemble(file_size(course.peak_memory_bytes), (of, QUIET))))
    if last is not None and last.utilisation is not None:
        found.append(("GPU busy", Content(f"{last.utilisation:.0f} %")))
    if last is not None and last.temperature_c is not None:
        found.append(("GPU heat", Content(f"{last.temperature_c:.0f} °C")))
    return found


def _data(training: TrainingSummary, course: TrainingCourse, source: str) -> list[tuple[str, Content]]:
    left = f", {count(len(course.left_out))} left out" if course.left_out else ""
    rows = Content.assemble(f"{count(training.rows)}, {count(training.held_out)} held out", (left, WARN))
    return [("Source", Content(clean(source, one_line=True, limit=400))), ("Rows", rows)]


def _configuration(config: TrainingConfig) -> list[tuple[str, Content]]:
    lora = config.lora
    learns = (
        f"LoRA r {lora.r}, alpha {lora.alpha}" + (", vision tower too" if lora.vision else "")
        if lora
        else "all weights"
    )
    batch = f"{config.device_batch} × {config.accumulation} batches"
    processes = config.launch.processes * config.launch.machines
    batch += f" × {processes} processes" if processes > 1 else ""
    length = f"{count(config.max_steps)} steps" if config.max_steps else f"{config.epochs:g} epochs"
    pixels = (
        f"{count(config.max_pixels)} pixels at most" if config.max_pixels else "as the model's own processor has them"
    )
    return [
        ("Name", text(config.name)),
        ("Model", text(config.model)),
        ("Back end", text(f"{config.backend}, {config.modality}" + (", 4 bits" if config.four_bit else ""))),
        ("Learns", text(learns)),
        ("Length", text(length)),
        ("Batch", text(f"{batch} = {plural(config.rows_per_step, 'row')} a step")),
        ("Rate", text(f"{config.rate:g}, {config.scheduler}, warm-up {config.warmup_share:.0%}")),
        ("Precision", text(config.precision)),
        ("Pictures", text(pixels) if config.modality == "vision" else Content("")),
        ("Saves", text(f"every {count(config.save_every)} steps, keeps {config.keep}")),
        ("Seed", text(str(config.seed))),
    ]


def _files(folder: Path, command: Sequence[str]) -> list[tuple[str, Content]]:
    return [("Folder", text(str(folder))), ("Command", text(shlex.join(command) if command else ""))]
