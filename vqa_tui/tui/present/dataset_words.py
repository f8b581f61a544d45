"""A dataset in words, as the command line and the terminal app both show it."""

from vqa_tui.operations.datasets import DatasetView
from vqa_tui.operations.size_bands import SizeBand
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count, plural


def unfinished_words(view: DatasetView) -> str:
    """Return that an import of a dataset has not reached its end, and what to do; empty where all have."""
    if view.unfinished is None:
        return ""
    source = clean(view.unfinished, one_line=True, limit=200)
    return f"import not finished: {source}. Pictures may be missing; importing the same again goes on from there."


def deletion_words(view: DatasetView) -> str:
    """Return what deleting a dataset takes, and what it leaves."""
    kept = f"The picture files in {clean(view.root, one_line=True, limit=200)} stay where they are."
    gone = f"The records of {plural(view.items, 'picture')}"
    if view.problems:
        gone += f" and {plural(view.problems, 'problem')}"
    return f"{gone} in {clean(view.name, one_line=True, limit=100)} go. {kept} No run uses it."


def why_not_deleted(view: DatasetView) -> str | None:
    """Return why a dataset cannot be deleted, in words; None when it can."""
    if not view.runs:
        return None
    named = ", ".join(clean(name, one_line=True, limit=40) for name in view.runs[:3])
    more = f" and {len(view.runs) - 3} more" if len(view.runs) > 3 else ""
    verb = "uses" if len(view.runs) == 1 else "use"
    return f"{named}{more} {verb} this dataset: a run needs it to show its items and to export its pairs."


def band_words(band: SizeBand) -> str:
    """Return which longest sides a band holds."""
    return f"up to {count(band.up_to)} px" if band.up_to is not None else "larger"
