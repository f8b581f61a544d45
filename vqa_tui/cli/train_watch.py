"""`vqa-tui train watch`: one line for each thing a training tells of itself, until it ends."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import note, say
from vqa_tui.domain.plain_json import as_json
from vqa_tui.domain.training_events import Answered, Event, LeftOut, Looked, Saved, Started, Stepped, event_line

if TYPE_CHECKING:
    from vqa_tui.domain.training import TrainingSummary
    from vqa_tui.operations.workspace import Workspace

_LOOK_EVERY_S = 0.5
_INTERRUPTED = 130


def watch(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING", help="Name or number of the training.", show_default=False)
    ],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Watch a training until it ends; Ctrl+C leaves it at work. The exit status is 1 when it failed. With `--json` each
    line is an object: an event as in `metrics.jsonl`, or `phase`, with the reason, of which the last is the end."""

    async def work(opened: "Workspace") -> "TrainingSummary":
        return await follow(opened, training, json=json)

    try:
        ended = in_workspace(workspace, work)
    except KeyboardInterrupt:
        note("It goes on without this terminal.")
        raise typer.Exit(_INTERRUPTED) from None
    if json:
        typer.echo(_phase_line(ended))
    if ended.is_lost:
        note(f"{ended.name} is lost: its process is gone. `vqa-tui train resume {ended.id}` lets it go on.")
        raise typer.Exit(1)
    if not json:
        say(f"{ended.name}: {ended.phase}" + (f": {ended.reason}" if ended.reason else ""))
    if ended.phase == "failed":
        raise typer.Exit(1)


async def follow(opened: "Workspace", named: str, *, json: bool = False) -> "TrainingSummary":
    """Print what a training tells of itself until no process of it lives, as words or as JSON lines, and return how it
    stands then."""
    import asyncio

    from vqa_tui.operations import trainings

    number = await trainings.find_training(opened, named)
    read, phase = 0, ""
    while True:
        # Before the events: what a training wrote before it ended is then told as well.
        found = await trainings.training_summary(opened, number)
        told = await trainings.training_events(opened, number, after_bytes=read)
        read = told.read_bytes
        for event in told.events:
            if json:
                typer.echo(event_line(event))
            elif words := event_words(event):
                say(words)
        if found.phase != phase and found.phase.is_live:
            phase = found.phase
            if json:
                typer.echo(_phase_line(found))
            else:
                say(f"{phase}" + (f": {found.reason}" if found.reason else ""))
        if not found.at_work:
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


def _phase_line(training: "TrainingSummary") -> str:
    return as_json({"event": "phase", "phase": training.phase, "reason": training.reason, "is_lost": training.is_lost})


def event_words(event: Event) -> str:
    """Return one line about an event; empty for one that needs none."""
    match event:
        case Started():
            return f"{event.rows:,} rows on {event.device} in {event.precision}, {event.total_steps:,} steps"
        case Stepped():
            loss = "not a number" if event.loss is None else f"{event.loss:.4f}"
            return f"step {event.step:,}  loss {loss}  rate {event.learning_rate:.3g}  {event.seconds:.2f} s"
        case Looked():
            return f"held-out rows: loss {'not a number' if event.loss is None else f'{event.loss:.4f}'}"
        case Saved():
            return f"checkpoint {event.step:,} saved"
        case LeftOut():
            return f"left out: {event.key}: {event.reason}"
        case Answered():
            return f"{event.key}: {event.question} → {event.answer} (reference: {event.reference})"
    return ""
