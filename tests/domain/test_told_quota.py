"""What endpoints tell about their quotas holds requests back just as far as it is true."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.domain.quota import RequestSize, SlidingWindow
from vqa_tui.domain.told_quota import LONGEST_TRUST_S, ToldQuota

ONE = RequestSize().amounts


def word(remaining: int | None, resets_in_s: float | None, limit: int | None = 100) -> Allowance:
    return Allowance(Unit.REQUESTS, limit, remaining, resets_in_s)


@dataclass
class Group:
    """A group of one key that starts requests as far as the endpoint has told."""

    told: ToldQuota = field(default_factory=lambda: ToldQuota(0))
    window: SlidingWindow = field(default_factory=SlidingWindow)
    serial: int = 0

    def may_start(self, now: float) -> bool:
        self.window.forget(now)
        return self.told.has_room(1, self.window, now)

    def start(self, now: float) -> tuple[int, int, int]:
        self.window.take(ONE, now)
        self.serial += 1
        return self.serial, self.window.used[0], self.window.ever[0]

    def start_all(self, now: float, most: int = 1000) -> int:
        """Start as many as may start now; return how many."""
        return next(
            count for count in range(most + 1) if count == most or not (self.may_start(now) and self.start(now))
        )

    def hear(self, said: Allowance, now: float, request: tuple[int, int, int], *, refused: bool = False) -> None:
        serial, used, ever = request
        self.told.tell(said, now, serial=serial, used=used, ever=ever, ever_now=self.window.ever[0], refused=refused)

    def wait_s(self, now: float) -> float:
        return self.told.wait_s(1, self.window, now)


def test_with_none_remaining_nothing_starts_until_the_reset() -> None:
    group = Group()
    group.hear(word(0, 20.0), 1.0, group.start(0.0))
    assert not group.may_start(1.0) and group.wait_s(1.0) == pytest.approx(20.0)
    assert not group.may_start(20.9)
    assert group.may_start(21.0) and group.start_all(21.0) == 1000


def test_with_few_remaining_no_more_start_than_that_and_those_in_flight_count() -> None:
    group = Group()
    first = group.start(0.0)
    for _ in range(3):
        group.start(0.5)
    # The endpoint counted the first and saw none of the three that were sent while its reply was on the way.
    group.hear(word(5, 50.0), 1.0, first)
    assert group.start_all(1.0) == 2
    assert group.start_all(49.0) == 0


def test_a_newer_word_replaces_an_older_one_and_an_older_one_changes_nothing() -> None:
    group = Group()
    first, second = group.start(0.0), group.start(0.1)
    group.hear(word(3, 50.0), 1.0, second)
    group.hear(word(50, 50.0), 1.1, first)
    assert group.start_all(1.2) == 3
    third = group.start(1.3)
    group.hear(word(20, 50.0), 1.5, third)
    assert group.start_all(1.6) == 20


def test_what_was_taken_earlier_comes_back_as_it_leaves_the_minute() -> None:
    group = Group()
    for at in range(10):
        newest = group.start(float(at))
    # A window that slides is whole a minute after the newest, and yet there is room as soon as the first leaves.
    group.hear(word(0, 60.0, limit=10), 9.5, newest)
    assert not group.may_start(61.0) and group.wait_s(61.0) == pytest.approx(0.5)
    assert group.start_all(61.5) == 1


def test_of_a_quota_beyond_the_minute_nothing_comes_back_by_itself_and_one_request_tries_it_now_and_then() -> None:
    group = Group()
    request = group.start(0.0)
    group.hear(word(2, 5000.0), 0.0, request)
    assert group.start_all(1.0) == 2 and not group.may_start(LONGEST_TRUST_S - 1)
    assert group.start_all(LONGEST_TRUST_S) == 1
    assert not group.may_start(2 * LONGEST_TRUST_S - 1) and group.start_all(2 * LONGEST_TRUST_S) == 1


def test_a_far_reset_holds_nothing_back_while_something_remains() -> None:
    group = Group()
    group.hear(word(500, 80_000.0, limit=14_400), 0.0, group.start(0.0))
    assert group.wait_s(0.0) == 0 and group.start_all(0.0, most=400) == 400


@pytest.mark.parametrize("said", [word(None, 60.0), word(0, None), word(None, None, None)])
def test_a_word_that_lacks_half_holds_nothing_back(said: Allowance) -> None:
    group = Group()
    group.hear(said, 0.0, group.start(0.0))
    assert group.may_start(0.0)


@pytest.mark.parametrize("resets_in_s", [5.0, 60.0, 86_400.0])
def test_an_endpoint_that_says_none_remaining_whatever_happens_is_soon_not_believed(resets_in_s: float) -> None:
    group, now = Group(), 0.0
    group.hear(word(0, resets_in_s), now, group.start(now))
    for _ in range(3):
        assert not group.may_start(now)
        now += group.wait_s(now) + 1e-6
        assert group.may_start(now)
        group.hear(word(0, resets_in_s), now, group.start(now))
    assert group.start_all(now) == 1000 and now <= 3 * LONGEST_TRUST_S + 1
    # Once it makes sense again, it is believed again.
    group.hear(word(1, resets_in_s), now, group.start(now))
    assert group.start_all(now) == 1


def test_a_quota_that_is_really_used_up_at_once_after_every_reset_stays_believed() -> None:
    group, now = Group(), 0.0
    group.hear(word(0, 60.0, limit=4), now, group.start(now))
    for _ in range(6):
        assert not group.may_start(now + 59)
        now += 62
        for _ in range(4):
            assert group.may_start(now)
            newest = group.start(now)
        group.hear(word(0, 60.0, limit=4), now + 0.5, newest)
    assert not group.may_start(now + 59)


def test_a_refusal_bears_out_that_none_remain() -> None:
    group, now = Group(), 0.0
    group.hear(word(0, 60.0), now, group.start(now))
    for _ in range(6):
        now += group.wait_s(now) + 1e-6
        group.hear(word(0, 60.0), now, group.start(now), refused=True)
        assert not group.may_start(now)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 100),
            st.none() | st.integers(0, 10**12),
            st.none() | st.floats(0.001, 86_400),
            st.none() | st.integers(1, 10**12),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_nothing_that_an_endpoint_tells_holds_a_group_back_for_longer_than_a_minute(
    words: list[tuple[float, int | None, float | None, int | None, bool]],
) -> None:
    group, now = Group(), 0.0
    request = group.start(now)
    for gap, remaining, resets_in_s, limit, late in words:
        now += gap
        wait = group.wait_s(now)
        # Adding a minute to a time and taking the time away again may round up.
        assert 0 <= wait <= LONGEST_TRUST_S + 1e-9
        if not late:
            now += wait
            assert group.may_start(now + 1e-6)
            now += 1e-6
            request = group.start(now)
        group.hear(word(remaining, resets_in_s, limit), now, request)


def test_what_may_have_been_overtaken_on_the_way_counts_as_not_yet_seen() -> None:
    group = Group()
    group.start(0.0)
    serial, used, ever = group.start(0.01)
    group.told.tell(word(5, 50.0), 1.0, serial=serial, used=used, ever=ever, ever_now=2, overtaken=1)
    assert group.start_all(1.0) == 4


def test_what_a_reset_has_already_given_back_makes_no_room_again_when_it_leaves_the_minute() -> None:
    group = Group()
    for _ in range(10):
        group.start(0.0)
    # The minute of the clock turned at 30: the endpoint counts one, and our window eleven.
    group.hear(word(9, 55.0, limit=10), 35.0, group.start(34.0))
    assert group.start_all(36.0) == 9
    assert not group.may_start(62.0) and group.start_all(89.0) == 0
    assert group.may_start(90.0)
