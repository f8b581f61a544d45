"""`vqa-tui dataset …`: import datasets, list them, and show what is in one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.clip_options import ClipSecondsOption, ClipsToOption, KeepClipsOption, VideosFromOption
from vqa_tui.cli.dataset_download import download
from vqa_tui.cli.dataset_edit import delete, rename
from vqa_tui.cli.dataset_look import NameArgument, items, problems
from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, given_path, in_workspace
from vqa_tui.cli.output import Column, note, print_facts, print_table, say

if TYPE_CHECKING:
    from vqa_tui.operations.datasets import DatasetDetail, ImportProgress, ImportReport
    from vqa_tui.operations.workspace import Workspace

_REPORT_EVERY_S = 0.5
_CATEGORIES_SHOWN = 20

app = typer.Typer(no_args_is_help=True, help="Import datasets and look into them.", rich_markup_mode=None)


@app.command("import")
def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="folder, stcray, coco, vqa-rad, llava, csv …; docs/guide.md describes each."
        ),
    ],
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder or annotation file to read.", parser=given_path)
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="Name of the dataset; default: that of its folder.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Folder of the pictures or videos, if not beside the file."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Take at most so many usable pictures from the start.")
    ] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Read files outside the folder, where names or links lead there.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="PART=COLUMN",
            help="For jsonl, csv, parquet: picture=COL question=COL answer=COL …; repeat.",
        ),
    ] = None,
    videos_from: VideosFromOption = "",
    keep_clips: KeepClipsOption = None,
    clips_to: ClipsToOption = "",
    clip_seconds: ClipSecondsOption = 0,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Import pictures with what is known about them; a second import adds only what is new.

    Broken pictures are listed with the reason and do not stop the rest. Pictures stay where they are. Exits with 1 when
    no picture can be used; a dataset without pictures is not made.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.datasets import clip_wishes, import_dataset, parse_columns

    mapped = parse_columns(columns or ())
    wishes = clip_wishes(
        keep=str(keep_clips or ""),
        upload_to=clips_to,
        videos_from=videos_from,
        seconds=f"{clip_seconds:g}" if clip_seconds else "",
    )
    counter = _Counter()

    async def work(opened: "Workspace") -> "ImportReport":
        return await import_dataset(
            opened,
            kind,
            path,
            name=name,
            images=images,
            limit=limit,
            allow_outside=allow_outside,
            columns=mapped,
            clips=wishes,
            progress=counter.show,
        )

    try:
        report = in_workspace(workspace, work, create=True)
    finally:
        counter.close()
    if json:
        print_json(report)
    else:
        show_report(report, workspace)
    if not report.usable:
        raise typer.Exit(WORK_FAILED)


class _Counter:
    """A line on stderr that counts while a terminal looks on."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._shown_at = float("-inf")
        self._drawn = False

    def show(self, progress: "ImportProgress") -> None:
        from time import monotonic

        if self._wanted and monotonic() - self._shown_at >= _REPORT_EVERY_S:
            self._shown_at, self._drawn = monotonic(), True
            line = f"{progress.seen} read, {progress.added} added, {progress.problems} with problems"
            sys.stderr.write(f"\r{line:<70}")
            sys.stderr.flush()

    def close(self) -> None:
        if self._drawn:
            sys.stderr.write("\r" + " " * 70 + "\r")
            sys.stderr.flush()


def show_report(report: "ImportReport", explicit: Path | None) -> None:
    """Print what an import did, its first problems, and how to look into the dataset."""
    from vqa_tui.tui.present.numbers import count, file_size

    say(
        f"{report.dataset}: {count(report.added)} added, {count(report.unchanged)} unchanged, "
        f"{count(report.updated)} updated, {count(report.problems)} with problems, {file_size(report.bytes)}"
    )
    for problem in report.examples:
        note(f"  {problem.where}: {problem.reason}")
    if report.problems > len(report.examples):
        note(f"  … and {count(report.problems - len(report.examples))} more")
    if not report.usable:
        note("No picture could be used. What the source names is listed above with the reason.")
        return
    say(f"To look into it:  {command_line(f'dataset show {report.dataset}', explicit)}")


@app.command("list")
def list_datasets(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the datasets of the workspace, the most recently imported first."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import datasets
    from vqa_tui.tui.present.numbers import count, file_size, utc

    views = in_workspace(workspace, datasets.list_datasets)
    if json:
        print_json(views)
        return
    columns = [
        Column("name"),
        Column("kind"),
        Column("pictures", right=True),
        Column("size", right=True),
        Column("problems", right=True),
        Column("runs", right=True),
        Column("imported"),
        Column("folder"),
    ]
    print_table(
        columns,
        (
            (
                f"{each.name} (not finished)" if each.unfinished else each.name,
                each.kind,
                count(each.items),
                file_size(each.bytes),
                count(each.problems),
                count(len(each.runs)),
                utc(each.imported_at),
                each.root,
            )
            for each in views
        ),
        empty="No datasets yet. `vqa-tui dataset import KIND PATH` brings one in.",
    )


@app.command()
def show(
    name: NameArgument,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show one dataset: pictures, splits, sizes, categories, its runs, and what could not be imported."""
    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.operations.datasets import dataset_detail

    async def work(opened: "Workspace") -> "DatasetDetail":
        return await dataset_detail(opened, name)

    detail = in_workspace(workspace, work)
    if json:
        splits = [{"split": split, "items": items} for split, items in detail.splits.items()]
        print_json({**plain(detail.view), "splits": splits, **_lists(detail)})
    else:
        _show_detail(detail)


def _lists(detail: "DatasetDetail") -> dict[str, object]:
    # The view counts all problems; the list holds the first hundred, so it stands under a name of its own.
    return {"sizes": detail.sizes, "categories": detail.categories, "problem_list": detail.problems}


def _show_detail(detail: "DatasetDetail") -> None:
    from vqa_tui.tui.present.dataset_words import band_words, unfinished_words
    from vqa_tui.tui.present.numbers import count, file_size, plural, utc

    view = detail.view
    splits = ", ".join(f"{split or 'none'} {count(items)}" for split, items in detail.splits.items())
    print_facts(
        [
            ("dataset", view.name),
            ("kind", view.kind),
            ("pictures", f"{count(view.items)}, {file_size(view.bytes)}"),
            ("splits", splits),
            ("folder", view.root),
            ("source", view.source),
            ("imported", utc(view.imported_at)),
            ("sizes", ", ".join(f"{band_words(band)}: {count(band.pictures)}" for band in detail.sizes)),
            ("runs", ", ".join(view.runs)),
        ]
    )
    if view.unfinished:
        say()
        say(f"▲ {unfinished_words(view)}")
    if detail.categories:
        say()
        shown = detail.categories[:_CATEGORIES_SHOWN]
        print_table(
            [Column("category"), Column("pictures", right=True), Column("boxes", right=True)],
            ((each.name, count(each.pictures), count(each.instances)) for each in shown),
            empty="",
        )
        if len(detail.categories) > len(shown):
            say(f"… and {plural(len(detail.categories) - len(shown), 'more category', 'more categories')}")
    if detail.problems:
        say()
        print_table(
            [Column("not imported"), Column("why")], ((each.where, each.reason) for each in detail.problems), empty=""
        )
        if view.problems > len(detail.problems):
            say(f"… and {count(view.problems - len(detail.problems))} more")


for command in (download, items, problems, rename, delete):
    app.command()(command)
