"""The cap is never passed; the breaker opens for real trouble only."""

import random

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.engine.breaker import LEAST_OUTCOMES, Breaker, wilson_lower_bound
from vqa_tui.engine.budget import UNPROVEN_IN_FLIGHT, Budget, Reservation


@given(
    cap=st.integers(0, 10_000),
    requests=st.lists(st.tuples(st.integers(0, 900), st.floats(0, 1), st.booleans()), max_size=120),
    seed=st.integers(),
)
def test_spent_reserved_and_uncertain_never_pass_the_cap(
    cap: int, requests: list[tuple[int, float, bool]], seed: int
) -> None:
    chance, budget = random.Random(seed), Budget(cap)
    in_flight: list[tuple[Reservation, float, bool]] = []
    for estimate, share, lost in requests:
        reservation = budget.reserve(estimate)
        if reservation is not None:
            in_flight.append((reservation, share, lost))
        assert budget.spent + budget.uncertain + budget.reserved <= cap
        while in_flight and chance.random() < 0.5:
            held, part, gone = in_flight.pop(chance.randrange(len(in_flight)))
            budget.settle(held, actual=0 if gone else int(held.amount * part), uncertain=held.amount if gone else 0)
            assert budget.spent + budget.uncertain + budget.reserved <= cap
    for held, _part, _gone in in_flight:
        budget.settle(held)
    assert budget.reserved == 0


@given(
    ratio=st.floats(1, 20),
    estimates=st.lists(st.integers(1, 50), min_size=1, max_size=300),
    in_flight_at_most=st.integers(1, 64),
)
def test_too_low_estimates_pass_the_cap_by_the_first_volley_at_most(
    ratio: float, estimates: list[int], in_flight_at_most: int
) -> None:
    cap, budget = 3_000, Budget(3_000)
    in_flight: list[tuple[Reservation, int]] = []
    for estimate in estimates:
        reservation = budget.reserve(estimate)
        if reservation is not None:
            in_flight.append((reservation, int(estimate * ratio)))
        if reservation is None or len(in_flight) >= in_flight_at_most:
            for held, actual in in_flight:
                budget.settle(held, actual=actual)
            in_flight.clear()
    for held, actual in in_flight:
        budget.settle(held, actual=actual)
    assert budget.spent <= cap + UNPROVEN_IN_FLIGHT * 50 * ratio


def test_under_a_cap_only_a_few_go_out_before_the_first_price_is_known() -> None:
    budget = Budget(10_000)
    held = [budget.reserve(10) for _ in range(10)]
    assert sum(each is not None for each in held) == UNPROVEN_IN_FLIGHT
    first = held[0]
    assert first is not None
    budget.settle(first, actual=9)
    assert all(budget.reserve(10) is not None for _ in range(10))


def test_without_a_cap_everything_fits_and_is_still_counted() -> None:
    budget = Budget(None)
    held = [budget.reserve(10**15) for _ in range(5)]
    assert None not in held and not budget.is_used_up(10**18)
    first = held[0]
    assert first is not None
    budget.settle(first, actual=5)
    assert (budget.spent, budget.reserved) == (5, 4 * 10**15)


def test_an_estimate_that_proved_too_low_is_raised_at_once_for_what_is_in_flight_too() -> None:
    budget = Budget(1000)
    assert budget.amount_for(100) == 100
    first, second = budget.reserve(100), budget.reserve(100)
    assert first is not None and second is not None
    budget.settle(first, actual=150)
    assert budget.amount_for(100) == second.amount == budget.reserved == 150


def test_is_used_up_only_when_no_settlement_could_make_room() -> None:
    budget = Budget(100, proven=True)
    held = budget.reserve(80)
    assert held is not None
    assert budget.reserve(30) is None and not budget.is_used_up(30)
    budget.settle(held, actual=75)
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
        breaker.note("bad_reply" if number % 5 else "server")
    assert breaker.verdict() == "50 of the last 50 requests failed, 40 of them as bad reply"


def test_a_failure_proves_no_price_and_an_answer_does_even_for_free() -> None:
    budget = Budget(10_000)
    held = [budget.reserve(10) for _ in range(UNPROVEN_IN_FLIGHT)]
    assert None not in held
    for each in held:
        assert each is not None
        budget.settle(each, uncertain=10)
    assert not budget.proven
    answered = budget.reserve(10)
    assert answered is not None
    budget.settle(answered, answered=True)
    assert budget.proven


def test_a_report_beyond_all_reason_is_booked_and_nothing_is_concluded_from_it() -> None:
    budget = Budget(10_000)
    first, second = budget.reserve(10), budget.reserve(10)
    assert first is not None and second is not None
    assert not budget.settle(first, actual=1_001, answered=True)
    assert (budget.spent, budget.worst_ratio, second.amount, budget.proven) == (1_001, 1.0, 10, False)
    assert budget.settle(second, actual=1_000, answered=True) and budget.worst_ratio == 100
