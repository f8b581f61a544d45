"""`vqa-tui item again`: chosen pictures once more, with something changed, here or at another endpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.asking import confirmed, require_somebody
from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note, say, warn
from vqa_tui.cli.plan import dollars, longest_side
from vqa_tui.cli.task_filter import task_filter
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.changes import TaskChanges
    from vqa_tui.domain.task import TaskFilter
    from vqa_tui.operations.follow_ups import Elsewhere
    from vqa_tui.operations.workspace import Workspace

_NOTHING_ASKED = "Nothing was asked."


def again(
    run: RunArgument,
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ITEM...]", help="Keys of the pictures, or numbers of their tasks.", show_default=False
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="K", help="All that failed in this way, as bad_reply; may be repeated."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="S", help="All that stand so: failed, done or skipped; may be repeated."),
    ] = None,
    max_tokens: Annotated[
        str | None,
        typer.Option("--max-tokens", metavar="N", help="Room for the reply, in tokens; default: the recipe's."),
    ] = None,
    max_side: Annotated[
        str | None,
        typer.Option("--max-side", metavar="PX", help="Longest side of the pictures sent, or `original`."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            "--endpoint", metavar="E", help="Ask another endpoint, in a run of its own that follows this one."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="M", help="With --endpoint: another model than its own.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="With --endpoint: name of the new run.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="USD",
            help="With --endpoint: hard cap of the new run in dollars, or `none`; one of them must be said where RUN "
            "has a budget.",
        ),
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="With --endpoint: also pictures that another run which follows RUN asks, or has asked, of the same "
            "model there. They are paid twice.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Ask chosen pictures again, with room for a longer reply, another picture size, or at another endpoint.

    Says how many and what it will cost, and asks first. Pairs of a picture stay until its new reply is stored.
    """
    from vqa_tui.domain.changes import TaskChanges
    from vqa_tui.operations.asking_again import parse_max_tokens
    from vqa_tui.operations.follow_ups import Elsewhere

    changes = TaskChanges(
        None if max_tokens is None else parse_max_tokens(max_tokens, field="--max-tokens"), longest_side(max_side)
    )
    elsewhere = None
    if endpoint is not None:
        uncapped = budget is not None and budget.strip().lower() == "none"
        elsewhere = Elsewhere(endpoint, model, name, None if uncapped else dollars(budget), uncapped, anyway)
    elif stray := next(
        (o for o, v in (("--model", model), ("--name", name), ("--budget", budget), ("--anyway", anyway)) if v), None
    ):
        raise VqaError(f"{stray} means nothing without --endpoint", hint="Name the endpoint that shall be asked.")
    wanted = _Wanted(run, items or (), _filter(items or (), kind or (), status or ()), changes, elsewhere)

    async def work(opened: "Workspace") -> int:
        return await wanted.carry_out(opened, workspace, yes=yes, json=json)

    if code := in_workspace(workspace, work):
        raise typer.Exit(code)


def _filter(items: Sequence[str], kinds: Sequence[str], statuses: Sequence[str]) -> "TaskFilter | None":
    """Return which pictures are meant where none is named; None where they are named."""
    if items and (kinds or statuses):
        raise VqaError("name pictures, or choose them by --kind and --status; both together are ambiguous")
    if items:
        return None
    if not kinds and not statuses:
        raise VqaError(
            "no picture is chosen", hint="Name some, or choose them: --status failed, or --kind bad_reply for one kind."
        )
    # A kind alone means those that failed in that way: others that met it once may be done by now.
    return task_filter(statuses or ("failed",), kinds)


class _Wanted:
    """What the command line asks for."""

    def __init__(
        self,
        run: str,
        items: Sequence[str],
        chosen: "TaskFilter | None",
        changes: "TaskChanges",
        elsewhere: "Elsewhere | None",
    ) -> None:
        self._run, self._items, self._filter = run, items, chosen
        self._changes, self._elsewhere = changes, elsewhere

    async def carry_out(self, opened: "Workspace", explicit: Path | None, *, yes: bool, json: bool) -> int:
        """Say what it will take, ask, and do it; return the exit code."""
        from vqa_tui.operations.runs import find_run

        run_id = await find_run(opened, self._run)
        ids = await self._ids(opened, run_id)
        await self._announce(opened, run_id, ids)
        if not yes:
            require_somebody("this asks the endpoint")
            if not confirmed("Ask them?", otherwise=_NOTHING_ASKED):
                note(_NOTHING_ASKED)
                return WORK_FAILED
        if self._elsewhere is None:
            await self._ask_here(opened, run_id, ids, explicit, json=json)
        else:
            await self._ask_elsewhere(opened, run_id, ids, self._elsewhere, explicit, json=json)
        return 0

    async def _ids(self, opened: "Workspace", run_id: int) -> Sequence[int]:
        from vqa_tui.operations.items import find_each_task, task_ids

        if self._filter is not None:
            return await task_ids(opened, run_id, self._filter)
        return await find_each_task(opened, run_id, self._items)

    async def _announce(self, opened: "Workspace", run_id: int, ids: Sequence[int]) -> None:
        from vqa_tui.operations.asking_again import chosen, plan_again
        from vqa_tui.operations.follow_ups import plan_elsewhere
        from vqa_tui.tui.present import again_words as words

        found, elsewhere = await chosen(opened, run_id, ids), self._elsewhere
        if elsewhere is None:
            plan = await plan_again(opened, run_id, ids, self._changes)
        else:
            plan = await plan_elsewhere(opened, run_id, ids, elsewhere, self._changes)
        note(words.chosen_words(found))
        where = "in the run itself" if elsewhere is None else f"at {elsewhere.endpoint}, in a new run"
        with_what = f", with {self._changes.in_words}" if self._changes else ""
        note(f"asked again {where}{with_what}: {words.cost_words(plan)}")
        for line in (
            "" if elsewhere else words.changed_words(found),
            words.pairs_words(found, elsewhere=elsewhere is not None),
            words.left_words(found, elsewhere=elsewhere is not None),
        ):
            if line:
                note(line)
        for warning in plan.warnings:
            warn(warning)

    async def _ask_here(
        self, opened: "Workspace", run_id: int, ids: Sequence[int], explicit: Path | None, *, json: bool
    ) -> None:
        from vqa_tui.cli.json_output import print_json
        from vqa_tui.operations.asking_again import ask_again
        from vqa_tui.tui.present.again_words import asked_words

        asked = await ask_again(opened, run_id, ids, self._changes)
        if json:
            print_json(asked)
        else:
            say(f"{asked_words(asked, self._run)} To watch it:  {command_line(f'run watch {self._run}', explicit)}")

    async def _ask_elsewhere(
        self,
        opened: "Workspace",
        run_id: int,
        ids: Sequence[int],
        elsewhere: "Elsewhere",
        explicit: Path | None,
        *,
        json: bool,
    ) -> None:
        from vqa_tui.cli.json_output import print_json
        from vqa_tui.operations.follow_ups import follow_up
        from vqa_tui.operations.runs import start_engine
        from vqa_tui.tui.present.again_words import follow_up_words

        made = await follow_up(opened, run_id, ids, elsewhere, self._changes)
        try:
            await start_engine(opened, made.run_id)
        except VqaError as error:
            hint = f"The run {made.name} was made; {command_line(f'run resume {made.name}', explicit)} starts it."
            raise VqaError(error.message, hint=f"{error.hint}\n{hint}" if error.hint else hint) from error
        if json:
            print_json(made)
        else:
            watch = command_line(f"run watch {made.name}", explicit)
            say(f"{follow_up_words(made, elsewhere.endpoint)} To watch it:  {watch}")
