"""`vqa-tui review …`: judge the pairs of a run, and see what the verdicts say of the rest."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import cell, print_facts, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.review import Order, ReviewPair, Undone
    from vqa_tui.operations.reviewing import ReviewStatus
    from vqa_tui.operations.workspace import Workspace

_LISTED = ("accepted", "edited", "rejected", "unsure")

app = typer.Typer(no_args_is_help=True, help="Judge the pairs of a run.", rich_markup_mode=None)
PairArgument = Annotated[int, typer.Argument(metavar="SAMPLE", help="Number of the pair, as `review next` tells it.")]
PairsArgument = Annotated[
    list[int], typer.Argument(metavar="SAMPLE...", help="Numbers of pairs, as `review next` tells them.")
]
NoteOption = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What you want to say about it.")]
AnywayOption = Annotated[
    bool,
    typer.Option("--anyway", help="Also what somebody else has judged, or what reads otherwise, since you saw it."),
]
OrderOption = Annotated[
    str, typer.Option("--order", metavar="ORDER", help="stratified, random, flagged-first or in-order.")
]


@app.command("next")
def next_pairs(
    run: RunArgument,
    order: OrderOption = "stratified",
    flagged: Annotated[bool, typer.Option("--flagged", help="Only flagged pairs.")] = False,
    question_type: Annotated[
        str | None, typer.Option("--type", metavar="T", help="Only pairs of this question type.")
    ] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="Pairs that were judged unsure, once more.")] = False,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, max=1_000, help="How many.")] = 1,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the pairs that are to be judged next.

    All orders but in-order draw by chance within each question type, category and flag; their verdicts count in the
    estimate. The order is the same in every session, and everybody starts at a place of their own.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.domain.review import ReviewFilter, Verdict
    from vqa_tui.operations.reviewing import next_ids, note_shown, place_pairs, review_pairs
    from vqa_tui.operations.runs import find_run

    wanted, chosen = _order(order), ReviewFilter(flagged, question_type, Verdict.UNSURE if unsure else None)

    async def work(opened: "Workspace") -> "list[ReviewPair]":
        run_id = await find_run(opened, run)
        await place_pairs(opened, run_id)
        ids = await next_ids(opened, run_id, wanted, chosen, count=count)
        found = await review_pairs(opened, run_id, ids)
        pairs = [found[each] for each in ids if each in found]
        await note_shown(opened, run_id, pairs)
        return pairs

    pairs = in_workspace(workspace, work)
    if json:
        print_json(pairs)
    elif not pairs:
        say("Nothing is left to judge.")
    for pair in pairs if not json else ():
        _show(pair)


def _order(given: str) -> "Order":
    from vqa_tui.domain.review import Order

    try:
        return Order(given)
    except ValueError:
        from difflib import get_close_matches

        near = get_close_matches(given, list(Order), 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(Order)}."
        raise VqaError(f"--order: {given!r} is not an order", hint=hint) from None


def _show(pair: "ReviewPair") -> None:
    sample = pair.sample
    flags = ", ".join(flag.replace("_", " ") for flag in sample.flags)
    categories = "none" if pair.truth.states_none else ", ".join(pair.truth.categories)
    print_facts(
        [
            (f"pair {sample.id}", f"{pair.name}, number {sample.ordinal + 1}"),
            ("picture", "\n".join(pair.pictures)),
            ("reference", pair.reference.answer if pair.reference is not None else ""),
            ("truth", categories),
            ("type", sample.question_type),
            ("flags", flags),
            ("question", sample.final_question),
            ("answer", sample.final_answer),
            ("written as", _original(pair)),
            ("verdict", sample.verdict or ""),
            ("note", sample.note),
        ]
    )
    say()


def _original(pair: "ReviewPair") -> str:
    sample = pair.sample
    return f"{sample.question}\n{sample.answer}" if sample.edited else ""


@app.command()
def accept(
    run: RunArgument,
    samples: PairsArgument,
    note: NoteOption = None,
    anyway: AnywayOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say that pairs are right."""
    _judge(workspace, run, samples, "accepted", note, anyway=anyway, json=json)


@app.command()
def reject(
    run: RunArgument,
    samples: PairsArgument,
    note: NoteOption = None,
    anyway: AnywayOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say that pairs are wrong; exports leave them out."""
    _judge(workspace, run, samples, "rejected", note, anyway=anyway, json=json)


@app.command()
def unsure(
    run: RunArgument,
    samples: PairsArgument,
    note: NoteOption = None,
    anyway: AnywayOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put pairs aside for a second look; they count as neither right nor wrong."""
    _judge(workspace, run, samples, "unsure", note, anyway=anyway, json=json)


def _judge(
    workspace: Any, run: str, samples: Sequence[int], word: str, note: str | None, *, anyway: bool, json: bool
) -> None:
    from vqa_tui.domain.review import Judgement, Verdict
    from vqa_tui.operations.reviewing import judge_many
    from vqa_tui.operations.runs import find_run
    from vqa_tui.tui.present.numbers import plural

    verdict: Verdict = Verdict(word)
    ids = list(dict.fromkeys(samples))

    async def work(opened: "Workspace") -> None:
        wanted = Judgement(0, verdict, note=note)
        await judge_many(opened, await find_run(opened, run), ids, wanted, anyway=anyway)

    in_workspace(workspace, work)
    _tell({"verdict": word, "pairs": ids}, f"{plural(len(ids), 'pair')} {word}.", json=json)


def _tell(document: Any, words: str, *, json: bool) -> None:
    from vqa_tui.cli.json_output import print_json

    if json:
        print_json(document)
    else:
        say(words)


@app.command()
def edit(
    run: RunArgument,
    sample: PairArgument,
    question: Annotated[
        str | None, typer.Option("--question", metavar="TEXT", help="The question as it should be.")
    ] = None,
    answer: Annotated[str | None, typer.Option("--answer", metavar="TEXT", help="The answer as it should be.")] = None,
    note: NoteOption = None,
    anyway: AnywayOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Accept a pair with another question or answer; what the model wrote is kept beside it."""
    from vqa_tui.operations.reviewing import edit_pair
    from vqa_tui.operations.runs import find_run

    if question is None and answer is None:
        raise VqaError("there is nothing to change", hint="Give --question, --answer or both.")

    async def work(opened: "Workspace") -> None:
        await edit_pair(opened, await find_run(opened, run), sample, question, answer, note, anyway=anyway)

    in_workspace(workspace, work)
    _tell({"verdict": "accepted", "pairs": [sample]}, f"Pair {sample} edited and accepted.", json=json)


@app.command()
def undo(run: RunArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Take back your newest verdict, edit or note in a run; again for the one before."""
    from vqa_tui.operations.reviewing import undo as take_back
    from vqa_tui.operations.runs import find_run

    async def work(opened: "Workspace") -> "Undone | None":
        return await take_back(opened, await find_run(opened, run))

    undone = in_workspace(workspace, work)
    if undone is None:
        _tell(None, "You have judged nothing in this run that could be taken back.", json=json)
        return
    words = f"Taken back: pair {undone.sample_id}, number {undone.ordinal + 1} of {cell(undone.item_key)}."
    if undone.gone:
        words += " Its picture was asked again meanwhile, so only the log of verdicts changed."
    _tell(undone, words, json=json)


@app.command()
def status(
    run: RunArgument,
    target: Annotated[
        float, typer.Option("--target", metavar="PERCENT", min=0.1, max=50, help="How exact the defect rate must be.")
    ] = 2.0,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show counts of verdicts, the defect rate of the whole run, and whether enough was reviewed to know it."""
    from vqa_tui.operations.reviewing import place_pairs, review_status
    from vqa_tui.operations.runs import find_run
    from vqa_tui.tui.present.review_words import counts_words, estimate_sentence, mending_words, progress_words

    async def work(opened: "Workspace") -> "ReviewStatus":
        run_id = await find_run(opened, run)
        await place_pairs(opened, run_id)
        return await review_status(opened, run_id, target=target / 100)

    found = in_workspace(workspace, work)
    if json:
        from vqa_tui.cli.json_output import plain, print_json

        document = plain(found) | {"reviewed": found.reviewed}
        if found.estimate is not None:
            document["estimate"] |= {"half_width": found.estimate.half_width, "enough": found.estimate.enough}
        print_json(document)
        return
    say(f"{progress_words(found)}: {counts_words(found)}.")
    mending = mending_words(found.estimate)
    say(estimate_sentence(found.estimate, target / 100).capitalize() + (f" ({mending})." if mending else "."))


@app.command("list")
def list_reviewed(
    run: RunArgument,
    verdict: Annotated[
        str | None, typer.Option("--verdict", metavar="V", help="accepted, edited, rejected or unsure; default: all.")
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the pairs that were reviewed."""
    from vqa_tui.cli.json_output import print_json_list
    from vqa_tui.operations.reviewing import reviewed_pairs
    from vqa_tui.operations.runs import find_run

    if verdict is not None and verdict not in _LISTED:
        raise VqaError(f"--verdict: {verdict!r} is not a verdict", hint=f"Known: {', '.join(_LISTED)}.")

    async def work(opened: "Workspace") -> None:
        found = reviewed_pairs(opened, await find_run(opened, run), verdict)
        if json:
            await print_json_list(found)
        else:
            await _print_lines(found)

    in_workspace(workspace, work)


async def _print_lines(found: "AsyncIterator[ReviewPair]") -> None:
    line, any_pair = "{:>8} {:<9} {:<10} {}", False
    async for pair in found:
        if not any_pair:
            say(line.format("pair", "verdict", "reviewer", "item, question and answer"))
            any_pair = True
        sample = pair.sample
        verdict = "edited" if sample.edited and sample.verdict == "accepted" else sample.verdict or ""
        say(
            line.format(
                sample.id,
                verdict,
                cell(sample.reviewer or ""),
                cell(f"{pair.name}: {sample.final_question} – {sample.final_answer}"),
            )
        )
    if not any_pair:
        say("No pair was reviewed like that yet.")
