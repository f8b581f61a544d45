"""What is said of a cap that is nearly or more than used up."""

from vqa_tui.engine.supervisor import _told_of_cap


def test_a_cap_below_what_is_spent_is_more_than_used() -> None:
    assert _told_of_cap(74_600_000, 10_000_000, 0) == "more than the budget of $0.01 is used: $0.0746; the run pauses"


def test_a_cap_that_comes_near_tells_what_is_used_and_what_of_it_is_uncertain() -> None:
    assert _told_of_cap(8_000_000, 10_000_000, 1_000_000) == (
        "80% of the budget of $0.01 is used: $0.0080, $0.0010 of it perhaps billed; at the cap the run pauses"
    )
