"""`vqa-tui train …`: trainings of the workspace: started, listed, looked at and steered."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vqa_tui.cli.asking import NOTHING_DELETED, confirmed, require_somebody
from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import Column, print_facts, print_table, say
from vqa_tui.cli.train_estimate import estimate
from vqa_tui.cli.train_evaluate import evaluate
from vqa_tui.cli.train_models import models
from vqa_tui.cli.train_priority import priority
from vqa_tui.cli.train_serve import serve
from vqa_tui.cli.train_start import configs, start
from vqa_tui.cli.train_watch import watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vqa_tui.domain.training import TrainingSummary
    from vqa_tui.operations.workspace import Workspace
    from vqa_tui.process.serving import Served

_T = TypeVar("_T")
app = typer.Typer(no_args_is_help=True, help="Teach a model from reviewed pairs.", rich_markup_mode=None)
TrainingArgument = Annotated[
    str, typer.Argument(metavar="TRAINING", help="Name or number of the training.", show_default=False)
]

app.command("start")(start)
app.command("configs")(configs)
app.command("models")(models)
app.command("watch")(watch)
app.command("evaluate")(evaluate)
app.command("estimate")(estimate)
app.command("serve")(serve)
app.command("priority", context_settings={"ignore_unknown_options": True})(priority)  # so that -1 is a number


@app.command("list")
def list_trainings(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the trainings of the workspace, newest first, with the place in line of those that wait for a device."""
    from dataclasses import asdict

    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.training import place_in_line
    from vqa_tui.operations import trainings

    async def work(opened: "Workspace") -> "tuple[TrainingSummary, ...]":
        return await trainings.list_trainings(opened)

    found = in_workspace(workspace, work)
    if json:
        print_json([{**asdict(each), "place": (place_in_line(each, found) or (None,))[0]} for each in found])
        return
    columns = (
        Column("no", right=True), Column("name"), Column("state"), Column("step", right=True), Column("of", right=True),
        Column("model"), Column("rows", right=True), Column("device"), Column("priority", right=True), Column("place"),
        Column("reason"),
    )  # fmt: skip
    rows = [
        (
            str(each.id), each.name, state_word(each), f"{each.step:,}",
            "–" if each.total_steps is None else f"{each.total_steps:,}",
            each.model, f"{each.rows:,}", each.device, f"{each.priority:,}", _place(each, found), each.reason,
        )
        for each in found
    ]  # fmt: skip
    print_table(columns, rows, empty="No training yet. `vqa-tui train start CONFIG --run RUN` starts one.")


@app.command("show")
def show(training: TrainingArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show how a training stands, what it told of itself last, and where its files are."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.train_facts import training_facts
    from vqa_tui.operations import trainings
    from vqa_tui.operations.training_document import training_document
    from vqa_tui.operations.training_serve import served_training

    async def work(opened: "Workspace") -> "tuple[TrainingSummary, trainings.TrainingEvents, str, Served | None]":
        number = await trainings.find_training(opened, training)
        found = await trainings.training_summary(opened, number)
        told = await trainings.training_events(opened, number)
        return found, told, str(opened.paths.training_folder(number)), served_training(opened, number)

    found, told, folder, served = in_workspace(workspace, work)
    kept = trainings.kept_checkpoints(Path(folder))
    if json:
        print_json({**training_document(found, told.events, folder, kept), "served": served})
        return
    facts = training_facts(found, told.events, folder, kept)
    print_facts([*facts, *([("served", _served(served))] if served else [])])


def _served(server: "Served") -> str:
    where = f"{server.base_url}, as endpoint {server.endpoint}"
    if server.state == "failed":
        return "failed: who started it was gone before it answered; `train serve TRAINING --stop` ends it"
    return where if server.state == "serving" else f"{server.state}, to answer at {where}"


@app.command("stop")
def stop(training: TrainingArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Let a training finish its step, write a checkpoint and end."""
    from vqa_tui.operations.training_start import stop_training

    before = _steer(training, workspace, stop_training, json)
    if json:
        return
    said = "It waited for its device and leaves the line" if before.waits else "Stopping; a checkpoint is written first"
    say(f"{said}. To go on:  {command_line(f'train resume {training}', workspace)}")


@app.command("cancel")
def cancel(training: TrainingArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """End a training at once; what came after its last checkpoint is lost. Of one that is being evaluated the
    evaluation is ended."""
    from vqa_tui.operations.training_start import cancel_training

    before = _steer(training, workspace, cancel_training, json)
    if json:
        return
    if before.evaluated:
        say("The evaluation is ended; the training stays what it was.")
        return
    say(f"Cancelling. To see it end:  {command_line(f'train watch {training}', workspace)}")


@app.command("resume")
def resume(training: TrainingArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Let a training go on from its newest whole checkpoint."""
    from vqa_tui.operations.training_start import resume_training

    _steer(training, workspace, resume_training, json)
    if json:
        return
    say(f"Going on. To watch it:  {command_line(f'train watch {training}', workspace)}")


@app.command("rename")
def rename(
    training: TrainingArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name.", show_default=False)],
    workspace: WorkspaceOption = None,
) -> None:
    """Give a training another name."""
    from vqa_tui.operations.trainings import rename_training

    async def act(opened: "Workspace", number: int) -> None:
        await rename_training(opened, number, name)

    _steer(training, workspace, act)
    say(f"It is called {name} now.")


@app.command("delete")
def delete(
    training: TrainingArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete a training with its checkpoints, its adapter and its log."""
    from vqa_tui.operations.training_start import delete_training

    if not yes:
        words = f"the training {training} with its checkpoints and its adapter"
        require_somebody(f"this deletes {words}")
        if not confirmed(f"Delete {words}?", otherwise=NOTHING_DELETED):
            say(NOTHING_DELETED)
            return
    _steer(training, workspace, delete_training)
    say("Deleted.")


@app.command("log")
def show_log(training: TrainingArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show the end of a training's log."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import trainings

    async def work(opened: "Workspace") -> str:
        return await trainings.training_log(opened, await trainings.find_training(opened, training))

    log = in_workspace(workspace, work)
    if json:
        print_json({"log": log})
        return
    say(log.rstrip("\n"))


def _place(training: "TrainingSummary", found: "tuple[TrainingSummary, ...]") -> str:
    from vqa_tui.domain.training import place_in_line

    place = place_in_line(training, found)
    return f"{place[0]:,} of {place[1]:,}" if place is not None else ""


def state_word(training: "TrainingSummary") -> str:
    """Return the phase, that it is being judged, or that its process is gone."""
    if training.evaluated:
        return "evaluating"
    return "lost" if training.is_lost else str(training.phase)


def _steer(
    named: str, workspace: "WorkspaceOption", act: "Callable[[Workspace, int], Awaitable[_T]]", json: bool = False
) -> "_T":
    """Do it and return what that returned; with `json` print how the training stands then, as `train list` does."""
    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.operations.trainings import find_training, training_summary

    async def work(opened: "Workspace") -> "_T":
        number = await find_training(opened, named)
        done = await act(opened, number)
        if json:
            found = await training_summary(opened, number)
            print_json({**plain(found), "is_lost": found.is_lost})
        return done

    return in_workspace(workspace, work)
