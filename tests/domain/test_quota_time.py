"""The least time that quotas leave: what does not fit into what is free has to wait."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.quota_time import least_s
from vqa_tui.domain.run import GaugeView, KeyView

NOW = 1_790_000_000.0
RPM = GaugeView("requests/min", 60, 60, resets_at=NOW + 40)


def key(*gauges: GaugeView, name: str = "a", group: str = "", state: str = "ok", in_flight: int = 0) -> KeyView:
    return KeyView(name, group or name, state, in_flight=in_flight, gauges=gauges)


def least(remaining: int, *keys: KeyView, tokens: float = 0.0) -> float | None:
    return least_s(remaining, keys, input_tokens=tokens, output_tokens=0.0, now=NOW)


def test_a_used_up_minute_takes_a_minute_for_each_fill_of_it() -> None:
    assert least(600, key(RPM)) == 600.0
    assert least(1, key(RPM)) == 40.0
    # What has gone out is counted already, and what is free goes at once.
    assert least(600, key(replace(RPM, used=0, resets_at=None))) == 540.0
    assert least(12, key(RPM, in_flight=12)) == 0.0


def test_tokens_bound_a_run_by_what_a_request_took() -> None:
    tpm = GaugeView("tokens/min", 20_000, 20_000)
    assert least(100, key(tpm), tokens=1_000.0) == 300.0
    assert least(100, key(RPM, tpm), tokens=1_000.0) == 300.0
    assert least(100, key(tpm)) is None


def test_a_day_takes_what_is_left_of_it_and_a_whole_day_for_each_midnight_after() -> None:
    day = GaugeView("requests/day", 900, 1_000, resets_at=NOW + 7_200)
    assert least(100, key(day)) == 0.0
    assert least(101, key(day)) == 7_200.0
    assert least(1_101, key(day)) == 7_200.0 + 86_400.0


def test_groups_add_up_and_one_without_a_quota_frees_the_run() -> None:
    assert least(600, key(RPM), key(RPM, name="b")) == 300.0
    assert least(600, key(RPM), key(name="b")) is None
    assert least(600, key(RPM), key(name="b", state="off")) == 600.0
    assert least(600) is None


@pytest.mark.parametrize(("own", "seconds"), [(20, 900.0), (60, 600.0)])
def test_a_group_has_its_own_quota_or_that_of_its_keys_together(own: int, seconds: float) -> None:
    shared, mine = replace(RPM, of_group=True), GaugeView("requests/min", own, own)
    assert least(600, key(shared, mine, group="g"), key(shared, mine, name="b", group="g")) == seconds


def test_what_the_endpoint_told_bounds_nothing_because_nobody_told_for_how_long_it_counts() -> None:
    assert least(600, key(replace(RPM, learned=True))) is None


gauges = st.builds(
    GaugeView,
    st.sampled_from(["requests/min", "tokens/min", "requests/day", "concurrency", "x"]),
    st.integers(0, 10**6), st.integers(0, 10**6), st.booleans(), st.booleans(), st.none() | st.floats(0, 3e9),
)  # fmt: skip


@given(
    st.integers(0, 10**7), st.lists(st.builds(lambda name, each: key(*each, name=name), st.text(), st.lists(gauges)))
)
def test_any_quotas_give_a_time_that_is_not_negative(remaining: int, keys: list[KeyView]) -> None:
    found = least(remaining, *keys, tokens=700.0)
    assert found is None or found >= 0.0
