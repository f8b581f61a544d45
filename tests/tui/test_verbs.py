"""What can be done with a run in each state, and why the rest cannot."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from vqa_tui.domain.run import CostView, Counts, EngineState, EngineView, Intent, Phase, RunView
from vqa_tui.tui.verbs import ACTIONS, PauseMeans, pause_means, why_not

MakeView = Callable[..., RunView]
NONE = EngineView(EngineState.NONE)
LOST = EngineView(EngineState.LOST)


@pytest.mark.parametrize(
    ("phase", "means"),
    [
        (Phase.CREATED, None),
        (Phase.PREFLIGHT, PauseMeans.PAUSE),
        (Phase.PILOT, PauseMeans.PAUSE),
        (Phase.AWAITING_APPROVAL, None),
        (Phase.RUNNING, PauseMeans.PAUSE),
        (Phase.PAUSING, PauseMeans.CANCEL),
        (Phase.PAUSED, PauseMeans.RESUME),
        (Phase.STOPPING, None),
        (Phase.STOPPED, None),
        (Phase.DONE, None),
        (Phase.FAILED, None),
    ],
)
def test_what_the_pause_key_means(make_view: MakeView, phase: Phase, means: PauseMeans | None) -> None:
    assert pause_means(make_view(phase=phase)) is means


def test_the_pause_key_never_weakens_a_stop(make_view: MakeView) -> None:
    for phase in (Phase.RUNNING, Phase.PAUSING, Phase.PAUSED):
        view = make_view(phase=phase, intent=Intent.STOP)
        assert pause_means(view) is None
        assert "to stop" in (why_not("toggle_pause", view) or "")
    assert why_not("resume", make_view(intent=Intent.STOP)) is None
    assert pause_means(make_view(intent=Intent.PAUSE)) is PauseMeans.CANCEL


def test_a_hung_engine_says_how_to_end_it(make_view: MakeView) -> None:
    view = make_view(engine=EngineView(EngineState.HUNG, pid=77))
    assert "kill -9 77" in (why_not("resume", view) or "")


ALLOWED = {
    Phase.CREATED: {"resume"},
    Phase.PREFLIGHT: {"toggle_pause", "stop"},
    Phase.PILOT: {"toggle_pause", "stop"},
    Phase.AWAITING_APPROVAL: {"approve", "stop"},
    Phase.RUNNING: {"toggle_pause", "stop"},
    Phase.PAUSING: {"toggle_pause", "resume", "stop"},
    Phase.PAUSED: {"toggle_pause", "resume", "stop"},
    Phase.STOPPING: set(),
    Phase.STOPPED: {"resume"},
    Phase.DONE: set(),
    Phase.FAILED: {"resume"},
}
STEERING = {"toggle_pause", "resume", "stop", "approve"}


@pytest.mark.parametrize("phase", list(Phase))
def test_which_keys_work_in_which_phase(make_view: MakeView, phase: Phase) -> None:
    at_rest = phase in (Phase.CREATED, Phase.STOPPED, Phase.DONE, Phase.FAILED)
    view = make_view(phase=phase, engine=NONE) if at_rest else make_view(phase=phase)
    assert {action for action in STEERING if why_not(action, view) is None} == ALLOWED[phase]


def test_why_nothing_can_be_asked_of_a_run_that_has_ended(make_view: MakeView) -> None:
    ended = {phase: why_not("stop", make_view(phase=phase, engine=NONE)) for phase in (Phase.FAILED, Phase.STOPPED)}
    assert ended[Phase.FAILED] == "The run ended with a failure: no engine is at work."
    assert ended[Phase.STOPPED] == "The run is stopped: no engine is at work."


def test_a_lost_engine_can_be_resumed_or_stopped_and_nothing_else(make_view: MakeView) -> None:
    view = make_view(engine=LOST)
    assert {action for action in STEERING if why_not(action, view) is None} == {"resume", "stop"}
    assert "Press r" in (why_not("toggle_pause", view) or "")


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("action", ACTIONS)
def test_every_refusal_is_a_sentence(make_view: MakeView, action: str, phase: Phase) -> None:
    reason = why_not(action, make_view(phase=phase))
    assert reason is None or (reason[0].isupper() and reason.endswith("."))


def test_nothing_can_be_done_before_the_run_was_read() -> None:
    assert all(why_not(action, None) for action in ACTIONS)
    assert why_not("help", None) is None


def test_what_depends_on_the_work_so_far(make_view: MakeView) -> None:
    fresh = make_view(counts=Counts(pending=10), samples=0, cost=replace(CostView(), price_known=False))
    assert "failed" in (why_not("retry_failed", fresh) or "")
    assert "failed" in (why_not("show_failed", fresh) or "")
    assert "export" in (why_not("export", fresh) or "")
    assert "no prices" in (why_not("budget", fresh) or "")
    assert all(why_not(action, make_view()) is None for action in ("retry_failed", "show_failed", "export", "budget"))
