"""What is said of a cap that is nearly or more than used up."""

from decimal import Decimal

from vqa_tui.domain.at_cap import RAISE_IT, at_cap_words
from vqa_tui.engine.supervisor import _told_of_cap


def test_a_cap_below_what_is_spent_is_more_than_used() -> None:
    assert _told_of_cap(74_600_000, 10_000_000, 0) == "more than the budget of $0.01 is used: $0.0746; the run pauses"


def test_a_cap_that_comes_near_tells_what_is_used_and_what_of_it_is_uncertain() -> None:
    assert _told_of_cap(8_000_000, 10_000_000, 1_000_000) == (
        "80% of the budget of $0.01 is used: $0.0080, $0.0010 of it perhaps billed; at the cap the run pauses"
    )


def test_a_cap_that_is_reached_says_to_raise_it_only_where_nothing_else_helps() -> None:
    cap, free = Decimal("0.0005"), Decimal(0)
    assert at_cap_words(cap, Decimal("0.000267"), Decimal("0.000233"), free) == (
        "the budget of $0.0005 is reached: one more request may cost $0.000267 and $0.000233 is left; raise it to go on"
    )
    uncertain = at_cap_words(cap, Decimal("0.000267"), Decimal("0.000233"), Decimal("0.0001"))
    assert "$0.000233 is left beside $0.000100 that may have been billed" in uncertain and uncertain.endswith(RAISE_IT)
    smaller = at_cap_words(cap, Decimal("0.0002"), Decimal("0.000233"), free)
    assert smaller.endswith("for which the $0.000233 left is enough, but a larger one came first")
