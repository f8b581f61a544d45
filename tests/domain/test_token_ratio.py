"""What replies report raises what is held for the requests that follow, and old reports are forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.cost import IMPLAUSIBLE
from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.token_ratio import KEPT, TokenRatio

EXPECTED = RequestSize(600, 400).amounts
tokens = st.integers(1, 10_000)


def took(times: float) -> tuple[int, int, int, int]:
    return RequestSize(int(600 * times), int(400 * times)).amounts


@given(st.lists(st.tuples(tokens, tokens, tokens, tokens), min_size=1, max_size=20))
def test_what_is_held_is_never_less_than_expected_nor_than_a_kept_reply_took(
    replies: list[tuple[int, int, int, int]],
) -> None:
    replies = [reply for reply in replies if reply[2] < IMPLAUSIBLE * reply[0] and reply[3] < IMPLAUSIBLE * reply[1]]
    ratio = TokenRatio()
    for inputs, outputs, took_in, took_out in replies:
        ratio.note(RequestSize(inputs, outputs).amounts, RequestSize(took_in, took_out).amounts)
    for inputs, outputs, took_in, took_out in replies:
        expected, actual = RequestSize(inputs, outputs).amounts, RequestSize(took_in, took_out).amounts
        held = ratio.sized(expected)
        assert held[0] == 1
        assert all(held[unit] >= max(expected[unit], actual[unit]) for unit in (1, 2, 3))


def test_dear_replies_count_for_as_many_replies_as_are_kept_and_then_no_longer() -> None:
    ratio = TokenRatio()
    assert not ratio.is_proven and ratio.sized(EXPECTED) is EXPECTED
    assert ratio.note(EXPECTED, took(3))
    assert ratio.sized(EXPECTED) == took(3)
    ratio.note(EXPECTED, took(3))
    for _ in range(KEPT - 2):
        assert not ratio.note(EXPECTED, took(1.5))
        assert ratio.sized(EXPECTED) == took(3)
    ratio.note(EXPECTED, took(1.5))
    assert ratio.sized(EXPECTED) == took(1.5)
    for _ in range(KEPT):
        ratio.note(EXPECTED, took(0.2))
    # A reply that took less makes no room for the next: that one may take all that was expected of it.
    assert ratio.sized(EXPECTED) == EXPECTED


@pytest.mark.parametrize("times", [20, 10_000])
def test_one_reply_that_stands_out_among_many_does_not_hold_up_those_that_follow(times: float) -> None:
    ratio = TokenRatio()
    for _ in range(50):
        ratio.note(EXPECTED, took(1.25))
    assert not ratio.note(EXPECTED, took(times))
    assert ratio.sized(EXPECTED) == took(1.25)
    if times < IMPLAUSIBLE:
        assert ratio.note(EXPECTED, took(times)) and ratio.sized(EXPECTED) == took(times)


def test_a_report_beyond_all_reason_teaches_nothing_even_as_the_first() -> None:
    ratio = TokenRatio()
    ratio.note(EXPECTED, took(IMPLAUSIBLE))
    assert ratio.sized(EXPECTED) == EXPECTED


@pytest.mark.parametrize("replies", [1, 2, 3])
def test_an_endpoint_that_never_reports_usage_is_believed_to_keep_silent(replies: int) -> None:
    ratio = TokenRatio()
    for _ in range(replies):
        ratio.note_silence()
    assert ratio.is_proven == (replies == 3) and ratio.sized(EXPECTED) == EXPECTED
