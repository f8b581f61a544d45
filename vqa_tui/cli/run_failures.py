"""`vqa-tui run failures`: what went wrong in a run, gathered by cause; one cluster in full; retry or skip it whole."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqa_tui.cli.item_edits import YesOption, require_yes
from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, print_facts, print_table, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.failure_cluster import ClusterDetail, FailureCluster, FailureTable
    from vqa_tui.operations.workspace import Workspace


def failures(
    run: RunArgument,
    cluster: Annotated[
        int | None,
        typer.Argument(
            metavar="[CLUSTER]", help="Show this one in full; its number is in the list.", show_default=False
        ),
    ] = None,
    attempts: Annotated[
        bool, typer.Option("--attempts", help="Every request that failed, those that were asked again included.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Put all of CLUSTER back into the queue.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Take all of CLUSTER out of the run.")] = False,
    yes: YesOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show what went wrong in a run: failures of one cause together, with what they have in common."""
    if retry and skip:
        raise VqaError("--retry and --skip cannot both be done", hint="Name one of them.")
    if yes and not (retry or skip):
        raise VqaError("--yes means nothing without --retry or --skip", hint="Name what shall be done.")
    if (retry or skip) and cluster is None:
        raise VqaError("--retry and --skip act on one cluster", hint="Name its number: `vqa-tui run failures RUN`.")

    async def work(opened: "Workspace") -> None:
        from vqa_tui.operations.failures import find_cluster, gathered_table
        from vqa_tui.operations.runs import find_run

        run_id = await find_run(opened, run)
        table = await gathered_table(opened, run_id)
        if cluster is None:
            _print_list(table, attempts=attempts, json=json)
            return
        chosen = find_cluster(table, cluster)
        if retry or skip:
            await _move(opened, run_id, chosen, retry=retry, yes=yes, json=json)
        else:
            await _print_one(opened, run_id, chosen, attempts=attempts, json=json)

    in_workspace(workspace, work)


def _print_list(table: "FailureTable", *, attempts: bool, json: bool) -> None:
    import time

    from vqa_tui.cli.json_output import print_json
    from vqa_tui.tui.present.failure_words import ago, form_words, in_order, kinds_words, number_of
    from vqa_tui.tui.present.numbers import count, share

    shown, now = in_order(table, tries=attempts, newest_first=False), time.time()
    if json:
        print_json([_document(each) for each in shown])
        return
    whole = sum(number_of(each, tries=attempts) for each in shown)
    columns = [
        Column("cluster", right=True),
        Column("count", right=True),
        Column("share", right=True),
        Column("kind"),
        Column("first seen", right=True),
        Column("last seen", right=True),
        Column("what went wrong"),
    ]
    print_table(
        columns,
        (
            (
                str(each.id),
                count(number_of(each, tries=attempts)),
                share(number_of(each, tries=attempts), whole),
                kinds_words(each),
                ago(each.first_at, now),
                ago(each.last_at, now),
                form_words(each),
            )
            for each in shown
        ),
        empty="No request has failed." if attempts else "Nothing has failed for good; --attempts shows every try.",
    )


def _document(cluster: "FailureCluster") -> dict[str, Any]:
    """Return the JSON of a cluster; its number stands first."""
    from vqa_tui.cli.json_output import plain

    document: dict[str, Any] = plain(cluster)
    return {"id": cluster.id, **document}


async def _print_one(opened: "Workspace", run_id: int, chosen: "FailureCluster", *, attempts: bool, json: bool) -> None:
    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.operations.failures import cluster_detail

    detail = await cluster_detail(opened, run_id, chosen, tries=attempts)
    if json:
        print_json({**_document(chosen), **plain(detail)})
        return
    print_facts(_facts(chosen, detail, attempts=attempts))


def _facts(cluster: "FailureCluster", detail: "ClusterDetail", *, attempts: bool) -> list[tuple[str, str]]:
    import time

    from vqa_tui.domain.failure_advice import meaning, what_helps
    from vqa_tui.tui.present import failure_words as words
    from vqa_tui.tui.present.numbers import count, file_size, plural

    now = time.time()
    facts = [
        ("cluster", f"{cluster.id}  {words.form_words(cluster)}"),
        ("kind", f"{words.kinds_words(cluster)}: {meaning(cluster.kind)}"),
        (
            "failed",
            f"{plural(cluster.pictures, cluster.unit)} for good, {plural(cluster.tries, 'try', 'tries')} in all",
        ),
        ("seen", f"first {words.ago(cluster.first_at, now)} ago, last {words.ago(cluster.last_at, now)} ago"),
        ("message", detail.message.strip()),
        ("what helps", what_helps(cluster.kind)),
        ("HTTP", words.status_words(detail.statuses)),
        ("keys", words.counted_words(detail.keys)),
        ("models", words.counted_words(detail.models)),
    ]
    if (sizes := detail.sizes) is not None:
        facts.append(("longest side", words.spread_words(sizes.side, words.pixels)))
        facts.append(("file size", words.spread_words(sizes.size_bytes, file_size)))
        facts.append(("compared", ": ".join(filter(None, words.compared_words(sizes, detail.answered_sizes) or ()))))
    if detail.looked_at < (cluster.tries if attempts else cluster.pictures):
        facts.append(("counted", f"the newest {count(detail.looked_at)}"))
    return [*facts, ("examples", "\n".join(each.name for each in detail.examples))]


async def _move(
    opened: "Workspace", run_id: int, chosen: "FailureCluster", *, retry: bool, yes: bool, json: bool
) -> None:
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.queue_edit import EditVerb
    from vqa_tui.operations.failures import cluster_task_ids
    from vqa_tui.operations.queue_edits import edit_queue, stock
    from vqa_tui.operations.runs import run_view
    from vqa_tui.tui.present.failure_verbs import cost_words
    from vqa_tui.tui.present.numbers import plural

    ids = await cluster_task_ids(opened, chosen.ids)
    view = await run_view(opened, run_id)
    verb = EditVerb.RETRY if retry else EditVerb.SKIP
    if not yes:
        held = await stock(opened, run_id, ids)
        cost = cost_words(held.movable(verb), view) if retry else ""
        require_yes(verb, held, cost=cost)
    moved = await edit_queue(opened, run_id, verb, ids)
    if json:
        print_json({"changed": moved})
    else:
        say(f"{plural(moved, view.unit)} {'put back into the queue' if retry else 'taken out of the run'}.")
