"""`vqa-tui run …`: list, show and watch runs; starting and steering them stand in files of their own."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, note, print_facts, print_table, say
from vqa_tui.cli.run_edits import archive, compare, delete, list_deleted, rename
from vqa_tui.cli.run_failures import failures
from vqa_tui.cli.run_history import events, history
from vqa_tui.cli.run_start import start
from vqa_tui.cli.run_steer import approve, pause, resume, retry, set_limits, stop

if TYPE_CHECKING:
    from vqa_tui.domain.run import RunSummary
    from vqa_tui.domain.run_contents import DeletedRuns
    from vqa_tui.operations.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Start, watch and steer runs.", rich_markup_mode=None)

app.command("start")(start)


@app.command("list")
def list_runs(
    archived: Annotated[bool, typer.Option("--archived", help="List archived runs too.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="List what stays known of deleted runs instead.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the runs of the workspace, newest first; archived ones only when asked for."""
    if deleted:
        list_deleted(json, workspace)
        return
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.run_lines import first_sentence, state_words
    from vqa_tui.domain.run import EngineState
    from vqa_tui.operations.run_edits import deleted_runs
    from vqa_tui.operations.runs import list_runs as all_runs
    from vqa_tui.tui.present.consequences import deleted_words
    from vqa_tui.tui.present.following import following_words
    from vqa_tui.tui.present.numbers import count, known_money, plural, utc

    async def read(opened: "Workspace") -> "tuple[list[RunSummary], DeletedRuns]":
        return await all_runs(opened), await deleted_runs(opened)

    found, gone = in_workspace(workspace, read)
    summaries = [run for run in found if archived or run.archived_at is None or run.engine is not EngineState.NONE]
    if json:
        print_json(summaries)
        return
    columns = [
        Column("id", right=True),
        Column("name"),
        Column("state"),
        Column("done", right=True),
        Column("failed", right=True),
        Column("of", right=True),
        Column("spent", right=True),
        Column("dataset"),
        Column("recipe"),
        Column("endpoint"),
        Column("created"),
        Column("reason"),
    ]
    hidden = len(found) - len(summaries)
    print_table(
        columns,
        (
            (
                str(run.id),
                run.name,
                state_words(run.phase, run.engine) + (", archived" if run.archived_at is not None else ""),
                count(run.counts.done),
                count(run.counts.failed),
                count(run.counts.total),
                known_money(run.spent, price_known=run.price_known),
                run.dataset,
                run.recipe,
                run.endpoint,
                utc(run.created_at),
                "; ".join(part for part in (first_sentence(run.phase_reason), following_words(run)) if part),
            )
            for run in summaries
        ),
        empty="" if hidden else "No runs yet. `vqa-tui run start --help` tells how to begin one.",
    )
    if hidden:
        note(f"{plural(hidden, 'archived run')} not listed; --archived lists them too.")
    if gone.runs:
        note(f"Spent beside: {deleted_words(gone)}; --deleted lists {'it' if gone.runs == 1 else 'them'}.")


@app.command()
def show(run: RunArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show everything about one run: counts, cost, keys, limits, failures, what it waits for."""
    import time

    from vqa_tui.cli import run_lines
    from vqa_tui.cli.json_output import print_json, run_document
    from vqa_tui.operations.limits import limits_in_force
    from vqa_tui.operations.runs import find_run, run_view
    from vqa_tui.tui.present.numbers import plural

    async def work(opened: "Workspace") -> None:
        run_id = await find_run(opened, run)
        view, limits, now = await run_view(opened, run_id), await limits_in_force(opened, run_id), time.time()
        if json:
            print_json({**run_document(view), "limits_in_force": limits})
            return
        engine = f"{view.engine.state}" + (f", process {view.engine.pid}" if view.engine.pid is not None else "")
        print_facts(
            [
                ("run", f"{view.id}  {run_lines.headline(view)}"),
                ("made of", f"{view.dataset} × {view.recipe} × {view.endpoint} ({view.model})"),
                ("follows", view.follows),
                ("followed by", ", ".join(view.followed_by)),
                ("progress", run_lines.progress_words(view.counts)),
                ("pairs", plural(view.samples, "pair")),
                ("pace", run_lines.pace_words(view)),
                ("throttle", run_lines.throttle_words(view, now)),
                ("cost", run_lines.cost_words(view)),
                ("billed", run_lines.estimate_words(view)),
                ("limits", "\n".join(f"{name} {words}" for name, words in run_lines.limit_facts(limits))),
                ("failures", run_lines.failure_words(view)),
                ("why idle", view.why_idle),
                ("engine", engine),
            ]
        )
        if view.keys:
            say()
            numbers = run_lines.FIRST_NUMBER
            columns = [Column(title, right=index >= numbers) for index, title in enumerate(run_lines.KEY_TITLES)]
            print_table(columns, (run_lines.key_words(key, now) for key in view.keys), empty="")
        if view.events:
            say()
            for event in reversed(view.events):
                say(run_lines.event_words(event))

    in_workspace(workspace, work)


@app.command()
def watch(run: RunArgument, workspace: WorkspaceOption = None) -> None:
    """Watch a run until it ends or waits. Ctrl+C pauses it; a second Ctrl+C leaves it to itself."""
    from vqa_tui.cli.run_watch import RunWatch
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> int:
        run_id = await find_run(opened, run)
        return await RunWatch(opened, run_id, workspace).to_the_end()

    raise typer.Exit(in_workspace(workspace, work))


for command in (
    pause, resume, stop, approve, retry, rename, archive, delete, compare, history, events, failures,
):  # fmt: skip
    app.command()(command)
app.command("set")(set_limits)
