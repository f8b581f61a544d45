"""The menu of a new training in words: configurations, what each learns from, and the command that is run."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.bars import gauge
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import Row, text

if TYPE_CHECKING:
    from vqa_tui.operations.training_choices import PairsOfRun, TrainingChoice
    from vqa_tui.operations.training_estimate import TrainingEstimate

CONFIG_COLUMNS = (
    Column("", 1, 1),
    Column("Name", 8, 30),
    Column("Model", 6, 34),
    Column("What it is", 10, 200, soft=True, grow=True),
)
_LIMIT = 1_000
_GIB = 1 << 30
_GAUGE = 20


def choice_row(choice: "TrainingChoice") -> Row:
    """Return one configuration; one that cannot start here is marked and grey."""
    usable = not choice.why_not
    mark = Content.styled("●", GOOD) if usable else Content.styled("✖", WARN if choice.config else BAD)
    model = choice.config.model if choice.config else "–"
    words = choice.description if usable else choice.why_not
    return Row(
        choice.name, (mark, text(choice.name, "bold" if usable else QUIET), text(model, QUIET), text(words, QUIET))
    )


def choice_text(choice: "TrainingChoice | None") -> Content:
    """Return what the configuration under the cursor does, or why it cannot start."""
    if choice is None:
        return Content.styled("There is no configuration.", WARN)
    if choice.why_not:
        return Content.styled(clean(choice.why_not, limit=_LIMIT), WARN)
    config = choice.config
    assert config is not None
    length = f"{count(config.max_steps)} steps" if config.max_steps else f"{config.epochs:g} epochs"
    learns = "LoRA" if config.lora else "all weights"
    words = (
        f"{learns}, {length}, {plural(config.rows_per_step, 'row')} a step, rate {config.rate:g}, {config.precision}"
    )
    described = f"{clean(choice.description, one_line=True, limit=200)}\n" if choice.description else ""
    return Content.assemble(described, words, (f"   {clean(str(choice.path), one_line=True, limit=200)}", QUIET))


def device_words(devices: Sequence[str]) -> str:
    """Return what can be typed as a device, of which `cpu` is the first and the others are GPUs."""
    _, *gpus = devices
    several = f"; several: {gpus[0]},{gpus[1].removeprefix('gpu ')}" if len(gpus) > 1 else ""
    return f"the GPU; or {devices[0]}" if len(gpus) == 1 else f"one that is free; or {', '.join(devices)}{several}"


def run_words(run: "PairsOfRun") -> Content:
    """Return a run as a source, with how many pairs it has and what a person said of them."""
    parts = [f"{count(run.accepted)} accepted"] * bool(run.accepted) + [f"{count(run.rejected)} rejected"] * bool(
        run.rejected
    )
    verdicts = f", {', '.join(parts)}" if parts else ", none reviewed"
    name = clean(run.name, one_line=True, limit=60)
    return Content.assemble(f"run {name}", (f"  {plural(run.pairs, 'pair')}{verdicts}", QUIET))


def command_text(command: Sequence[str]) -> Content:
    """Return the command as it could be typed."""
    return Content.assemble(("$ ", QUIET), clean(shlex.join(command), one_line=True, limit=_LIMIT))


def estimate_text(found: "TrainingEstimate") -> Content:
    """Return what memory a training takes against what its device has, whether that fits in a word, and its parts."""
    device = clean(found.device, one_line=True, limit=60)
    if found.fits is None or found.device_bytes is None:
        verdict = Content.styled(f"? {device} does not tell what memory it has", WARN)
        sizes = f"   takes about {_gib(found.total_bytes)} GiB"
    else:
        style = GOOD if found.fits else BAD
        verdict = Content.styled("✔ fits" if found.fits else "✖ does not fit", style)
        bar = gauge(min(found.total_bytes, found.device_bytes), found.device_bytes, _GAUGE, style=style)
        verdict = Content.assemble(verdict, "   ", bar)
        sizes = f"   about {_gib(found.total_bytes)} of {_gib(found.device_bytes)} GiB, {device}"
    refused = f"\n✖ {clean(found.obstacle, one_line=True, limit=200)}" if found.obstacle else ""
    parts = " · ".join(
        f"{clean(name, one_line=True, limit=40)} {_gib(size)}" for name, size in found.memory.parts.items() if size
    )
    return Content.assemble(verdict, sizes, (refused, BAD), "\n", (parts, QUIET))


def no_estimate_text(words: str) -> Content:
    """Return why nobody knows what memory a training takes; hostile text."""
    return Content.styled(f"? memory unknown: {clean(words, one_line=True, limit=400)}", WARN)


def _gib(size: int) -> str:
    return f"{size / _GIB:.2f}" if size < _GIB else f"{size / _GIB:,.1f}"
