"""Rows of the wizard's lists: datasets, recipes, endpoints, models and picture sizes."""

from textual.content import Content

from vqa_tui.config.load import ConfigFile
from vqa_tui.operations.datasets import DatasetView
from vqa_tui.operations.plan import RunPlan, SizeRow
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.dataset_words import unfinished_words
from vqa_tui.tui.present.datasets import UNFINISHED
from vqa_tui.tui.present.numbers import count, file_size, moment, plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN
from vqa_tui.tui.present.plan_words import SIZE_COLUMNS, size_cells
from vqa_tui.tui.present.rows import Row, number, text

DATASET_COLUMNS = (
    Column("", 1, 1),
    Column("Dataset", 10, 60, grow=True),
    Column("Pictures", 8, 12, right=True),
    Column("Kind", 4, 12, drop=3),
    Column("Problems", 8, 9, right=True),
    Column("Size", 5, 9, right=True, drop=7),
    Column("Imported", 8, 10, right=True, drop=6),
)


def dataset_row(dataset: DatasetView, chosen: str | None, now: float) -> Row:
    """Return one dataset; problems stand out by a mark."""
    problems = (
        number(dataset.problems) if not dataset.problems else Content.styled(f"▲ {count(dataset.problems)}", WARN)
    )
    return Row(
        dataset.name,
        (
            _mark(dataset.name == chosen),
            Content.assemble(text(dataset.name, "bold"), (UNFINISHED, WARN) if dataset.unfinished else ""),
            number(dataset.items),
            text(dataset.kind, QUIET),
            problems,
            Content.styled(file_size(dataset.bytes), QUIET),
            Content.styled(moment(dataset.imported_at, now), QUIET),
        ),
    )


def dataset_about(dataset: DatasetView) -> Content:
    """Return where the pictures of a dataset lie, and what was wrong with some."""
    lines = [Content.assemble(("pictures in ", QUIET), text(dataset.root))]
    if dataset.source != dataset.root:
        lines.append(Content.assemble(("told by ", QUIET), text(dataset.source)))
    if dataset.unfinished:
        lines.append(Content.styled(f"▲ {unfinished_words(dataset)}", WARN))
    if dataset.problems:
        words = f"▲ {plural(dataset.problems, 'picture')} could not be imported: "
        lines.append(Content.assemble((words, WARN), ("vqa-tui dataset show ", QUIET), text(dataset.name, QUIET)))
    return Content("\n").join(lines)


def no_dataset(demo: str, own: str) -> Content:
    """Return what to do where nothing is imported yet; both are commands that can be typed."""
    return Content.assemble(
        "There is no dataset yet. ",
        ("i", "bold $text-primary"),
        " imports one from here. In a shell:\n  ",
        (clean(own, one_line=True, limit=300), "$text-primary"),
        "  brings your own in,\n  ",
        (clean(demo, one_line=True, limit=300), "$text-primary"),
        "  draws some, with no key and no network.",
    )


CONFIG_COLUMNS = (
    Column("", 1, 1),
    Column("Name", 12, 34, grow=True, keep_end=True),
    Column("Description", 24, 200, drop=4, grow=True, soft=True),
)


def config_row(file: ConfigFile, chosen: str | None) -> Row:
    """Return one recipe or endpoint; one that cannot be used is marked and says why."""
    name = text(file.name, "bold")
    if file.problem:
        name = Content.assemble(("✖ ", BAD), text(file.name))
    what = text(in_a_line(file.problem), BAD) if file.problem else text(file.description, QUIET)
    return Row(
        file.name,
        (_mark(file.name == chosen), name, what),
    )


def config_about(file: ConfigFile) -> Content:
    """Return what a recipe or endpoint says of itself, or why it cannot be used, and where it lies."""
    words = text(f"✖ {in_a_line(file.problem)}", BAD) if file.problem else Content(clean(file.description, limit=600))
    if file.path.parts and str(file.path) != file.name:
        return (
            Content.assemble(words, "\n", text(str(file.path), QUIET)) if words.plain else text(str(file.path), QUIET)
        )
    return words


MODEL_COLUMNS = (Column("", 1, 1), Column("Model", 20, 200, grow=True), Column("", 0, 30, optional=True))


def model_row(name: str, *, chosen: bool, remark: str = "") -> Row:
    """Return one model that an endpoint offers."""
    return Row(name, (_mark(chosen), text(name), Content.styled(remark, QUIET)))


SIZE_TABLE_COLUMNS = (
    Column("", 1, 1),
    *(Column(title, 6, 20, right=True, drop=8 if place == 4 else 0) for place, title in enumerate(SIZE_COLUMNS)),
)


def size_row(row: SizeRow, plan: RunPlan) -> Row:
    """Return what one longest side takes; its id is what a field for it would hold."""
    style = "bold" if row.chosen else ""
    cells = (Content.styled(cell, style) for cell in size_cells(row, plan))
    return Row("original" if row.max_side is None else str(row.max_side), (_mark(row.chosen), *cells))


def _mark(chosen: bool) -> Content:
    return Content.styled("●", GOOD) if chosen else Content("")
