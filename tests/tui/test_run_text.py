"""The dashboard's lines and panels as text, without an app."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from vqa_tui.domain.run import (
    CostView,
    Counts,
    EngineState,
    EngineView,
    Intent,
    Limits,
    Phase,
    PilotView,
    RateView,
    RunView,
)
from vqa_tui.tui.present import run_lines, run_panels

MakeView = Callable[..., RunView]
LOST = EngineView(EngineState.LOST)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
def test_the_header_fits_and_always_tells_name_and_state(make_view: MakeView, width: int) -> None:
    line = run_lines.header(make_view(), time.time(), width)
    assert line.cell_length <= width
    assert "running" in line.plain and "s" in line.plain


def test_the_header_tells_engine_money_and_crumbs_where_there_is_room(make_view: MakeView) -> None:
    line = run_lines.header(make_view(), time.time(), 120).plain
    for word in ("vqa-tui › runs › stcray-train", "● running", "engine 45m", "$1.84 of $10.00"):
        assert word in line


def test_the_header_tells_how_the_run_was_chosen_and_how_another_is(make_view: MakeView) -> None:
    newest = run_lines.choosing_words("1", newest=True)
    wide, narrow = (run_lines.header(make_view(), 0, width, choosing=newest).plain for width in (140, 80))
    assert "stcray-train  the newest run · 1 chooses another " in wide
    assert "stcray-train  newest · 1: others " in narrow and "$1.84 of $10.00" in narrow
    assert run_lines.choosing_words("F1", newest=False) == ("F1 chooses another", "F1: others")
    assert run_lines.choosing_words("", newest=False) == ()
    for width in (20, 40, 60):
        line = run_lines.header(make_view(), 0, width, choosing=newest)
        assert line.cell_length <= width and "running" in line.plain


def test_a_lost_engine_is_loud(make_view: MakeView) -> None:
    view = make_view(engine=LOST)
    banner = run_lines.banner(view)
    assert banner is not None and banner.tone == "error"
    assert "engine lost — press r to resume, 14 pictures will be put back" in banner.content.plain
    assert "engine lost" in run_lines.header(view, time.time(), 80).plain
    assert "lost" in run_lines.why_idle(view).plain


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_the_progress_line_fits_and_counts(make_view: MakeView, width: int) -> None:
    line = run_lines.progress(make_view(), width)
    assert line.cell_length <= width
    assert "13 489" in line.plain
    if width >= 60:
        assert "44.9 %  ETA 55m 12s" in line.plain


def test_an_ended_run_tells_how_long_it_took(make_view: MakeView) -> None:
    view = make_view(phase=Phase.DONE, started_at=1_000.0, ended_at=4_312.0)
    assert "took 55m 12s" in run_lines.progress(view, 100).plain


def test_approval_shows_what_was_measured_and_what_it_means(make_view: MakeView) -> None:
    pilot = PilotView(10, 10, Decimal("0.000137"), Decimal("4.1131"), 6_100.0)
    view = make_view(phase=Phase.AWAITING_APPROVAL, pilot=pilot, counts=Counts(pending=30_034, done=9, failed=1))
    banner = run_lines.banner(view)
    assert banner is not None and banner.tone == "approval"
    for word in (
        "pilot of 10",
        "9 done, 1 failed",
        "$0.000137 a picture",
        "all 30 044: $4.11 ± 0.06, about 1h 41m",
        "a approves",
    ):
        assert word in banner.content.plain


def test_approval_without_prices_says_so(make_view: MakeView) -> None:
    pilot = PilotView(10, 10, None, None, None)
    view = make_view(phase=Phase.AWAITING_APPROVAL, pilot=pilot, cost=CostView(price_known=False))
    banner = run_lines.banner(view)
    assert banner is not None and "price unknown" in banner.content.plain


@pytest.mark.parametrize(
    ("phase", "reason", "words", "tone"),
    [
        (Phase.PAUSED, "budget of $10.00 reached, 41 requests drained", "budget of $10.00 reached", "warning"),
        (Phase.PAUSED, "", "paused", "warning"),
        (Phase.PAUSING, "", "14 requests in flight", "warning"),
        (Phase.FAILED, "no key is left", "no key is left", "error"),
        (Phase.STOPPED, "stopped by a person", "stopped by a person", "quiet"),
        (Phase.CREATED, "", "r starts it", "quiet"),
        (Phase.RUNNING, "after 3 were put back", "after 3 were put back", "quiet"),
    ],
)
def test_the_reason_of_a_phase_is_shown(make_view: MakeView, phase: Phase, reason: str, words: str, tone: str) -> None:
    banner = run_lines.banner(make_view(phase=phase, phase_reason=reason))
    assert banner is not None
    assert words in banner.content.plain
    assert banner.tone == tone


def test_a_run_without_anything_to_say_has_no_banner(make_view: MakeView) -> None:
    assert run_lines.banner(make_view()) is None


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("state", list(EngineState))
def test_there_is_always_a_reason_for_idleness(make_view: MakeView, phase: Phase, state: EngineState) -> None:
    line = run_lines.why_idle(make_view(phase=phase, why_idle="", engine=EngineView(state))).plain
    assert len(line) > len("why idle: ") + 3


@pytest.mark.parametrize("size", [(18, 3), (22, 4), (24, 4), (62, 8), (64, 12)])
@pytest.mark.parametrize("panel", [run_panels.throughput, run_panels.cost, run_panels.failures])
def test_panels_fit_into_their_size(make_view: MakeView, panel: run_panels.PanelText, size: tuple[int, int]) -> None:
    for view in (make_view(), make_view(rate=RateView(), failures={}, attempt_failures={}, cost=CostView())):
        text = panel(view, *size)
        assert len(text.plain.split("\n")) <= size[1]


@pytest.mark.parametrize("height", [4, 8])
def test_throughput_tells_rate_latency_and_slots(make_view: MakeView, height: int) -> None:
    text = run_panels.throughput(make_view(), 62, height).plain
    for word in ("4.98/s", "p50 812 ms", "p95 1.9 s", "in flight 14 of 16", "█"):
        assert word in text


def test_a_rate_is_shown_only_while_somebody_works(make_view: MakeView) -> None:
    for view in (make_view(engine=LOST), make_view(phase=Phase.PAUSED), make_view(phase=Phase.DONE)):
        assert "4.98/s" not in run_panels.throughput(view, 62, 4).plain


def test_the_price_of_a_picture_is_never_cut(make_view: MakeView) -> None:
    view = make_view(cost=CostView(spent=Decimal("0.0059")))
    for width in range(8, 40):
        first = run_panels.cost(view, width, 4).plain.split("\n")[0]
        assert len(first) <= width
        assert first.endswith(("$0.0059", "/picture", "/pic."))


@pytest.mark.parametrize("size", [(24, 4), (60, 8)])
def test_cost_tells_all_that_matters(make_view: MakeView, size: tuple[int, int]) -> None:
    text = run_panels.cost(make_view(), *size).plain
    for word in ("$1.84", "$0.000137/picture", "projected $4.11", "uncertain $0.0004", "cap $10.00", "18.4 %"):
        assert word in text


def test_cost_without_prices_or_cap(make_view: MakeView) -> None:
    unknown = run_panels.cost(make_view(cost=CostView(price_known=False)), 24, 4).plain
    assert "price unknown" in unknown and "$" not in unknown
    free = make_view(cost=CostView(spent=Decimal("0.1")), limits=Limits())
    assert "no cap" in run_panels.cost(free, 24, 4).plain


def test_failures_separate_what_is_lost_from_what_only_waits(make_view: MakeView) -> None:
    lines = run_panels.failures(make_view(), 60, 8).plain.split("\n")
    assert lines[0].split() == ["bad", "reply", "9", "failed,", "18", "asked", "again", "f", "look"]
    assert any("rate limited" in line and "41 waiting, not lost" in line for line in lines)
    ended = run_panels.failures(make_view(phase=Phase.DONE, engine=EngineView(EngineState.NONE)), 60, 8).plain
    assert "41 waited, not lost" in ended


def test_every_number_of_failures_has_its_word(make_view: MakeView) -> None:
    view = make_view(failures={"bad_reply": 1}, attempt_failures={"bad_reply": 10})
    for width in (24, 26, 40, 60):
        shown = run_panels.failures(view, width, 4).plain
        assert "1 failed" in shown and "9 a" in shown and "again" in shown
        assert all(len(line) <= width for line in shown.split("\n"))


HUNG = EngineView(EngineState.HUNG, pid=77, heartbeat_age_s=38.0)


def test_an_engine_that_does_not_answer_says_what_can_be_done(make_view: MakeView) -> None:
    view = make_view(engine=HUNG, why_idle="")
    banner = run_lines.banner(view)
    assert banner is not None and "kill -9 77, then r" in banner.content.plain
    assert "nothing is idle" not in run_lines.why_idle(view).plain and "38s" in run_lines.why_idle(view).plain
    assert "55m" not in run_lines.progress(view, 100).plain


def test_nothing_is_idle_only_while_every_slot_asks(make_view: MakeView) -> None:
    view = make_view(why_idle="")
    assert "nothing is idle" not in run_lines.why_idle(view).plain and "14 of 16" in run_lines.why_idle(view).plain
    full = replace(view, limits=Limits(concurrency=14))
    assert "nothing is idle, 14 of 14" in run_lines.why_idle(full).plain
    silent = replace(full, engine=EngineView(EngineState.ALIVE, heartbeat_age_s=9.0))
    assert "nothing is idle" not in run_lines.why_idle(silent).plain
    assert "last word, 9s ago" in run_lines.why_idle(silent).plain
    assert "last word 9s ago" in run_lines.header(silent, time.time(), 120).plain


def test_the_header_tells_a_wish_that_is_not_carried_out_yet_and_an_old_sight(make_view: MakeView) -> None:
    assert "● running · stop wanted" in run_lines.header(make_view(intent=Intent.STOP), 0, 120).plain
    assert "● running · pause wanted" in run_lines.header(make_view(intent=Intent.PAUSE), 0, 120).plain
    assert "wanted" not in run_lines.header(make_view(intent=Intent.PAUSE, phase=Phase.PAUSED), 0, 120).plain
    assert "as of 12s ago" in run_lines.header(make_view(), 0, 120, age_s=12.0).plain
    assert "as of" not in run_lines.header(make_view(), 0, 120, age_s=2.0).plain


def test_a_run_that_is_done_names_the_next_step(make_view: MakeView) -> None:
    banner = run_lines.banner(make_view(phase=Phase.DONE, phase_reason=""))
    assert banner is not None
    assert banner.content.plain == "✔ done — e exports, f looks at the failed, R asks them again"


def test_failures_that_do_not_fit_are_counted(make_view: MakeView) -> None:
    text = run_panels.failures(make_view(), 26, 4).plain.split("\n")
    assert len(text) == 4
    assert text[-1].startswith("2 more") and text[-1].endswith("30")
    assert "rate limited" in text[2]


def test_no_failure_is_said_in_a_word(make_view: MakeView) -> None:
    view = replace(make_view(), failures={}, attempt_failures={})
    assert run_panels.failures(view, 24, 4).plain == "none"


def test_why_a_run_failed_and_what_to_do_are_two_sentences_of_the_banner(make_view: MakeView) -> None:
    reason = "no key of the endpoint e has a value: SIMULATED_KEY_MAIN is not set\nSet it, then resume."
    banner = run_lines.banner(make_view(phase=Phase.FAILED, phase_reason=reason))
    assert banner is not None and "is not set. Set it" in banner.content.plain
