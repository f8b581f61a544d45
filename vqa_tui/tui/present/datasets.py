"""The list of datasets, and what is told of the one under the cursor."""

from collections.abc import Callable

from textual.content import Content

from vqa_tui.operations.dataset_contents import DatasetContents
from vqa_tui.operations.datasets import DatasetView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.dataset_words import band_words, unfinished_words
from vqa_tui.tui.present.facts import facts, heading
from vqa_tui.tui.present.numbers import count, file_size, moment, plural, share, utc
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.rows import Row, number, text

DATASET_COLUMNS = (
    Column("Dataset", 12, 60, grow=True),
    Column("Kind", 4, 12, drop=7),
    Column("Pictures", 8, 11, right=True),
    Column("Size", 6, 8, right=True, drop=6),
    Column("Problems", 8, 9, right=True),
    Column("Runs", 4, 6, right=True),
    Column("Imported", 8, 10, right=True, drop=8),
)
UNFINISHED = " ▲ not finished"
"""Beside the name of a dataset whose import did not reach its end."""
_CATEGORIES_SHOWN = 200
_RUNS_NAMED = 8
_BAR = 12


def dataset_row(view: DatasetView, now: float) -> Row:
    """Return one dataset of the list."""
    return Row(
        view.name,
        (
            Content.assemble(text(view.name, "bold"), (UNFINISHED, WARN) if view.unfinished else ""),
            text(view.kind, QUIET),
            number(view.items),
            Content(file_size(view.bytes)),
            number(view.problems, WARN),
            number(len(view.runs)),
            Content.styled(moment(view.imported_at, now), QUIET),
        ),
    )


def datasets_header(place: str) -> Content:
    """Return crumbs and the workspace they belong to."""
    folder = clean(place, one_line=True, limit=200)
    return Content.assemble(("vqa-tui › ", QUIET), ("datasets", "bold"), "   ", (folder, QUIET))


def datasets_empty(command: Callable[[str], str]) -> Content:
    """Return what to do where there is no dataset."""
    own = clean(command("dataset import folder PATH"), one_line=True)
    drawn = clean(command("demo"), one_line=True)
    return Content.assemble(
        ("No dataset yet\n\n", "bold"),
        ("i", "bold $text-accent"),
        " brings your pictures in: a folder, annotations, a table.\n",
        "Pictures stay where they are; only what they are is stored.\n",
        ("w", "bold $text-accent"),
        " gets STCray or VQA-RAD from the Hugging Face Hub.\n\n",
        ("The same from a shell:  ", QUIET),
        own,
        ("\nOr have some drawn:     ", QUIET),
        drawn,
    )


def dataset_facts(view: DatasetView, width: int = 0) -> Content:
    """Return what the list knows of a dataset: nothing here has to be read first."""
    runs = ", ".join(clean(name, one_line=True, limit=60) for name in view.runs[:_RUNS_NAMED])
    if len(view.runs) > _RUNS_NAMED:
        runs += f" and {count(len(view.runs) - _RUNS_NAMED)} more"
    problems = Content.assemble((plural(view.problems, "thing"), WARN), " could not be imported; p lists them")
    return facts(
        [
            ("dataset", text(view.name, "bold")),
            ("kind", text(view.kind)),
            ("pictures", Content(f"{count(view.items)}, {file_size(view.bytes)}")),
            ("folder", text(view.root)),
            ("source", text(view.source) if view.source != view.root else Content("")),
            ("imported", Content(utc(view.imported_at))),
            ("▲", Content.styled(unfinished_words(view), WARN)),
            ("runs", Content(runs) if runs else Content.styled("none; n starts one", QUIET)),
            ("problems", problems if view.problems else Content.styled("none", QUIET)),
        ],
        width,
    )


def contents_text(contents: DatasetContents) -> Content:
    """Return splits, sizes and categories, each with its share as a bar and as a number."""
    total = sum(pictures for _split, pictures in contents.splits)
    parts = []
    if [split for split, _pictures in contents.splits] != [None]:
        parts.append(heading("Splits"))
        parts += [_line(split or "none", pictures, total) for split, pictures in contents.splits]
        parts.append(Content(""))
    parts.append(heading("Longest side"))
    parts += [_line(band_words(band), band.pictures, total, f"  {file_size(band.bytes)}") for band in contents.sizes]
    parts.append(Content(""))
    parts.append(heading(f"Categories ({count(len(contents.categories))})"))
    if not contents.categories:
        parts.append(Content.styled("none: the source names no category", QUIET))
    parts += [
        _line(each.name, each.pictures, total, f"  {plural(each.instances, 'instance')}")
        for each in contents.categories[:_CATEGORIES_SHOWN]
    ]
    if (more := len(contents.categories) - _CATEGORIES_SHOWN) > 0:
        parts.append(Content.styled(f"and {plural(more, 'more category', 'more categories')}", QUIET))
    return Content("\n").join(parts)


def contents_wait(view: DatasetView, *, asked: bool) -> Content:
    """Return what stands in the place of the contents while they are being read, or until they are asked for."""
    if asked:
        return Content.styled(f"reading {plural(view.items, 'picture')} …", QUIET)
    words = f" reads splits, sizes and categories: all {plural(view.items, 'picture')} are looked at"
    return Content.assemble(("s", "bold $text-accent"), (words, QUIET))


def _line(name: str, pictures: int, total: int, more: str = "") -> Content:
    shown = clean(name, one_line=True, limit=22) or "(empty)"
    padded = Content(shown).pad_right(max(22 - Content(shown).cell_length, 0))
    bar = bars.line(pictures, max(total, 1), _BAR, style="$primary")
    return Content.assemble(padded, " ", bar, f" {count(pictures):>9} {share(pictures, total):>7}", (more, QUIET))
