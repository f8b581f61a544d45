"""`vqa-tui run rename`, archive, delete and compare: what can be done with whole runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.asking import NOTHING_DELETED, confirmed, require_somebody, typed_name
from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import Column, note, print_table, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.comparison import Comparison
    from vqa_tui.domain.run_contents import RunContents
    from vqa_tui.operations.workspace import Workspace

_TOLD_EVERY = 5_000
"""Pictures that are deleted between two words on how far it is."""


def rename(
    run: RunArgument,
    name: Annotated[str, typer.Argument(metavar="NEW", help="The name that it gets.", show_default=False)],
    workspace: WorkspaceOption = None,
) -> None:
    """Give a run another name; its engine may be at work. Exports that were made keep the name that they have."""
    from vqa_tui.operations.run_edits import rename_run
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> str:
        return await rename_run(opened, await find_run(opened, run), name)

    old = in_workspace(workspace, work)
    say(f"{old} is called {name} now.")


def archive(
    run: RunArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Bring it back into the list.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put a run that is at rest out of the list; nothing of it goes."""
    from vqa_tui.operations.run_edits import archive_run, unarchive_run
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> bool:
        run_id = await find_run(opened, run)
        return await (unarchive_run if undo else archive_run)(opened, run_id)

    changed = in_workspace(workspace, work)
    if not changed:
        say("It was not archived." if undo else "It was archived already.")
    elif undo:
        say("It is in the list again.")
    else:
        say(f"Archived. To bring it back:  {command_line(f'run archive {run} --undo', workspace)}")


def delete(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Delete it without a question.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete a run that is at rest, with its queue, requests, pairs, verdicts and log.

    Exports and pictures stay. What it had cost stays known, and its requests of today count against their quotas.
    """
    from vqa_tui.operations.run_edits import delete_run, finish_deletions, run_contents
    from vqa_tui.operations.runs import find_run
    from vqa_tui.tui.present.consequences import contents_words
    from vqa_tui.tui.present.numbers import count

    told = 0

    def progress(done: int, of: int) -> None:
        nonlocal told
        if done - told >= _TOLD_EVERY:
            told = done
            note(f"{count(done)} of {count(of)} tasks")

    async def work(opened: "Workspace") -> "RunContents":
        run_id = await find_run(opened, run)
        contents = await run_contents(opened, run_id)
        if not yes:
            _ask(contents)
        gone = await delete_run(opened, run_id, words=contents_words(contents), progress=progress)
        await finish_deletions(opened)
        return gone

    gone = in_workspace(workspace, work)
    say(f"{gone.name} is deleted: {contents_words(gone)}.")


def _ask(contents: "RunContents") -> None:
    """Return when a person wants it; what was paid for takes its name. Raises VqaError where nobody can be asked."""
    from vqa_tui.tui.present.consequences import contents_words, paid_words

    words = f"deletes {contents_words(contents)}, and the log of the run"
    require_somebody(f"this {words}")
    note(f"This {words}. Exports stay. It cannot be taken back.")
    if paid := paid_words(contents):
        question = f"{paid} Type {contents.name} to delete it"
        sure = typed_name(question, contents.name, otherwise=NOTHING_DELETED)
    else:
        sure = confirmed(f"Delete {contents.name}?", otherwise=NOTHING_DELETED)
    if not sure:
        raise VqaError("nothing was deleted")


def list_deleted(json: bool, workspace: Path | None) -> None:
    """Print what stays known of deleted runs: above all what they had cost."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.run_edits import list_deleted_runs
    from vqa_tui.tui.present.numbers import count, known_money, utc

    gone = in_workspace(workspace, list_deleted_runs)
    if json:
        print_json(gone)
        return
    columns = [
        Column("id", right=True),
        Column("name"),
        Column("pictures", right=True),
        Column("spent", right=True),
        Column("uncertain", right=True),
        Column("dataset"),
        Column("recipe"),
        Column("endpoint"),
        Column("model"),
        Column("deleted"),
        Column("by"),
    ]
    rows = (
        (
            str(run.id),
            run.name,
            count(run.pictures),
            known_money(run.spent, price_known=run.price_known),
            known_money(run.uncertain, price_known=run.price_known),
            run.dataset,
            run.recipe,
            run.endpoint,
            run.model,
            utc(run.deleted_at),
            run.who,
        )
        for run in gone
    )
    print_table(columns, rows, empty="No run was deleted.")


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Name or number of a run.", show_default=False)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="Name or number of another run of its dataset.", show_default=False)
    ],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show two runs of one dataset side by side: cost, answers, failures, settings, and how far they agree."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.compare import compare_runs
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> "Comparison":
        return await compare_runs(opened, await find_run(opened, first), await find_run(opened, second))

    found = in_workspace(workspace, work)
    if json:
        print_json(found)
    else:
        _print(found)


def _print(found: "Comparison") -> None:
    from vqa_tui.tui.present.comparison_words import agreement_words, comparison_facts
    from vqa_tui.tui.present.numbers import share

    names = (found.first.name, found.second.name)
    rows = []
    section = ""
    for fact in comparison_facts(found):
        rows.append((fact.section if fact.section != section else "", fact.name, fact.first, fact.second))
        section = fact.section
    print_table([Column(""), Column(""), *(Column(name) for name in names)], rows, empty="")
    say()
    sampled = min(found.first.sampled.pictures, found.second.sampled.pictures)
    say(agreement_words(found, sampled))
    if found.agreement.least:
        say()
        columns = [Column("agree", right=True), Column("least agreeing")]
        print_table(columns, ((share(each.score, 1), each.name) for each in found.agreement.least), empty="")
