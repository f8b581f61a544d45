"""Quotas, throttles, bytes a second, the band and the calibration in few words."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from vqa_tui.domain.run import (
    CalibrationView,
    CostView,
    EngineState,
    EngineView,
    GaugeView,
    KeyView,
    RunView,
    ThrottleView,
)
from vqa_tui.tui.present import load, run_lines, run_panels
from vqa_tui.tui.present.columns import place
from vqa_tui.tui.present.keys import KEY_COLUMNS, key_row, key_rows, key_text, throttle_line
from vqa_tui.tui.present.rows import widest

MakeView = Callable[..., RunView]
NOW = 1_790_000_000.0
RPM = GaugeView("requests/min", 58, 60)
TPM = GaugeView("tokens/min", 41_000, 1_000_000)
RPD = GaugeView("requests/day", 1_500, 1_500, of_group=True, learned=True, resets_at=NOW + 7_261)


def cells(key: KeyView) -> list[str]:
    return [str(cell) for cell in key_row(key, NOW).cells]


def test_a_key_shows_its_quotas_with_the_used_up_one_first() -> None:
    row = cells(KeyView("a", "a", "ok", gauges=(RPM, TPM, RPD)))
    assert row[3] == "rpd 1500/1500 back 2:01:01"
    assert row[4] == "rpm 58/60 ▰▰▰▱  tpm 41k/1M ▰▱▱▱"


def test_two_quotas_of_one_name_are_told_apart_and_so_is_what_they_count_down_to() -> None:
    own = GaugeView("tokens/min", 40_000, 40_000, resets_at=NOW + 12)
    told = GaugeView("tokens/min", 90_000, 90_000, learned=True, resets_at=NOW + 30)
    row = cells(KeyView("a", "a", "ok", gauges=(own, told)))
    assert row[3:5] == ["tpm 40k/40k free 0:12", "tpm 90k/90k back 0:30"]
    words = key_text(KeyView("a", "a", "ok", gauges=(own, told)), NOW)
    assert "tpm 40k/40k, free in 0:12" in words
    assert "told tpm 90k/90k, back in 0:30 (told by the endpoint)" in words
    both = (GaugeView("requests/min", 3, 20), GaugeView("requests/min", 9, 60, of_group=True))
    assert cells(KeyView("a", "g", "ok", gauges=both))[3:5] == ["rpm 3/20 ▰▱▱▱", "group rpm 9/60 ▰▱▱▱"]


def test_a_day_counts_down_only_when_it_is_used_up() -> None:
    assert (
        "0:40" not in cells(KeyView("a", "a", "ok", gauges=(GaugeView("requests/day", 3, 9, resets_at=NOW + 40),)))[3]
    )


def test_quotas_that_are_not_used_up_keep_their_places() -> None:
    for used in (0, 30, 59):
        gauges = (GaugeView("requests/min", used, 60), GaugeView("tokens/min", 999, 1_000))
        assert cells(KeyView("a", "a", "ok", gauges=gauges))[3].startswith("rpm")


def test_at_eighty_columns_neither_money_nor_a_gauge_is_cut(make_view: MakeView) -> None:
    keys = tuple(
        KeyView(name, "project-1", "ok", gauges=(GaugeView("requests/min", 132, 400),), spent=Decimal("0.0978"),
                mean_latency_ms=1_100.0)
        for name in ("former", "main")
    )  # fmt: skip
    rows = key_rows(make_view(keys=keys), NOW)
    wide = widest(KEY_COLUMNS, rows)
    shown = {KEY_COLUMNS[each.index].title: (each.width, wide[each.index]) for each in place(KEY_COLUMNS, wide, 74)}
    for title in ("Quota", "Spent"):
        width, wanted = shown[title]
        assert width >= wanted


def test_a_key_at_rest_has_no_gauges(make_view: MakeView) -> None:
    ended = key_rows(make_view(engine=EngineView(EngineState.NONE)), NOW)
    assert all("rpm" not in str(row.cells[3]) + str(row.cells[4]) for row in ended)


def test_everything_about_a_key_names_whose_quota_it_is_and_who_told_it() -> None:
    told = key_text(KeyView("a", "project", "ok", gauges=(RPM, RPD)), NOW)
    assert "rpm 58/60\n" in told
    assert "told rpd 1500/1500, back in 2:01:01 (of group project, told by the endpoint)" in told
    assert "no quota" in key_text(KeyView("a", "a", "ok"), NOW)


@pytest.mark.parametrize(
    ("throttle", "words"),
    [
        (ThrottleView("g", 4, None, "slow start"), "slow start, 4 of 16 slots"),
        (ThrottleView("g", 9, 8.5, "holding"), "holding, 9 of 16 slots, 8.50/s learned"),
        (ThrottleView("g", 9, 8.5, "cut back", NOW - 12, 3), "cut back, 9 of 16 slots, 8.50/s learned, cut 12s ago"),
        (ThrottleView("g", 9, None, "", NOW - 600, 3), "–, 9 of 16 slots"),
    ],
)
def test_a_throttle_tells_state_slots_and_pace(throttle: ThrottleView, words: str) -> None:
    assert load.throttle_words(throttle, 16, NOW) == words


def test_a_group_whose_keys_are_all_off_has_no_throttle_to_speak_of(make_view: MakeView) -> None:
    throttles = (ThrottleView("project-1", 9, None, "growing"), ThrottleView("project-3", 2, None, "slow start"))
    assert load.throttles_words(make_view(throttles=throttles), NOW) == "growing, 9 of 16 slots"


def test_the_frame_of_the_keys_tells_throttles_and_bytes(make_view: MakeView) -> None:
    line = throttle_line(make_view(), NOW).plain
    assert line.startswith("↑ 12 MB/s · project-2: cut back, 6 of 16 slots, 8.50/s learned")
    assert line.endswith("; project-1: growing, 16 of 16 slots")
    assert throttle_line(make_view(throttles=(), bytes_per_s=None), NOW).plain == ""
    alike = tuple(ThrottleView(group, 2, None, "slow start") for group in "ab")
    assert throttle_line(make_view(throttles=alike, bytes_per_s=0.0), NOW).plain == (
        "each group: slow start, 2 of 16 slots"
    )


def test_slots_that_the_throttle_withholds_are_told(make_view: MakeView) -> None:
    held = make_view(throttles=(ThrottleView("g", 9, 8.5, "growing"),), in_flight=())
    assert "in flight 0 of 9, 16 allowed" in run_panels.throughput(held, 62, 3).plain
    assert "in flight 0 of 9 (of 16)" in run_panels.throughput(held, 24, 3).plain
    free = make_view(throttles=(ThrottleView("g", 16, None, "growing"),), in_flight=())
    assert "in flight 0 of 16" in run_panels.throughput(free, 24, 3).plain


def test_slots_of_a_group_whose_keys_are_all_off_are_no_slots(make_view: MakeView) -> None:
    throttles = (ThrottleView("project-1", 12, None, "growing"), ThrottleView("project-3", 16, None, "slow start"))
    view = make_view(throttles=throttles, in_flight=())
    assert "in flight 0 of 12, 16 allowed" in run_panels.throughput(view, 62, 3).plain


def test_a_tall_panel_draws_how_the_slots_went(make_view: MakeView) -> None:
    assert "4…19" in run_panels.throughput(make_view(), 62, 8).plain
    assert "↑ 12 MB/s" in run_panels.throughput(make_view(), 62, 8).plain
    steady = make_view(throttle_history=(16, 16, 16))
    assert "…" not in run_panels.throughput(steady, 62, 8).plain


def cost(projected: str, low: str | None, high: str | None) -> CostView:
    bounds = [None if each is None else Decimal(each) for each in (low, high)]
    return CostView(projected=Decimal(projected), projected_low=bounds[0], projected_high=bounds[1])


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (cost("4.1131", "4.0531", "4.1731"), "$4.11 ± 0.06"),
        (cost("4.1131", "4.1101", "4.1161"), "$4.11 ± 0.01"),
        (cost("4.1131", "4.11309", "4.11311"), "$4.11"),
        (cost("1234.5", "0.5", "2468.5"), "$1 234.50 ± 1 234.00"),
        (cost("0.0137", "0.01358", "0.01382"), "$0.0137 ± 0.0002"),
        (cost("0.41", "0.40", "0.47"), "$0.41 ($0.40 to $0.47)"),
        (cost("4.1131", None, None), "$4.11"),
        (CostView(), "–"),
    ],
)
def test_the_projection_has_its_band_at_its_own_precision(view: CostView, words: str) -> None:
    assert load.projection_words(view) == words


def test_the_cost_panel_holds_the_band_where_it_fits(make_view: MakeView) -> None:
    for width, words in ((24, "projected $4.11 ± 0.06"), (20, "proj. $4.11 ± 0.06"), (15, "projected $4.11")):
        assert words in run_panels.cost(make_view(), width, 3).plain.split("\n")[1]
    assert "billed/estimate in ×1.08  out ×0.70" in run_panels.cost(make_view(), 60, 8).plain


def test_the_pilot_tells_how_far_the_estimate_was_off(make_awaiting: MakeView) -> None:
    banner = run_lines.banner(make_awaiting())
    assert banner is not None
    assert "all 30 044: $4.11 ± 0.06, about 1h 41m" in banner.content.plain
    assert "billed: input tokens ×1.08, output tokens ×0.70 of the estimate" in banner.content.plain
    without = run_lines.banner(make_awaiting(calibration=None))
    assert without is not None and "billed" not in without.content.plain


def test_a_ratio_to_nothing_is_unknown() -> None:
    words = load.calibration_words(CalibrationView(1, 0, 5, 300, 210))
    assert words == "input tokens –, output tokens ×0.70 of the estimate"
