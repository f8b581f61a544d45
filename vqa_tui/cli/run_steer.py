"""`vqa-tui run pause`, resume, stop, approve, retry and set: what a person wants of a run."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, command_line, each_once, in_workspace
from vqa_tui.cli.output import print_facts, say, warn
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.run import Limits, RunView
    from vqa_tui.operations.limits import LimitInForce
    from vqa_tui.operations.workspace import Workspace

NowOption = Annotated[
    bool, typer.Option("--now", help="Cancel what is in flight too; what it asks is asked again later.")
]


def pause(run: RunArgument, now: NowOption = False, workspace: WorkspaceOption = None) -> None:
    """Stop starting requests; what is in flight ends first."""
    from vqa_tui.operations.runs import find_run, pause_run

    async def work(opened: "Workspace") -> None:
        await pause_run(opened, await find_run(opened, run), cancel_in_flight=now)

    in_workspace(workspace, work)
    say(f"Pausing. To go on:  {command_line(f'run resume {run}', workspace)}")


def resume(run: RunArgument, workspace: WorkspaceOption = None) -> None:
    """Let a run go on, whatever it waits for; an engine that is gone is started anew."""
    from vqa_tui.operations.runs import find_run, resume_run

    async def work(opened: "Workspace") -> None:
        await resume_run(opened, await find_run(opened, run))

    in_workspace(workspace, work)
    say(f"Going on. To watch it:  {command_line(f'run watch {run}', workspace)}")


def stop(run: RunArgument, now: NowOption = False, workspace: WorkspaceOption = None) -> None:
    """End the engine of a run; what is done stays, and the run can be resumed later."""
    from vqa_tui.operations.runs import find_run, stop_run

    async def work(opened: "Workspace") -> None:
        await stop_run(opened, await find_run(opened, run), cancel_in_flight=now)

    in_workspace(workspace, work)
    say(f"Stopping. To take it up again:  {command_line(f'run resume {run}', workspace)}")


def approve(run: RunArgument, workspace: WorkspaceOption = None) -> None:
    """Approve the pilot of a run, so that it asks about the rest."""
    from vqa_tui.operations.runs import approve_run, find_run

    async def work(opened: "Workspace") -> None:
        await approve_run(opened, await find_run(opened, run))

    in_workspace(workspace, work)
    say(f"Approved. To watch it:  {command_line(f'run watch {run}', workspace)}")


def retry(
    run: RunArgument,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", metavar="K", help="Only failures of this kind; may be repeated.")
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put the failed pictures of a run back into its queue; a run that had ended goes on."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.queue_edits import retry_failed
    from vqa_tui.operations.runs import find_run, run_view
    from vqa_tui.tui.present.following import twice_words
    from vqa_tui.tui.present.numbers import plural

    async def work(opened: "Workspace") -> "tuple[int, RunView]":
        run_id = await find_run(opened, run)
        return await retry_failed(opened, run_id, kinds=kind or ()), await run_view(opened, run_id)

    count, view = in_workspace(workspace, work)
    if count and (twice := twice_words(view)):
        warn(twice)
    if json:
        print_json({"changed": count})
    elif count:
        watch_it = command_line(f"run watch {run}", workspace)
        say(f"{plural(count, view.unit)} will be asked again. To watch it:  {watch_it}")
    else:
        say(f"Nothing to ask again: no {view.unit} of this run failed like that.")


def set_limits(
    run: RunArgument,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="budget=USD, concurrency=N, max_attempts=N, max_side=PIXELS (or original, or recipe), hedge=on; by "
            "name of a key or quota group rpm.NAME=N, tpm.NAME=N, input_tpm.NAME=N, output_tpm.NAME=N, rpd.NAME=N. "
            "`none` lifts the budget, and gives back the quota of the endpoint's file.",
        ),
    ],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Change the limits of a run while it works; nothing is changed when one of them is wrong."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.run_lines import limit_facts
    from vqa_tui.operations import limits
    from vqa_tui.operations.runs import find_run

    wanted = each_once(map(_key_and_value, changes))

    async def work(opened: "Workspace") -> "tuple[Limits, tuple[LimitInForce, ...]]":
        run_id = await find_run(opened, run)
        return await limits.set_limits(opened, run_id, wanted), await limits.limits_in_force(opened, run_id)

    changed, in_force = in_workspace(workspace, work)
    if json:
        print_json(changed)
    else:
        print_facts(limit_facts(in_force))


def _key_and_value(change: str) -> tuple[str, str]:
    key, equals, value = change.partition("=")
    if not (key.strip() and equals and value.strip()):
        raise VqaError(f"{change!r} is not of the form key=value", hint="For example: concurrency=32 budget=20")
    return key.strip(), value
