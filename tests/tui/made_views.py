"""Made-up sights of a run: in full flight, waiting for approval, with its engine lost."""

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

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
    RunSummary,
    RunView,
    SlotView,
    ThrottleView,
    TokensView,
)


def make_view(**changes: Any) -> RunView:
    """A run in full flight."""
    now = time.time()
    history = tuple(4.0 + (i * 7 % 13) / 10 + (1.5 if i % 40 > 30 else 0) for i in range(120))
    view = RunView(
        id=1,
        name="stcray-train",
        dataset="stcray",
        recipe="stcray",
        endpoint="gemini",
        model="gemini-2.5-flash",
        phase=Phase.RUNNING,
        phase_reason="",
        intent=Intent.RUN,
        created_at=now - 4_000,
        started_at=now - 3_900,
        ended_at=None,
        limits=Limits(budget_usd=Decimal("10"), concurrency=16),
        counts=Counts(pending=16_541, leased=14, done=13_474, failed=13, skipped=2),
        samples=40_422,
        cost=CostView(
            spent=Decimal("1.8412"), reserved=Decimal("0.0021"), uncertain=Decimal("0.0004"),
            projected=Decimal("4.1131"), projected_low=Decimal("4.0531"), projected_high=Decimal("4.1731"),
            cap=Decimal("10"),
        ),
        tokens=TokensView(input=24_100_000, output=3_900_000),
        rate=RateView(per_second=4.98, history=history),
        latency=LatencyView(p50_ms=812, p95_ms=1_930),
        keys=(
            KeyView("a", "project-1", "ok", requests=7_411, errors=2, rate_limited=12, spent=Decimal("1.0231"),
                    in_flight=8, mean_latency_ms=790,
                    gauges=(GaugeView("requests/min", 58, 60), GaugeView("tokens/min", 41_000, 1_000_000))),
            KeyView("b", "project-2", "cooling", reason="requests/min", until=now + 12, requests=6_082, errors=0,
                    rate_limited=29, spent=Decimal("0.8181"), in_flight=6, mean_latency_ms=840,
                    gauges=(GaugeView("requests/min", 60, 60, of_group=True, resets_at=now + 12),
                            GaugeView("requests/day", 1_500, 1_500, learned=True, resets_at=now + 7_200))),
            KeyView("old", "project-3", "off", reason="401 key not valid", requests=3, errors=3, rate_limited=0,
                    in_flight=0, gauges=(GaugeView("requests/min", 0, 60),)),
        ),
        failures={"bad_reply": 9, "bad_image": 4},
        attempt_failures={"rate_limited": 41, "bad_reply": 27, "server": 12, "bad_image": 4},
        eta_s=3_312.0,
        why_idle="2 of 16 slots wait for key b (requests/min) until 14:02:17",
        engine=EngineView(EngineState.ALIVE, pid=4_711, heartbeat_age_s=0.3, session_started_at=now - 2_723),
        in_flight=tuple(
            SlotView(20_000 + i, f"BOP{i:03}_Battery/scan_{i}.jpg", "ab"[i % 2], 0.2 + i * 0.31) for i in range(14)
        ),
        events=(
            EventView(9, now - 4, "warning", "key b cools down for 12 s: requests/min"),
            EventView(8, now - 61, "info", "rate limit of key a lifted"),
            EventView(3, now - 300, "action", "someone: concurrency 12 -> 16"),
            EventView(7, now - 1_200, "error", "key old is off: 401 key not valid"),
            EventView(6, now - 2_723, "info", "engine started, 3 keys, 16 slots"),
        ),
        throttles=(
            ThrottleView("project-1", 16, None, "growing"),
            ThrottleView("project-2", 6, 8.5, "cut back", cut_at=now - 12, cuts=3),
        ),
        throttle_history=tuple(range(4, 20)),
        bytes_per_s=11_800_000.0,
        calibration=CalibrationView(13_474, 20_000_000, 21_600_000, 4_042_200, 2_829_540),
    )  # fmt: skip
    return replace(view, **changes)


def make_awaiting(**changes: Any) -> RunView:
    """A run whose pilot is over."""
    pilot = PilotView(10, 10, Decimal("0.000137"), Decimal("4.1131"), 6_100.0)
    view = make_view(
        phase=Phase.AWAITING_APPROVAL, phase_reason="pilot done: 10 of 10", pilot=pilot, in_flight=(), why_idle="",
        counts=Counts(pending=30_034, done=9, failed=1), failures={"bad_reply": 1}, attempt_failures={"bad_reply": 4},
        samples=27,
    )  # fmt: skip
    return replace(view, **changes)


def make_lost(**changes: Any) -> RunView:
    """A run whose engine was killed."""
    engine = EngineView(EngineState.LOST, heartbeat_age_s=35.0)
    return replace(make_view(engine=engine, in_flight=(), why_idle="", rate=RateView(), eta_s=None), **changes)


def summary_of(view: RunView) -> RunSummary:
    return RunSummary(
        view.id, view.name, view.dataset, view.recipe, view.endpoint, view.phase, view.phase_reason, view.counts,
        view.cost.spent, view.cost.cap, view.engine.state, view.created_at, price_known=view.cost.price_known,
    )  # fmt: skip
