"""`vqa-tui export` and `vqa-tui validate`: training files, and whether they can be trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import JsonOption, RunArgument, WorkspaceOption, in_workspace
from vqa_tui.cli.output import say, warn
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.split_shares import read_shares

if TYPE_CHECKING:
    from vqa_tui.exporters.validation_report import ValidationReport
    from vqa_tui.operations.exports import ExportReport
    from vqa_tui.operations.workspace import Workspace


FORMAT_NAMES = (
    "qwen",
    "qwen-finetune",
    "stcray-flat",
    "llava",
    "sharegpt",
    "trl",
    "trl-parquet",
    "unsloth",
    "openai-ft",
    "model-garden",
    "vqa-rad-enhanced",
    "evud",
    "vqa-v2",
    "csv",
)
"""Stated here, so that `--help` need not load the formats."""


def export(
    run: RunArgument,
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(FORMAT_NAMES)}.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; splits get names made from it.")],
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="A/B[/C]",
            help="Shares for training, validation and maybe tests, as 0.8/0.1/0.1, a file each; no picture in two.",
        ),
    ] = None,
    grouped: Annotated[
        bool, typer.Option("--grouped", help="All pairs of a picture in one conversation, where the format can.")
    ] = False,
    reviewed: Annotated[
        str,
        typer.Option(
            "--reviewed", metavar="WHICH", help="Pairs to take: not-rejected, accepted or any; edited text is used."
        ),
    ] = "not-rejected",
    pictures: Annotated[
        str,
        typer.Option(
            "--pictures",
            metavar="WHERE",
            help="in-place, or copy or link them beside the file, or inline in it where the format can.",
        ),
    ] = "in-place",
    pairs: Annotated[
        int | None, typer.Option("--pairs-per-picture", metavar="N", help="Of each picture the first N pairs.")
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help="Split pictures with the same labels in the same shares.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Draw the split by this number instead of by hashes.")
    ] = None,
    shard_size: Annotated[
        int | None,
        typer.Option("--shard-size", metavar="N", help="Files of N rows at most, where the format has a row a line."),
    ] = None,
    answer_types: Annotated[
        str,
        typer.Option(
            "--answer-types", metavar="T=SHARE,…", help="Shares of yes/no, number and other answers: yes/no=0.5."
        ),
    ] = "",
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write training files from what a run has answered.

    Works at any moment of a run. Rejected pairs are left out unless they are asked for.
    A manifest beside the files says what they were made of.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.exports import export_run
    from vqa_tui.operations.runs import find_run

    shares = None if split is None else _shares(split)
    if str(out) == "-":
        raise VqaError(
            "an export is files with a manifest beside them, so it does not go to standard output",
            hint="Name a file in place of `-`, such as pairs.jsonl.",
        )

    async def work(opened: "Workspace") -> "ExportReport":
        run_id = await find_run(opened, run)
        return await export_run(
            opened,
            run_id,
            form,
            out,
            split=shares,
            seed=seed,
            stratified=stratify,
            grouped=grouped,
            reviewed=reviewed,
            pictures=pictures,
            most_pairs=pairs,
            shard_size=shard_size,
            answer_types=answer_types,
        )

    report = in_workspace(workspace, work)
    if json:
        print_json(report)
    else:
        show_export(report)


def _shares(typed: str) -> tuple[float, ...]:
    try:
        return read_shares(typed)
    except VqaError as error:
        raise VqaError(f"--split: {error.message}", hint=error.hint) from None


def validate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A training file, the OUT of an export, or its manifest.")
    ],
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", metavar="R", help="Recipe whose checks count; default: that in the manifest."),
    ] = None,
    lengths: Annotated[
        str | None,
        typer.Option(
            "--tokens", metavar="FAMILY", help="Also count tokens for qwen2-vl, qwen2.5-vl or qwen3-vl; a dry run."
        ),
    ] = None,
    cutoff: Annotated[
        int | None,
        typer.Option("--cutoff-len", metavar="N", help="Tokens at which the trainer cuts a row (qwen2.5-vl if alone)."),
    ] = None,
    min_pixels: Annotated[
        int | None, typer.Option("--min-pixels", metavar="N", help="To which the trainer enlarges small pictures.")
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option("--max-pixels", metavar="N", help="To which the trainer shrinks large pictures.")
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", metavar="FILE", help="A tokenizer.json to count text with, instead of a rule."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check a training file against its pictures.

    Says with line numbers what is wrong, and exits with 1 then. Without a manifest beside the file only --recipe tells
    which words and how short answers are refused. With --tokens or --cutoff-len every row is measured as the trainer
    does, and rows that it would cut or lose count as wrong.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.training_lengths import show_lengths
    from vqa_tui.operations.exports import validate_file
    from vqa_tui.operations.training_lengths import measure_file

    measured = None
    if lengths is not None or cutoff is not None:
        measured = measure_file(
            file,
            family=lengths or "qwen2.5-vl",
            cutoff=cutoff,
            min_pixels=min_pixels,
            max_pixels=max_pixels,
            tokenizer=tokenizer,
        )
    elif min_pixels is not None or max_pixels is not None or tokenizer is not None:
        raise VqaError(
            "bounds of pictures and a tokenizer are for counting tokens", hint="Add --tokens FAMILY or --cutoff-len N."
        )
    report = validate_file(file, recipe=recipe)
    if json:
        print_json(report if measured is None else {"validation": report, "tokens": measured})
    else:
        show_verdict(report)
        if measured is not None:
            show_lengths(measured, lengths or "qwen2.5-vl", is_estimate=tokenizer is None)
    if not report.ok or (measured is not None and not measured.ok):
        raise typer.Exit(WORK_FAILED)


def show_export(report: "ExportReport") -> None:
    """Print what an export wrote."""
    from vqa_tui.tui.present.numbers import file_size, plural

    say(f"Wrote {plural(report.pairs, 'pair')} about {plural(report.pictures, 'picture')} to {report.folder}:")
    for file in report.files:
        what = file.role or plural(file.records, "record")
        say(f"  {file.name}  {what}, {file_size(file.bytes)}")
    say(f"  {report.manifest.name}  where they come from, and their hashes")
    for warning in report.warnings:
        warn(warning)


def show_verdict(report: "ValidationReport") -> None:
    """Print what is wrong by file and line, and the verdict below it."""
    from vqa_tui.tui.present.numbers import plural

    for problem in report.problems:
        say(f"{problem.place}: {problem.message}")
    if (unlisted := report.problem_count - len(report.problems)) > 0:
        say(f"… and {plural(unlisted, 'more problem')}")
    for line in report.verdict:
        say(line)
