"""`vqa-tui train evaluate`: base against tuned on the held-out rows, as tables and as JSON."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, cell, note, print_facts, print_table, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.evaluation import BeforeAndAfter, Evaluation, Figures
    from vqa_tui.operations.workspace import Workspace

_UNKNOWN = "–"
_WORST_SHOWN = 5
_GROUPS_SHOWN = 20


def evaluate(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING", help="Name or number of the training.", show_default=False)
    ],
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Look at N held-out rows, evenly spread, not at all.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="D", help="`cpu`, `gpu` or `gpu N`. Default: as the training.")
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Show what the last evaluation found, without another one.")
    ] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Let the model before and after a training answer its held-out rows, and compare the two.

    The device is taken meanwhile. What is found is kept beside the training, in evaluation.json.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.training_evaluation import evaluate_training, last_evaluation
    from vqa_tui.operations.trainings import find_training

    if last and (limit is not None or device is not None):
        other = "--limit" if limit is not None else "--device"
        raise VqaError(f"--last and {other} contradict each other", hint="Give one of them.")

    async def work(opened: "Workspace") -> "Evaluation | None":
        number = await find_training(opened, training)
        if last:
            return await last_evaluation(opened, number)
        return await evaluate_training(opened, number, limit=limit, device=device, tell=note)

    found = in_workspace(workspace, work)
    if found is None:
        raise VqaError(f"the training {training} was not evaluated yet", hint="Leave out --last to do that now.")
    if json:
        print_json(found)
        return
    show_evaluation(found)


def show_evaluation(found: "Evaluation") -> None:
    """Print figures of both models, per question type and category, and the worst rows."""
    rows = found.all.base.rows
    print_facts(
        (
            ("model", found.model),
            ("tuned", found.weights),
            ("device", f"{found.device}, {found.precision}"),
            ("rows", f"{rows:,} of {found.held_out:,} held out"),
            ("left out", f"{found.left_out:,}" if found.left_out else ""),
        )
    )
    say()
    columns = (Column(""), Column("base", right=True), Column("tuned", right=True))
    print_table(
        columns, zip(_names(found.all.base), *map(_figures, (found.all.base, found.all.tuned)), strict=True), empty=""
    )
    for title, groups in (("question type", found.by_kind), ("category", found.by_category)):
        if groups:
            say()
            _show_groups(title, groups)
    if found.worst:
        say()
        say("Answered worst by the tuned model:")
    for row in found.worst[:_WORST_SHOWN]:
        say()
        print_facts(
            (
                ("picture", row.picture or row.key),
                ("question", cell(row.question)),
                ("reference", cell(row.reference)),
                ("base", cell(row.base.answer) or "(nothing)"),
                ("tuned", cell(row.tuned.answer) or "(nothing)"),
                ("token F1", f"{row.base.token_f1:.2f} → {row.tuned.token_f1:.2f}"),
            )
        )


def _names(figures: "Figures") -> tuple[str, ...]:
    short = f"of {figures.short_rows:,} short answers"
    return "loss", f"exact match {short}", f"VQA accuracy {short}", "token F1", "ROUGE-L", "BLEU"


def _figures(figures: "Figures") -> tuple[str, ...]:
    return (
        _number(figures.loss, 4),
        _share(figures.exact_match),
        _share(figures.vqa_accuracy),
        _number(figures.token_f1, 3),
        _number(figures.rouge_l, 3),
        _number(figures.bleu, 1),
    )


def _show_groups(title: str, groups: "tuple[BeforeAndAfter, ...]") -> None:
    columns = (
        Column(title), Column("rows", right=True), Column("loss"), Column("token F1"), Column("short"),
        Column("exact match"),
    )  # fmt: skip
    rows = [
        (
            each.name,
            f"{each.base.rows:,}",
            f"{_number(each.base.loss, 3)} → {_number(each.tuned.loss, 3)}",
            f"{_number(each.base.token_f1, 3)} → {_number(each.tuned.token_f1, 3)}",
            f"{each.base.short_rows:,}",
            f"{_share(each.base.exact_match)} → {_share(each.tuned.exact_match)}",
        )
        for each in groups[:_GROUPS_SHOWN]
    ]
    print_table(columns, rows, empty="")
    if (more := len(groups) - _GROUPS_SHOWN) > 0:
        say(f"… and {more:,} more; --json shows all")


def _number(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1%}"
