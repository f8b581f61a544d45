"""Numbers as a person reads them."""

from decimal import Decimal

import pytest

from vqa_tui.tui.present import numbers


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (999, "999"), (13_487, "13 487"), (1_000_000, "1 000 000"), (-1_200, "-1 200")]
)
def test_counts_are_grouped_by_three(number: int, shown: str) -> None:
    assert numbers.count(number) == shown


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (None, "–"),
        ("0", "$0.00"),
        ("1.8412", "$1.84"),
        ("1.005", "$1.01"),
        ("1234.5", "$1 234.50"),
        ("0.5", "$0.50"),
        ("0.1379", "$0.138"),
        ("0.0123", "$0.0123"),
        ("0.000137", "$0.000137"),
        ("0.000000001", "$0.000000001"),
        ("0.9999", "$1.00"),
        ("-0.02", "-$0.02"),
        ("1000000000", "$1 000 000 000.00"),
        ("1E+30", "$1.00e+30"),
        ("-1E+999999", "-$1.00e+999999"),
        ("1E-20", "<$0.000000001"),
        ("1E-999999", "<$0.000000001"),
        ("NaN", "–"),
        ("sNaN", "–"),
        ("-Infinity", "–"),
    ],
)
def test_money_keeps_three_digits_below_a_dollar(dollars: str | None, shown: str) -> None:
    assert numbers.money(None if dollars is None else Decimal(dollars)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (float("inf"), "–"),
        (float("nan"), "–"),
        (-3, "0s"),
        (0.4, "0s"),
        (59.6, "1m 00s"),
        (3_312, "55m 12s"),
        (3_600, "1h 00m"),
        (11_045, "3h 04m"),
        (190_800, "2d 05h"),
    ],
)
def test_durations_show_their_two_largest_units(seconds: float | None, shown: str) -> None:
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(12, "0:12"), (11.2, "0:12"), (-1, "0:00"), (245, "4:05"), (3729, "1:02:09")]
)
def test_countdowns_never_reach_zero_early(seconds: float, shown: str) -> None:
    assert numbers.countdown(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0 ms"), (812, "812 ms"), (999.6, "1.0 s"), (1_930, "1.9 s"), (48_000, "48 s")],
)
def test_latencies(value: float | None, shown: str) -> None:
    assert numbers.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [(None, "–"), (0, "0.00/s"), (4.98, "4.98/s"), (42.31, "42.3/s"), (118.4, "118/s"), (0.053, "3.2/min")],
)
def test_rates(per_second: float | None, shown: str) -> None:
    assert numbers.rate(per_second) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "0.0 %"), (13_487, 30_044, "44.9 %"), (29_999, 30_000, "99.9 %"), (30_000, 30_000, "100.0 %")],
)
def test_a_share_is_only_whole_when_nothing_is_left(part: int, whole: int, shown: str) -> None:
    assert numbers.share(part, whole) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(950, "950"), (41_000, "41k"), (1_200_000, "1.2M"), (2_000_000_000, "2G")]
)
def test_compact_numbers(number: int, shown: str) -> None:
    assert numbers.compact(number) == shown


@pytest.mark.parametrize(("size", "shown"), [(812, "812 B"), (37_400, "37 kB"), (4_120_000, "4.1 MB")])
def test_file_sizes(size: int, shown: str) -> None:
    assert numbers.file_size(size) == shown


def test_plurals() -> None:
    assert numbers.plural(1, "task") == "1 task"
    assert numbers.plural(1_200, "task") == "1 200 tasks"
    assert numbers.plural(2, "try", "tries") == "2 tries"


def test_ages_of_young_things_show_a_tenth() -> None:
    assert numbers.short_age(0.84) == "0.8s"
    assert numbers.short_age(9.96) == "10s"
    assert numbers.short_age(125) == "2m 05s"


def test_utc_does_not_depend_on_the_time_zone() -> None:
    assert numbers.utc(0) == "1970-01-01 00:00:00 UTC"
    assert numbers.utc(1795239576.9) == "2026-11-21 05:39:36 UTC"
