"""A run at its cap, or bound for it: what is said, and which keys can do anything about it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.tui.made_views import make_awaiting, make_view
from vqa_tui.domain.at_cap import at_cap_words
from vqa_tui.domain.run import Counts, EngineState, EngineView, EventView, Phase, RunView
from vqa_tui.tui import verbs
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present import run_lines
from vqa_tui.tui.screens.dashboard import DashboardScreen

REASON = at_cap_words(Decimal("0.0005"), Decimal("0.000267"), Decimal("0.000233"), Decimal(0))
PAUSED = EventView(20, 50.0, "warning", f"paused: {REASON}")
SET = EventView(-3, 60.0, "action", "someone: set max_side 1024 → 512")
EARLIER = EventView(-2, 40.0, "action", "someone: run pause → run")
STUCK = make_view(phase=Phase.PAUSED, phase_reason=REASON, in_flight=(), events=(PAUSED, EARLIER))


def test_where_only_a_higher_budget_helps_the_key_that_raises_it_is_named() -> None:
    banner = run_lines.banner(STUCK)
    assert banner is not None and banner.content.plain.endswith("raise it to go on — b raises it")
    for action in ("toggle_pause", "resume"):
        assert "Raise it with b" in (verbs.why_not(action, STUCK) or "")
    assert verbs.why_not("budget", STUCK) is None and verbs.why_not("stop", STUCK) is None


@pytest.mark.parametrize(
    "view",
    [
        replace(STUCK, events=(SET, PAUSED, EARLIER)),
        replace(STUCK, events=(EARLIER,)),
        replace(STUCK, phase_reason="a person paused it"),
        replace(STUCK, phase_reason=at_cap_words(Decimal(1), Decimal("0.1"), Decimal("0.2"), Decimal(0))),
    ],
    ids=["limits were changed since", "it paused long ago", "a person paused it", "there is room for another"],
)
def test_a_run_that_may_go_on_can_be_resumed(view: object) -> None:
    assert isinstance(view, type(STUCK)) and not view.at_cap
    banner = run_lines.banner(view)
    assert banner is not None and banner.content.plain.endswith("p resumes")
    assert verbs.why_not("toggle_pause", view) is None and verbs.why_not("resume", view) is None


def test_a_run_at_its_cap_whose_engine_is_lost_can_be_resumed() -> None:
    lost = replace(STUCK, engine=EngineView(EngineState.LOST))
    assert not lost.at_cap and verbs.why_not("resume", lost) is None


def bound_for_the_cap() -> RunView:
    few = make_awaiting(counts=Counts(pending=3, done=9, failed=1))
    cost = replace(few.cost, spent=Decimal("0.0015"), uncertain=Decimal(0), cap=Decimal("0.0018"))
    return replace(few, cost=cost)


async def test_whoever_approves_is_told_so_once_more(fake: Any, until: Callable[..., Any]) -> None:
    app = VqaApp(fake(bound_for_the_cap()), open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.screen.steered is not None)
        await pilot.press("a")
        words = "is asked now; the cap of $0.0018 will be reached after about 12 of 13 pictures."
        await until(pilot, lambda: any(" ".join(each.message.split()).endswith(words) for each in app._notifications))


def test_before_a_pilot_is_approved_it_is_said_where_the_cap_will_be_reached() -> None:
    few = bound_for_the_cap()
    cost = few.cost
    banner = run_lines.banner(few)
    assert banner is not None
    assert "▲ the cap of $0.0018 will be reached after about 12 of 13 pictures" in banner.content.plain
    for enough in (replace(cost, cap=Decimal("0.0020")), replace(cost, cap=None), replace(cost, price_known=False)):
        banner = run_lines.banner(replace(few, cost=enough))
        assert banner is not None and "cap" not in banner.content.plain
    beyond = replace(few, cost=replace(cost, cap=Decimal("0.001")))
    assert beyond.within_cap == 10
