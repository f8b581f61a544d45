"""The sentences of the watch display, from made-up views."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console

from vqa_tui.cli import run_lines
from vqa_tui.cli.run_faces import LineFace, drawing
from vqa_tui.domain.run import (
    CalibrationView,
    CostView,
    Counts,
    EngineState,
    EngineView,
    EventView,
    GaugeView,
    Intent,
    KeyView,
    LatencyView,
    Limits,
    Phase,
    PilotView,
    RateView,
    RunView,
    ThrottleView,
    TokensView,
)
from vqa_tui.operations.limits import LimitInForce

VIEW = RunView(
    id=1,
    name="train",
    dataset="scans",
    recipe="stcray",
    endpoint="gemini",
    model="m",
    phase=Phase.RUNNING,
    phase_reason="",
    intent=Intent.RUN,
    created_at=0.0,
    started_at=100.0,
    ended_at=None,
    limits=Limits(budget_usd=Decimal(10), concurrency=16),
    counts=Counts(pending=16_541, leased=16, done=13_480, failed=7),
    samples=40_440,
    cost=CostView(spent=Decimal("1.84"), projected=Decimal("4.11"), cap=Decimal(10)),
    tokens=TokensView(18_000_000, 2_000_000),
    rate=RateView(4.98),
    latency=LatencyView(812.0, 1900.0),
    keys=(KeyView("a", "one", "ok", requests=7), KeyView("b", "two", "cooling", "429", until=0.0, rate_limited=3)),
    failures={"bad_reply": 7},
    attempt_failures={"bad_reply": 12, "rate_limited": 41},
    eta_s=3312.0,
    why_idle="2 of 16 slots idle: key b, requests/min",
    engine=EngineView(EngineState.ALIVE, 7),
)


def test_the_display_holds_what_a_person_needs() -> None:
    console = Console(width=100, record=True, file=io.StringIO(), markup=False)
    console.print(drawing(VIEW))
    shown = console.export_text()
    for words in (
        "train: running",
        "13 487 of 30 044 (44.9 %), 7 failed",
        "4.98/s, 55m 12s left, p50 812 ms, p95 1.9 s",
        "$1.84 spent, $4.11 projected, cap $10.00",
        "failed: 7 bad reply; asked again: 5 bad reply, 41 rate limited",
        "cooling until",
        "why idle: 2 of 16 slots idle: key b, requests/min",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EngineState.LOST, "train: engine lost"),
        (EngineState.HUNG, "train: running, engine not answering"),
        (EngineState.ALIVE, "train: running"),
    ],
)
def test_an_engine_that_is_gone_is_told(state: EngineState, words: str) -> None:
    assert run_lines.headline(replace(VIEW, engine=EngineView(state))) == words


def test_an_unknown_price_is_not_zero_dollars() -> None:
    view = replace(VIEW, cost=CostView(price_known=False))
    assert "$" not in run_lines.cost_words(view) + run_lines.plain_line(view)
    assert "price unknown" in run_lines.cost_words(view)


def test_the_pilot_says_what_it_knows_and_no_more() -> None:
    measured = PilotView(10, 10, Decimal("0.000137"), Decimal("4.11"), 3312.0)
    assert run_lines.pilot_words(replace(VIEW, pilot=measured))[1:] == [
        "Measured cost: $0.000137 a picture.",
        "The whole run will cost about $4.11.",
        "The rest will take about 55m 12s.",
    ]
    cost = replace(VIEW.cost, projected_low=Decimal("4.05"), projected_high=Decimal("4.17"))
    calibrated = replace(VIEW, pilot=measured, cost=cost, calibration=CalibrationView(10, 1_000, 1_080, 300, 210))
    assert run_lines.pilot_words(calibrated)[2:4] == [
        "Billed against estimated: input tokens ×1.08, output tokens ×0.70.",
        "The whole run will cost about $4.11 ± 0.06.",
    ]
    dear = replace(calibrated, counts=Counts(pending=3, done=10), cost=replace(cost, cap=Decimal("1.8403")))
    assert run_lines.pilot_words(dear)[4] == (
        "The cap of $1.84 will be reached after about 12 of 13 pictures; the run pauses there."
    )
    assert len(run_lines.pilot_words(replace(VIEW, pilot=PilotView(1, 1, None, None, None)))) == 1
    assert run_lines.pilot_words(VIEW) == ()


def test_quotas_throttle_bytes_and_calibration_are_in_words() -> None:
    gauges = (GaugeView("requests/min", 60, 60, resets_at=1_012.0), GaugeView("tokens/min", 41_000, 1_000_000))
    key = KeyView("a", "one", "ok", gauges=gauges)
    assert run_lines.key_words(key, 1_000.0)[3] == "rpm 60/60, free in 0:12; tpm 41k/1M"
    throttled = replace(VIEW, throttles=(ThrottleView("one", 9, 8.5, "growing"),), bytes_per_s=11_800_000.0)
    assert run_lines.throttle_words(throttled, 0.0) == "growing, 9 of 16 slots, 8.50/s learned; 12 MB/s sent"
    assert run_lines.throttle_words(VIEW, 0.0) == "" and run_lines.estimate_words(VIEW) == ""
    calibrated = replace(VIEW, calibration=CalibrationView(1, 1_000, 1_080, 300, 210))
    assert run_lines.estimate_words(calibrated) == (
        "input tokens ×1.08, output tokens ×0.70 of the estimate, over 1 reply"
    )


def test_limits_in_force_tell_what_was_changed() -> None:
    limits = [
        LimitInForce("concurrency", 3, 12, True, "", ""),
        LimitInForce("budget", None, None, False, "", ""),
        LimitInForce("rpm.a", 60, 60, False, "", ""),
        LimitInForce("tpm.a", None, None, False, "", ""),
        LimitInForce("rpd.a", 9, None, True, "", ""),
    ]
    assert run_lines.limit_facts(limits) == [
        ("concurrency", "3  (set for this run, else 12)"),
        ("budget", "none"),
        ("rpm.a", "60"),
        ("rpd.a", "9  (set for this run, else none)"),
    ]


def test_the_outcome_is_one_sentence() -> None:
    view = replace(VIEW, phase=Phase.DONE, counts=Counts(done=9, failed=1), ended_at=160.0)
    assert run_lines.outcome_words(view) == (
        "train: done. 9 of 10 pictures answered, 40 440 pairs, 1 failed, $1.84 in 1m 00s."
    )


def test_plain_lines_tell_each_event_once_and_skip_what_is_long_past(capsys: pytest.CaptureFixture[str]) -> None:
    events = tuple(EventView(number, float(number), "info", f"event-{number}.") for number in range(9, 0, -1))
    face = LineFace()
    face.show(replace(VIEW, events=events))
    face.show(replace(VIEW, events=(EventView(10, 10.0, "warning", "event-10."), *events)))
    face.show(replace(VIEW, events=(EventView(10, 10.0, "warning", "event-10."), *events)))
    shown = capsys.readouterr().out
    assert "event-5." not in shown
    assert [shown.count(f"event-{number}.") for number in (6, 7, 8, 9, 10)] == [1] * 5
    assert shown.count("running: 13 487 of 30 044") == 1
    assert "warning: event-10." in shown


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("", ""),
        ("the budget of $0.50 is reached; raise it to go on", "the budget of $0.50 is reached; raise it to go on"),
        ("no key is left. Export one, then resume.", "no key is left."),
        ("the model does not exist (404)\nWrite it as the endpoint does.", "the model does not exist (404)"),
    ],
)
def test_a_list_shows_the_problem_without_the_advice(reason: str, shown: str) -> None:
    assert run_lines.first_sentence(reason) == shown
