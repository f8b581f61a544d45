"""Which columns fit, and how wide."""

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.tui.present.columns import GAP, Column, Placed, place

COLUMNS = (
    Column("Name", 4, 20),
    Column("State", 6, 30),
    Column("Rate", 6, 8, drop=7),
    Column("Since", 5, 10, drop=9),
    Column("Source", 8, 40, drop=2, grow=True),
)
WIDEST = [10, 12, 6, 10, 20]


def test_everything_fits_and_the_growing_column_takes_the_rest() -> None:
    placed = place(COLUMNS, WIDEST, 100)
    assert [p.index for p in placed] == [0, 1, 2, 3, 4]
    assert sum(p.width for p in placed) + 4 * GAP == 100
    assert placed[0] == Placed(0, 10)


def test_nice_to_have_columns_go_before_any_shrinks() -> None:
    placed = place(COLUMNS, WIDEST, 50)
    assert [p.index for p in placed] == [0, 1, 4]
    assert placed[0].width == 10


def test_columns_shrink_before_needed_ones_go() -> None:
    placed = place(COLUMNS, WIDEST, 30)
    assert [p.index for p in placed] == [0, 1, 4]
    assert sum(p.width for p in placed) + 2 * GAP == 30


def test_columns_that_must_stay_stay() -> None:
    assert [p.index for p in place(COLUMNS, WIDEST, 3)] == [0, 1]


@given(st.lists(st.integers(0, 500), min_size=5, max_size=5), st.integers(12, 300))
def test_the_width_is_never_passed_where_the_least_fits(widest: list[int], width: int) -> None:
    placed = place(COLUMNS, widest, width)
    assert sum(p.width for p in placed) + GAP * (len(placed) - 1) <= width
