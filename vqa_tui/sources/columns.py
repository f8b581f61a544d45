"""Which column of a table holds the picture, the question and the rest: as a person says it, or by its name."""

import difflib
import shlex
from collections.abc import Iterable, Mapping

from vqa_tui.domain.failure import VqaError

_NAMES: dict[str, tuple[str, ...]] = {
    "picture": (
        "picture",
        "image",
        "images",
        "image_path",
        "image_file",
        "file_name",
        "filename",
        "img",
        "file",
        "path",
    ),
    "question": ("question", "questions", "prompt", "instruction", "query"),
    "answer": ("answer", "answers", "response", "output", "completion"),
    "question_type": ("question_type", "metadata.question_type"),
    "caption": ("caption", "captions", "description"),
    "categories": ("categories", "category", "class_name", "class", "metadata.categories"),
    "split": ("split",),
}
"""For each part of a row the columns that it is taken from when nobody says so, the first that is there."""

PARTS = tuple(_NAMES)


def parse_columns(entries: Iterable[str]) -> dict[str, str]:
    """Return the column for each part from entries such as `picture=file_name`. Raises VqaError naming the entry."""
    columns: dict[str, str] = {}
    for entry in entries:
        part, equals, column = entry.partition("=")
        part = part.strip()
        if not equals or not column.strip():
            raise VqaError(f"--map {entry!r} is not PART=COLUMN", hint="For example: --map picture=file_name")
        if part not in _NAMES:
            nearest = difflib.get_close_matches(part, _NAMES, n=1)
            meant = f"Did you mean `{nearest[0]}`? " if nearest else ""
            raise VqaError(f"--map {entry!r}: there is no part `{part}`", hint=f"{meant}Parts: {', '.join(PARTS)}.")
        if part in columns:
            raise VqaError(f"--map names a column for {part} twice: {columns[part]} and {column.strip()}")
        columns[part] = column.strip()
    return columns


def parse_columns_line(typed: str) -> dict[str, str]:
    """Return `parse_columns` of entries typed on one line; a column with a space is quoted as in a shell."""
    try:
        return parse_columns(shlex.split(typed))
    except ValueError as error:
        raise VqaError(f"columns: a quote is not closed in {typed.strip()}") from error


def chosen_columns(given: Mapping[str, str], present: Iterable[str], where: str) -> dict[str, str]:
    """Return the column for each part of a table with the columns `present`: those `given`, or else by their names.

    Raises VqaError when a column is not there, when none for the picture is found, and for a question without answers.
    """
    there = list(present)
    listed = f"Columns there: {', '.join(there[:40])}." if there else "There is no column."
    if given:
        for part, column in given.items():
            if column not in there:
                nearest = difflib.get_close_matches(column, there, n=1)
                meant = f"Did you mean `{nearest[0]}`? " if nearest else ""
                raise VqaError(f"{where} has no column `{column}` (for {part})", hint=f"{meant}{listed}")
        columns = dict(given)
    else:
        lowered = {name.lower(): name for name in reversed(there)}
        columns = {
            part: lowered[found]
            for part, names in _NAMES.items()
            if (found := next((name for name in names if name in lowered), None)) is not None
        }
        if "text" in lowered:
            # What a model is asked where there is an answer, and what describes the picture where there is none.
            columns.setdefault("question" if "answer" in columns else "caption", lowered["text"])
        if "question" not in columns:
            columns.pop("answer", None)
    if "picture" not in columns:
        raise VqaError(f"{where}: no column is known to hold the picture", hint=f"Say --map picture=COLUMN. {listed}")
    if given and ("question" in columns) != ("answer" in columns):
        missing = "answer" if "question" in columns else "question"
        raise VqaError(f"--map names no column for {missing}", hint=f"A question is read with its answer. {listed}")
    return columns
