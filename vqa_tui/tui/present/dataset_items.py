"""Rows and details of the pictures of a dataset, and of what could not be imported."""

from textual.content import Content

from vqa_tui.domain.item import ImportProblem, Item
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.facts import facts
from vqa_tui.tui.present.inspect import picture_words, truth_text
from vqa_tui.tui.present.numbers import count, file_size
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.rows import text

ITEM_COLUMNS = (
    Column("Picture", 16, 300, grow=True, keep_end=True),
    Column("Size", 9, 11, right=True, drop=2),
    Column("Split", 5, 8, drop=3),
    Column("Boxes", 5, 5, right=True, drop=1),
)
PROBLEM_COLUMNS = (
    Column("Where", 16, 60, grow=True, keep_end=True),
    Column("Why", 20, 200, grow=True),
)
_LONG = 4_000


def item_cells(item: Item) -> tuple[Content, ...]:
    """Return the cells of one picture."""
    boxes = len(item.truth.boxes)
    return (
        text(item.key),
        Content.styled(f"{item.facts.width}×{item.facts.height}", QUIET),
        text(item.split or "", QUIET),
        Content.styled(count(boxes) if boxes else "–", "" if boxes else QUIET),
    )


def problem_cells(problem: ImportProblem) -> tuple[Content, ...]:
    """Return the cells of one problem."""
    return text(problem.where), text(problem.reason, WARN)


def item_text(item: Item, path: str, width: int = 0, picture: int = 0) -> Content:
    """Return everything that is known of one item; `path` is where the file of its picture `picture`, from 0, is."""
    shown = item.pictures[picture].facts
    size = (
        f"{shown.width}×{shown.height} {clean(shown.format, one_line=True, limit=12)}, "
        f"{file_size(shown.size_bytes)}{picture_words(picture, len(item.pictures))}"
    )
    known = facts(
        [
            ("picture", text(item.key, "bold")),
            ("size", Content(size)),
            ("split", text(item.split or "")),
            ("file", text(path)),
        ],
        width,
    )
    return Content("\n\n").join([known, truth_text(item.truth)])


def problem_text(problem: ImportProblem) -> Content:
    """Return one problem in full."""
    reason = Content.styled(clean(problem.reason, limit=_LONG), WARN)
    return Content.assemble(text(problem.where, "bold"), "\n", reason)


def items_header(dataset: str) -> Content:
    """Return the crumbs of the browser."""
    return _crumbs(dataset, "pictures")


def problems_header(dataset: str) -> Content:
    """Return the crumbs of the list of problems."""
    return _crumbs(dataset, "not imported")


def place_words(position: int, shown: int, *, search: str = "") -> Content:
    """Return where in the list the cursor is, and what narrows it."""
    narrowed = clean(search, one_line=True, limit=60)
    if not shown:
        return Content(f"no key holds {narrowed!r}" if narrowed else "nothing")
    words = f"{count(position + 1)} of {count(shown)}"
    return Content.assemble(words, (f"  keys that hold {narrowed!r}" if narrowed else "", QUIET))


def _crumbs(dataset: str, last: str) -> Content:
    name = clean(dataset, one_line=True, limit=80)
    return Content.assemble(("vqa-tui › datasets › ", QUIET), name, (" › ", QUIET), (last, "bold"))
