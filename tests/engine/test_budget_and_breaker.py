"""The cap is never passed; the breaker opens for real trouble only."""

import random

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.engine.breaker import LEAST_OUTCOMES, Breaker, wilson_lower_bound
from vqa_tui.engine.budget import Budget


@given(
    cap=st.integers(0, 10_000),
    requests=st.lists(st.tuples(st.integers(0, 900), st.floats(0, 1), st.booleans()), max_size=120),
    seed=st.integers(),
)
def test_spent_reserved_and_uncertain_never_pass_the_cap(
    cap: int, requests: list[tuple[int, float, bool]], seed: int
) -> None:
    chance, budget = random.Random(seed), Budget(cap)
    in_flight: list[tuple[int, float, bool]] = []
    for estimate, share, lost in requests:
        amount = budget.amount_for(estimate)
        if budget.reserve(amount):
            in_flight.append((amount, share, lost))
        assert budget.spent + budget.uncertain + budget.reserved <= cap
        while in_flight and chance.random() < 0.5:
            reserved, part, gone = in_flight.pop(chance.randrange(len(in_flight)))
            budget.settle(reserved, actual=0 if gone else int(reserved * part), uncertain=reserved if gone else 0)
            assert budget.spent + budget.uncertain + budget.reserved <= cap
    for reserved, _part, _gone in in_flight:
        budget.settle(reserved)
    assert budget.reserved == 0


def test_without_a_cap_everything_fits_and_is_still_counted() -> None:
    budget = Budget(None)
    assert budget.reserve(10**15) and not budget.is_used_up(10**18)
    budget.settle(10**15, actual=5)
    assert (budget.spent, budget.reserved) == (5, 0)


def test_an_estimate_that_proved_too_low_is_raised_from_then_on() -> None:
    budget = Budget(1000)
    assert budget.amount_for(100) == 100
    budget.reserve(100)
    budget.settle(100, actual=150)
    assert budget.amount_for(100) == 150


def test_is_used_up_only_when_no_settlement_could_make_room() -> None:
    budget = Budget(100)
    assert budget.reserve(80)
    assert not budget.reserve(30) and not budget.is_used_up(30)
    budget.settle(80, actual=75)
    assert budget.is_used_up(30)


def test_wilson_bound_matches_known_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, and 1 of 29.
    assert round(wilson_lower_bound(81, 263), 4) == 0.2553
    assert round(wilson_lower_bound(1, 29), 4) == 0.0061
    assert wilson_lower_bound(0, 0) == 0.0


def test_a_short_streak_does_not_open_the_breaker() -> None:
    breaker = Breaker()
    for _ in range(LEAST_OUTCOMES - 1):
        breaker.note("server")
    assert breaker.verdict() == ""


def test_half_of_the_requests_failing_by_chance_does_not_open_it_but_most_failing_does() -> None:
    breaker = Breaker()
    for number in range(200):
        breaker.note("server" if number % 2 else "")
    assert breaker.verdict() == ""
    for _ in range(60):
        breaker.note("timeout")
    assert "of the last 200 requests failed" in breaker.verdict()
    breaker.reset()
    assert breaker.verdict() == ""


def test_the_verdict_names_the_most_frequent_kind() -> None:
    breaker = Breaker()
    for number in range(LEAST_OUTCOMES):
        breaker.note("network" if number % 5 else "server")
    assert breaker.verdict() == "50 of the last 50 requests failed, 40 of them as network"
