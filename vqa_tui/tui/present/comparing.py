"""Two runs side by side as rows of tables, and the lines above them."""

from textual.content import Content

from vqa_tui.domain.comparison import ComparedPicture
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.comparison_words import Fact
from vqa_tui.tui.present.numbers import count, share
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.rows import Row, text

_BAR_CELLS = 10
_NAME = 60

LEAST_COLUMNS = (
    Column("Agree", 7, 7, right=True),
    Column("", _BAR_CELLS, _BAR_CELLS, drop=5),
    Column("Picture", 10, 200, grow=True, keep_end=True),
)


def fact_columns(first: str, second: str) -> tuple[Column, ...]:
    """Return the columns of the facts, headed by the names of the runs."""
    names = (clean(name, one_line=True, limit=_NAME) or "?" for name in (first, second))
    return (Column("", 14, 34), *(Column(name, 10, 30, grow=True) for name in names))


def fact_rows(facts: list[Fact]) -> list[Row]:
    """Return the facts with a row before each section; what is the same of both is quiet."""
    rows: list[Row] = []
    section = ""
    for number, fact in enumerate(facts):
        if fact.section != section:
            section = fact.section
            rows.append(Row(("section", section), (Content.styled(section, "bold $text-primary"), *_EMPTY)))
        style = QUIET if fact.first == fact.second else ""
        rows.append(Row(number, (Content("  ") + text(fact.name), text(fact.first, style), text(fact.second, style))))
    return rows


_EMPTY = (Content(""), Content(""))


def least_row(picture: ComparedPicture) -> Row:
    """Return one picture of those that agree least."""
    return Row(
        picture.first_task,
        (
            Content(share(picture.score, 1)),
            bars.gauge(picture.score, 1, _BAR_CELLS),
            text(picture.name),
        ),
    )


def compare_header(first: str, second: str, dataset: str) -> Content:
    """Return crumbs with what is compared."""
    names = (clean(name, one_line=True, limit=_NAME) for name in (first, second))
    one, two = names
    of = clean(dataset, one_line=True, limit=_NAME)
    return Content.assemble(
        ("vqa-tui › runs › ", QUIET), ("compare", "bold"), f"   {one}", (" ↔ ", QUIET), two, (f"   {of}", QUIET)
    )


def answers_header(picture: ComparedPicture, position: int, shown: int) -> Content:
    """Return which picture this is, and how far its answers agree."""
    return Content.assemble(
        ("vqa-tui › runs › compare › ", QUIET),
        (clean(picture.name, one_line=True, limit=200), "bold"),
        (f"   {count(position + 1)} of {count(shown)}   agreement {share(picture.score, 1)}", QUIET),
    )
