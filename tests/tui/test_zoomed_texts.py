"""What zoomed panels and the panels of the past say, without an app."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.course_points import point, steady
from vqa_tui.domain.course import (
    FailureCount,
    FailureCourse,
    FailuresUntil,
    LogEntry,
    Moment,
    MomentFacts,
    Spending,
    merged_steps,
    moment_at,
)
from vqa_tui.domain.failure import POLICY, FailureKind
from vqa_tui.domain.run import EngineState, EngineView, GaugeView, KeyView, Phase, RunView
from vqa_tui.tui.present import past
from vqa_tui.tui.present.log_rows import entry_row, past_event_row
from vqa_tui.tui.present.log_words import entry_words
from vqa_tui.tui.present.zoomed import Zoom, Zoomed, cost, shared_out, throughput
from vqa_tui.tui.present.zoomed_failures import failures, next_words
from vqa_tui.tui.present.zoomed_keys import keys

MakeView = Callable[..., RunView]
POINTS = steady(1_790_000_000, 600)
FACTS = MomentFacts(
    log=(LogEntry(4, 1_790_000_090.0, "action", "set budget", "ann", "none", "10"),),
    failures=FailuresUntil({"server": 6, "bad_reply": 9}, {"bad_reply": 2}),
    cap=Decimal(2),
)
ZOOMS: list[Zoom] = [throughput, cost, failures, keys]


def moment(index: int = 120, **changes: Any) -> Moment:
    points = [*POINTS]
    points[index] = points[index]._replace(**changes)
    return moment_at(points, index, FACTS)


@pytest.fixture
def zoomed(make_view: MakeView) -> Zoomed:
    return Zoomed(
        make_view(), POINTS[-1].at + 1.0, POINTS, merged_steps(POINTS, 800),
        spending=Spending(1_000_000, 250_000, 800_000, 30_000, Decimal("1.8"), Decimal("0.09"), 900),
        failures=FailureCourse(10, (FailureCount(POINTS[50].at, "server", 3),)),
    )  # fmt: skip


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("size", [(78, 16), (198, 44), (20, 3), (58, 9)])
@pytest.mark.parametrize("points", [POINTS, [], POINTS[:1]])
def test_no_line_is_wider_than_its_panel(zoomed: Zoomed, zoom: Zoom, size: tuple[int, int], points: list[Any]) -> None:
    for at in (None, moment()):
        sight = replace(zoomed, points=points, steps=merged_steps(points, 800), moment=at)
        text = zoom(sight, *size)
        # A single fact is not broken; the widget cuts it.
        assert size[0] < 78 or all(line.cell_length <= size[0] for line in text.split("\n"))


def test_throughput_tells_the_whole_run(zoomed: Zoomed) -> None:
    shown = throughput(zoomed, 120, 40).plain
    for words in ("now 4.98/s", "mean of the run 5.00/s", "worked for 10m 00s", "left 55m 12s", "p95 1.9 s"):
        assert words in shown
    assert [line.split("   ")[0] for line in shown.splitlines() if "   ▆" in line or "   ━" in line] == [
        "Rate", "Latency", "In flight", "Sent",
    ]  # fmt: skip
    low = throughput(zoomed, 78, 12).plain
    assert "Rate" in low and "Latency" not in low


def test_cost_tells_projection_cap_tokens_and_what_failures_took(zoomed: Zoomed) -> None:
    shown = cost(zoomed, 120, 40).plain
    for words in (
        "spent $1.84", "cap $10.00", "projected $4.11 ± 0.06", "$5.89 below the cap", "×1.08",
        "of these cached 250k (25.0 %)", "of pictures 800k (80.0 %)", "out 30k", "a request $0.002",
        "gave no answer $0.09 (5.0 %)", "━ projected", "┅ 95 % band", "╌ cap $10.00", "Tokens a minute",
    ):  # fmt: skip
        assert words in shown
    beyond = replace(zoomed, view=replace(zoomed.view, cost=replace(zoomed.view.cost, cap=Decimal("4"))))
    assert "$0.113 above the cap" in cost(beyond, 120, 40).plain


def test_a_cap_far_above_does_not_press_the_curve_flat(zoomed: Zoomed) -> None:
    far = replace(zoomed, view=replace(zoomed.view, cost=replace(zoomed.view.cost, cap=Decimal(1_000))))
    assert "╌ cap" not in cost(far, 120, 40).plain


def test_without_prices_there_is_no_plot_of_money(zoomed: Zoomed) -> None:
    unknown = replace(zoomed, view=replace(zoomed.view, cost=replace(zoomed.view.cost, price_known=False)))
    shown = cost(unknown, 120, 30).plain
    assert "price unknown" in shown and "$" not in shown and "Tokens a minute" in shown


def test_failures_tell_what_each_kind_means_and_what_comes_next(zoomed: Zoomed) -> None:
    shown = failures(zoomed, 120, 60).plain
    assert "13 pictures failed for good, 84 attempts failed on the way" in shown
    assert "rate limited  41 attempts" in shown and "bad reply  27 attempts, 9 pictures failed for good" in shown
    assert "the reply could not be read" in shown and "up to 4 tries in all" in shown
    of_another_version = replace(zoomed, view=replace(zoomed.view, attempt_failures={"new_kind": 1}, failures={}))
    assert "another version of this program" in failures(of_another_version, 120, 60).plain


def test_every_kind_of_failure_says_what_happens_next() -> None:
    words = {kind: next_words(policy, 4, "picture") for kind, policy in POLICY.items()}
    assert "costs no try" in words[FailureKind.RATE_LIMITED]
    assert next_words(POLICY[FailureKind.REFUSED], 4, "request").startswith("the request fails at once")
    assert "switched off" in words[FailureKind.AUTH]
    assert "run pauses at once" in words[FailureKind.MODEL_NOT_FOUND]
    assert words[FailureKind.REFUSED] == words[FailureKind.BAD_IMAGE]
    assert "may bill" in words[FailureKind.TIMEOUT] and "may bill" in words[FailureKind.LOST]


def test_keys_stand_in_their_groups_with_shared_quotas_once(zoomed: Zoomed) -> None:
    shared = GaugeView("tokens/min", 500, 500, of_group=True, resets_at=zoomed.at + 12)
    members = tuple(
        KeyView(name, "team", "ok", gauges=(shared, GaugeView("requests/min", 3, 60, learned=True))) for name in "ab"
    )
    shown = keys(replace(zoomed, view=replace(zoomed.view, keys=members)), 120, 40).plain
    assert "group team  2 keys" in shown and shown.count("tokens/min, shared") == 1
    assert "500/500  free in 0:12" in shown
    assert shown.count("requests/min, told by the endpoint") == 2
    assert "Throttle of group team" in shown


def test_the_throttle_of_each_group_is_told_and_its_cuts_are_counted(zoomed: Zoomed) -> None:
    points = [point(1_000 + n, n, throttle_slots=slots) for n, slots in enumerate((4, 8, 6, 7, 3))]
    shown = keys(replace(zoomed, points=points, steps=merged_steps(points, 800)), 150, 40).plain
    assert "throttle cut back, 6 of 16 slots, 8.50/s learned   3 cuts, the last at" in shown
    assert "Throttle of all groups together" in shown and "2 cuts to be seen" in shown


def test_each_of_several_groups_has_its_line_and_its_slots_at_a_moment_of_the_past(zoomed: Zoomed) -> None:
    recorded = json.dumps({"fast[/x]": 9, "slow": 3})
    points = [point(1_000 + n, n, throttle_slots=12, throttle_groups=recorded) for n in range(5)]
    several = replace(zoomed, points=points, steps=merged_steps(points, 800))
    shown = keys(several, 150, 60).plain
    for title in ("Throttle of all groups together", "Throttle of group fast[/x]", "Throttle of group slow"):
        assert title in shown
    then = replace(several, moment=moment_at(points, 3, MomentFacts()))
    assert "throttle   group fast[/x] 9 slots   group slow 3 slots" in keys(then, 150, 60).plain
    assert "group slow" not in keys(zoomed, 150, 60).plain


def test_what_is_not_recorded_of_the_past_is_said(zoomed: Zoomed) -> None:
    at = replace(zoomed, moment=moment())
    assert "then 5.00/s" in throughput(at, 120, 30).plain and "left" not in throughput(at, 120, 30).plain
    assert "cached and image tokens are not recorded" in cost(at, 120, 30).plain
    assert "cap $2.00" in cost(at, 120, 30).plain
    assert "not recorded" in keys(at, 120, 30).plain and "project-1" not in keys(at, 120, 30).plain
    assert "2 pictures failed for good, 15 attempts" in failures(at, 120, 30).plain


def test_the_banner_says_when_how_long_ago_and_how_to_be_back(make_view: MakeView) -> None:
    shown = past.banner(make_view(phase=Phase.PAUSED), moment(), POINTS[120].at + 720.0).content.plain
    assert f"{past.moment_words(POINTS[120].at, POINTS[120].at)}, 12m 00s ago — End for now (‖ paused)" in shown
    assert len(past.moment_words(POINTS[0].at, POINTS[0].at + 900_000).split()) == 3


def test_panels_of_the_past_tell_what_was_recorded(make_view: MakeView) -> None:
    view, at = make_view(), moment(failed=5)
    shown = past.throughput(view, at, 40, 4).plain
    assert "5.08/s" in shown and "p50 800 ms" in shown and "in flight 8 of 16, 12 let in" in shown
    assert past.throughput(view, at, 40, 8).plain.count("\n") == 7
    assert (
        "$0.60  $0.001/picture" in past.cost(view, at, 40, 4).plain and "cap $2.00" in past.cost(view, at, 40, 4).plain
    )
    told = past.failures(view, at, 40, 4).plain
    assert "bad reply  2 failed, 7 asked again" in told and "server     6 asked again" in told
    assert "3 failed, put back since" in told
    assert "605 / 30 044" in past.progress(view, at, 70).plain and "5 failed" in past.progress(view, at, 70).plain
    assert "not recorded" in past.why_idle(view, at, 70, 1).plain
    for width in (30, 50, 80, 200):
        assert past.header(view, at, width).cell_length <= max(width, 60)


def test_nothing_is_told_of_what_there_was_none_of(make_view: MakeView) -> None:
    view = make_view(cost=replace(make_view().cost, price_known=False))
    first = moment_at(POINTS, 0, MomentFacts())
    assert past.failures(view, first, 30, 4).plain == "none"
    assert "price unknown" in past.cost(view, first, 30, 4).plain
    rest = make_view(engine=EngineView(EngineState.NONE), phase=Phase.DONE, eta_s=None)
    assert "━ projected" not in cost(Zoomed(rest, 2e9, POINTS, merged_steps(POINTS, 800)), 100, 30).plain


def test_an_action_is_told_with_who_and_old_and_new() -> None:
    (action,) = FACTS.log
    assert entry_words(action) == "set budget none → 10"
    assert [cell.plain for cell in entry_row(action, action.at).cells][1:] == [
        "» action",
        "ann",
        "set budget none → 10",
    ]
    assert past_event_row(action).cells[2].plain == "ann: set budget none → 10"
    assert entry_words(replace(action, old_value="", new_value="3 tasks")) == "set budget → 3 tasks"


@pytest.mark.parametrize(
    ("verb", "old", "new", "words"),
    [
        ("run", "run", "run", "resumed"),
        ("run", "pause", "run", "resumed"),
        ("pause", "run", "pause", "paused"),
        ("pause, cancelling what is in flight", "pause", "pause", "paused, cancelling what is in flight"),
        ("stop", "run", "stop", "stopped"),
    ],
)
def test_what_a_person_wanted_of_a_run_is_told_as_what_they_did(verb: str, old: str, new: str, words: str) -> None:
    entry = LogEntry(1, 1_790_000_000.0, "action", verb, "ann", old, new)
    assert entry_words(entry) == words and past_event_row(entry).cells[2].plain == f"ann: {words}"


def test_plots_share_the_height_and_are_never_too_low() -> None:
    assert shared_out(40, 4) == [10, 10, 10, 10]
    assert shared_out(14, 4) == [7, 7]
    assert sum(shared_out(23, 4)) == 23
    assert shared_out(5, 4) == [5]
    assert shared_out(2, 4) == [4]
