"""Whole runs on the embedded endpoint: phases, pilot, pause, stop, limits, budget."""

import json
from decimal import Decimal

import pytest

from tests.e2e.conftest import Stage
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.queue_edits import retry_failed
from vqa_tui.operations.runs import approve_run, pause_run, resume_run, start_engine, stop_run

NEWEST = "SELECT done FROM metric WHERE run_id = ? ORDER BY at DESC LIMIT 1"


async def test_pilot_waits_for_a_person_and_then_the_run_is_done(stage: Stage) -> None:
    dataset = await stage.pictures(30)
    run_id = await stage.run(RunRequest(dataset, "general-vqa", stage.endpoint(), pilot=5))
    view = await stage.until_phase(run_id, Phase.AWAITING_APPROVAL)
    assert view.counts.done == 5 and view.counts.pending == 25
    assert await stage.column(NEWEST, run_id) == [5], "the past holds the moment at which a run comes to rest"
    assert view.pilot is not None and view.pilot.finished == 5
    assert view.pilot.cost_per_item and view.pilot.projected_cost and view.pilot.projected_s
    assert view.pilot.projected_cost > view.cost.spent
    await approve_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.total) == (Phase.DONE, 30, 30)
    assert view.phase_reason == "30 done"
    assert view.samples == len(await stage.column("SELECT id FROM sample WHERE run_id = ?", run_id)) > 0
    assert view.cost.spent > 0 and view.cost.reserved == 0


async def test_a_pilot_that_was_paused_goes_on_and_does_not_begin_anew(stage: Stage) -> None:
    dataset = await stage.pictures(60)
    endpoint = stage.endpoint(latency_ms=100)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=50, concurrency=2))
    await stage.until(run_id, lambda view: view.counts.done >= 2)
    await pause_run(stage.workspace, run_id)
    paused = await stage.until_phase(run_id, Phase.PAUSED)
    await resume_run(stage.workspace, run_id)
    view = await stage.until(run_id, lambda view: len(pilot_events(view)) == 2)
    going_on = f"pilot: going on with the first 50 pictures, {paused.counts.done} answered by now"
    assert pilot_events(view) == [going_on, "pilot: asking 50 pictures first"]
    await stop_run(stage.workspace, run_id)
    await stage.until_ended(run_id)


def pilot_events(view: RunView) -> list[str]:
    """What was told of the pilot, the newest first."""
    return [event.message for event in view.events if event.message.startswith("pilot")]


async def test_a_second_engine_is_refused(stage: Stage) -> None:
    dataset = await stage.pictures(3)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(), pilot=2))
    await stage.until_phase(run_id, Phase.AWAITING_APPROVAL)
    with pytest.raises(VqaError, match="already at work"):
        await start_engine(stage.workspace, run_id)
    await stop_run(stage.workspace, run_id)
    await stage.until_ended(run_id)


async def test_pause_lets_requests_end_and_resume_goes_on(stage: Stage) -> None:
    dataset = await stage.pictures(200)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=150), pilot=0))
    await stage.until(run_id, lambda view: view.counts.done >= 20)
    await pause_run(stage.workspace, run_id)
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert view.counts.leased == 0 and view.phase_reason == "a person paused it"
    assert view.why_idle == "a person paused it", "not what it waited for a moment before"
    done = view.counts.done
    assert await stage.column("SELECT count(*) FROM attempt WHERE run_id = ?", run_id) == [done]
    assert await stage.column(NEWEST, run_id) == [done]
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert view.counts.done == 200
    assert await stage.column("SELECT count(*) FROM attempt WHERE run_id = ?", run_id) == [200]


async def test_a_second_press_cancels_what_is_in_flight_and_puts_it_back(stage: Stage) -> None:
    dataset = await stage.pictures(40)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=60_000), pilot=0, concurrency=8))
    await stage.until(run_id, lambda view: len(view.in_flight) == 8)
    await pause_run(stage.workspace, run_id)
    await stage.until_phase(run_id, Phase.PAUSING)
    await pause_run(stage.workspace, run_id, cancel_in_flight=True)
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert (view.counts.pending, view.counts.leased) == (40, 0)
    assert dict(view.attempt_failures) == {"cancelled": 8}
    assert view.cost.uncertain > 0 and view.cost.reserved == 0
    await stop_run(stage.workspace, run_id)
    assert (await stage.until_ended(run_id)).phase is Phase.STOPPED


async def test_stop_ends_the_engine_and_resume_starts_it_again(stage: Stage) -> None:
    dataset = await stage.pictures(120)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=150), pilot=0, concurrency=4))
    await stage.until(run_id, lambda view: view.counts.done >= 10)
    await stop_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.STOPPED and view.counts.leased == 0 and view.counts.pending > 0
    await resume_run(stage.workspace, run_id)
    assert (await stage.until_ended(run_id)).counts.done == 120
    assert await stage.column("SELECT count(*) FROM session WHERE run_id = ?", run_id) == [2]


async def test_the_budget_is_never_passed_and_raising_it_goes_on(stage: Stage) -> None:
    dataset = await stage.pictures(150)
    request = RunRequest(dataset, "general-vqa", stage.endpoint(), pilot=0, budget_usd=Decimal("0.01"), concurrency=32)
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "budget of $0.01 is reached" in view.phase_reason
    assert Decimal(0) < view.cost.spent + view.cost.uncertain <= Decimal("0.01")
    assert view.counts.pending > 0 and view.counts.leased == 0
    recorded = await stage.column("SELECT done FROM metric WHERE run_id = ? ORDER BY at DESC LIMIT 1", run_id)
    assert recorded == [view.counts.done] and view.latency.p50_ms is not None
    left = Decimal("0.01") - view.cost.spent - view.cost.uncertain
    assert f"${left:.6f} is left" in view.phase_reason and view.at_cap
    with pytest.raises(VqaError, match=r"cannot go on: the budget of \$0.01 is reached") as refused:
        await resume_run(stage.workspace, run_id)
    assert refused.value.hint and f"run set {view.name} budget=" in refused.value.hint
    await set_limits(stage.workspace, run_id, {"budget": "5"})
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.DONE and view.counts.done == 150
    billed = await stage.column("SELECT sum(cost_nano) FROM attempt WHERE run_id = ?", run_id)
    assert [view.cost.spent * 10**9] == billed
    changes = await stage.workspace.db.read("SELECT verb, old_value, new_value FROM action WHERE verb LIKE 'set%'")
    assert [tuple(row) for row in changes] == [("set budget", "0.01", "5")]


async def test_concurrency_changes_while_it_works(stage: Stage) -> None:
    dataset = await stage.pictures(400)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=150), pilot=0, concurrency=2))
    view = await stage.until(run_id, lambda view: view.counts.done >= 4)
    assert len(view.in_flight) <= 2
    await set_limits(stage.workspace, run_id, {"concurrency": "20"})
    await stage.until(run_id, lambda view: len(view.in_flight) > 15)
    await set_limits(stage.workspace, run_id, {"concurrency": "3"})
    await stage.until(run_id, lambda view: 0 < len(view.in_flight) <= 3)
    await stop_run(stage.workspace, run_id, cancel_in_flight=True)
    await stage.until_ended(run_id)


async def test_failed_tasks_are_retried_by_kind_after_the_end(stage: Stage) -> None:
    dataset = await stage.pictures(20)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(fail={"refused": 1.0}), pilot=0))
    view = await stage.until_ended(run_id)
    assert (view.phase, dict(view.failures)) == (Phase.DONE, {"refused": 20})
    with pytest.raises(VqaError, match="unknown failure kind"):
        await retry_failed(stage.workspace, run_id, kinds=["refusal"])
    assert await retry_failed(stage.workspace, run_id, kinds=["server"]) == 0
    assert await retry_failed(stage.workspace, run_id, kinds=["refused"]) == 20
    view = await stage.until_ended(run_id)
    assert dict(view.failures) == {"refused": 20}
    assert await stage.column("SELECT DISTINCT attempts FROM task WHERE run_id = ?", run_id) == [2]


async def test_bad_keys_are_switched_off_and_the_last_one_pauses_the_run(stage: Stage) -> None:
    dataset = await stage.pictures(20)
    keys = [{"name": "good"}, {"name": "bad"}]
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(keys=keys, bad_keys=["bad"]), pilot=0))
    view = await stage.until_ended(run_id)
    assert view.counts.done == 20
    assert {key.name: key.state for key in view.keys} == {"good": "ok", "bad": "off"}
    assert any("key bad is off" in event.message for event in view.events)

    lone = await stage.run(
        RunRequest(dataset, "caption", stage.endpoint(keys=[{"name": "bad"}], bad_keys=["bad"]), pilot=0)
    )
    view = await stage.until_phase(lone, Phase.PAUSED)
    assert "no key is left" in view.phase_reason and view.counts.pending == 20 and view.counts.failed == 0
    await stop_run(stage.workspace, lone)
    await stage.until_ended(lone)


async def test_the_breaker_pauses_a_run_whose_endpoint_is_broken(stage: Stage) -> None:
    dataset = await stage.pictures(100)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(fail={"500": 1.0}), pilot=0))
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "requests failed" in view.phase_reason and "server" in view.phase_reason
    assert view.engine.state is EngineState.ALIVE and view.counts.leased == 0
    await stop_run(stage.workspace, run_id)
    await stage.until_ended(run_id)


async def test_pictures_that_are_gone_or_changed_fail_without_a_request(stage: Stage) -> None:
    dataset = await stage.pictures(5)
    (stage.folder / "dots" / "00001.png").unlink()
    (stage.folder / "dots" / "00002.png").write_bytes(b"changed, and longer than any such picture was" * 20)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(), pilot=0))
    view = await stage.until_ended(run_id)
    assert dict(view.failures) == {"bad_image": 2} and view.counts.done == 3
    problems = await stage.column("SELECT last_problem FROM task WHERE status = 'failed' ORDER BY id")
    assert all(isinstance(problem, str) and problem for problem in problems)
    assert await stage.column("SELECT count(*) FROM attempt") == [3]


async def test_a_run_without_its_key_fails_in_words_and_asks_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VQA_TEST_NO_SUCH_KEY", raising=False)
    path = stage.folder / "paid.yaml"
    path.write_text(
        "name: paid\nbase_url: http://127.0.0.1:9/v1\nmodel: m\nkeys: [{name: main, env: VQA_TEST_NO_SUCH_KEY}]\n"
    )
    run_id = await create_run(stage.workspace, RunRequest(await stage.pictures(2), "caption", str(path), pilot=0))
    with pytest.raises(VqaError, match="VQA_TEST_NO_SUCH_KEY is not set"):
        await stage.start(run_id)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.FAILED and "VQA_TEST_NO_SUCH_KEY is not set" in view.phase_reason
    assert view.counts.pending == 2


async def test_an_endpoint_that_is_down_costs_no_attempts_and_its_key_is_nowhere_in_the_workspace(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = "sk-planted-0123456789abcdef"
    monkeypatch.setenv("VQA_TEST_KEY", planted)
    path = stage.folder / "down.yaml"
    path.write_text("name: down\nbase_url: http://127.0.0.1:9/v1\nmodel: m\nkeys: [{name: main, env: VQA_TEST_KEY}]\n")
    run_id = await stage.run(RunRequest(await stage.pictures(60), "caption", str(path), pilot=0))
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "network" in view.phase_reason and view.counts.failed == 0
    assert view.engine.pid is not None
    assert await stage.column("SELECT max(attempts_spent) FROM task") == [0]
    assert view.cost.uncertain == 0
    await stop_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    for file in stage.workspace.paths.root.rglob("*"):
        if file.is_file():
            assert planted.encode() not in file.read_bytes(), file
    assert planted not in json.dumps(view, default=str)
