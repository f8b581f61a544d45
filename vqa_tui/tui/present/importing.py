"""What the import dialog says: how far it is, and what came of it."""

from textual.content import Content

from vqa_tui.operations.datasets import DatasetKind, ImportProgress, ImportReport
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count, duration, file_size, plural, rate
from vqa_tui.tui.present.phases import BAD, BUSY, GOOD, QUIET, WARN
from vqa_tui.tui.present.rows import text

COLUMNS_HELP = (
    "Which column holds what: picture=file question=q answer=a caption=c categories=k split=s question_type=t"
)


def kind_help(kind: DatasetKind) -> Content:
    """Return what a kind of dataset is."""
    return Content.styled(clean(kind.help), QUIET)


def path_hint(kind: DatasetKind) -> str:
    """Return what the path must be."""
    if kind.name == "csv":
        return "a .csv or .tsv file; tab completes"
    if kind.name == "hf":
        return "OWNER/NAME at the Hub, or a folder; tab completes"
    if kind.name == "parquet":
        return "a .parquet or .arrow file, or a folder; tab completes"
    wanted = {"folder": "a folder", "file": "a .json or .jsonl file"}.get(kind.wants, "a .json file or a folder")
    return f"{wanted}; tab completes"


def progress_text(progress: ImportProgress, *, seconds: float, per_second: float | None, opened: bool) -> Content:
    """Return how far an import is; `opened` once its source has been read from."""
    if not opened:
        return Content.styled("reading the source …", QUIET)
    done = Content.assemble((count(progress.seen), f"bold {BUSY}"), " pictures so far")
    line = Content("  ").join([done, Content(rate(per_second)), Content.styled(f"for {duration(seconds)}", QUIET)])
    parts = [f"{count(progress.added)} new"]
    if progress.updated:
        parts.append(f"{count(progress.updated)} changed")
    if progress.unchanged:
        parts.append(f"{count(progress.unchanged)} unchanged")
    trouble = Content.styled(plural(progress.problems, "problem"), WARN if progress.problems else QUIET)
    return Content.assemble(line, "\n", ", ".join(parts), ", ", trouble)


def report_text(report: ImportReport, *, seconds: float) -> Content:
    """Return what an import did that came to its end."""
    if not report.usable:
        head = Content.styled("✖ No picture could be used", f"bold {BAD}")
        return Content.assemble(head, ". No new dataset was made; the reasons stand below.")
    head = Content.assemble(("✔ imported into ", f"bold {GOOD}"), text(report.dataset, "bold"))
    counts = (
        f"{count(report.added)} added, {count(report.unchanged)} unchanged, {count(report.updated)} changed, "
        f"{file_size(report.bytes)}, in {duration(seconds)}"
    )
    trouble = (
        Content.styled(f"▲ {plural(report.problems, 'problem')}, listed below", WARN)
        if report.problems
        else Content.styled("no problem", QUIET)
    )
    return Content("\n").join([head, Content(counts), trouble])


def stopped_text(name: str | None, progress: ImportProgress) -> Content:
    """Return what stays of an import that was stopped; `name` is the dataset, None when nothing was imported yet."""
    head = Content.styled("■ stopped", f"bold {WARN}")
    if name is None:
        return Content.assemble(head, "\nNothing was imported yet.")
    here = f": {plural(progress.added + progress.updated, 'picture')} came in and stay in "
    return Content.assemble(head, here, text(name, "bold"), "\nImporting the same again goes on from there.")


def stop_question(progress: ImportProgress) -> str:
    """Return what stopping an import leaves."""
    if not progress.added:
        return "Nothing is imported yet."
    return (
        f"{plural(progress.added, 'picture')} are imported by now and stay. "
        "Importing the same again later goes on from there."
    )
