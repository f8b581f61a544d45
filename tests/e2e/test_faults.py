"""Real faults: kill -9 of the engine, and every kind of trouble at once; every picture is accounted for."""

import asyncio
import os
import random
import signal

from tests.e2e.conftest import Stage
from vqa_tui.domain.run import EngineState, Phase
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import resume_run, stop_run


async def test_kill_9_in_the_middle_loses_and_repeats_nothing(stage: Stage) -> None:
    dataset = await stage.pictures(1_000)
    run_id = await stage.run(RunRequest(dataset, "general-vqa", stage.endpoint(latency_ms=30), pilot=0))
    chance = random.Random(5)
    for kill in range(1, 4):
        await stage.until_done(run_id, kill * 80 + chance.randrange(30))
        await stage.kill_engine(run_id)
        view = await stage.view(run_id)
        assert view.engine.state is EngineState.LOST and view.phase is Phase.RUNNING
        assert view.counts.leased > 0
        await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 1_000)
    assert await stage.column("SELECT count(DISTINCT task_id) FROM sample") == [1_000]
    assert await stage.column("SELECT task_id FROM sample GROUP BY task_id, ordinal HAVING count(*) > 1") == []
    assert (
        await stage.column("SELECT task_id FROM attempt WHERE kind = 'ok' GROUP BY task_id HAVING count(*) > 1") == []
    )
    lost = await stage.column("SELECT count(*) FROM attempt WHERE kind = 'lost'")
    # At most what was in flight (16) and one group that was not committed yet (64), for each kill.
    assert lost[0] is not None and 0 < int(str(lost[0])) <= 3 * (16 + 64)
    told = [event.message for event in view.events if "ended without a word" in event.message]
    assert len(told) == 3
    assert await stage.column("SELECT count(*) FROM session WHERE end_reason = 'lost'") == [3]


async def test_stopping_a_lost_run_puts_its_pictures_back(stage: Stage) -> None:
    dataset = await stage.pictures(100)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=400), pilot=0))
    await stage.until(run_id, lambda view: view.counts.done >= 10)
    await stage.kill_engine(run_id)
    await stop_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.STOPPED and view.counts.leased == 0


async def test_sigterm_stops_gracefully(stage: Stage) -> None:
    dataset = await stage.pictures(200)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=200), pilot=0))
    view = await stage.until(run_id, lambda view: view.counts.done >= 10)
    assert view.engine.pid is not None
    os.kill(view.engine.pid, signal.SIGTERM)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.STOPPED and "SIGTERM" in view.phase_reason
    assert await stage.column("SELECT count(*) FROM attempt WHERE kind <> 'ok'") == [0]


async def test_two_thousand_pictures_through_every_kind_of_trouble(stage: Stage) -> None:
    dataset = await stage.pictures(2000)
    endpoint = stage.endpoint(
        keys=[{"name": "quick"}, {"name": "slow"}, {"name": "bad"}],
        requests_per_minute_by_key={"slow": 60},
        bad_keys=["bad"],
        fail={"500": 0.05, "reset": 0.02, "bad_json": 0.03},
        # Who is told its limits keeps within them and never meets a 429.
        rate_limits_told="nothing",
        latency_ms=20,
        concurrency=32,
    )
    run_id = await stage.run(RunRequest(dataset, "general-vqa", endpoint, pilot=0))
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.DONE, view.phase_reason
    counts = view.counts
    assert counts.done + counts.failed == counts.total == 2000
    assert counts.done >= 1990
    assert await stage.column("SELECT count(DISTINCT task_id) FROM sample") == [counts.done]
    assert await stage.column("SELECT count(*) FROM attempt WHERE kind = 'ok'") == [counts.done]
    by_kind = dict(view.attempt_failures)
    assert by_kind["server"] > 50 and by_kind["network"] > 15 and by_kind["bad_reply"] > 30
    assert by_kind["rate_limited"] > 0 and by_kind["auth"] >= 1
    states = {key.name: key.state for key in view.keys}
    assert states["bad"] == "off"
    billed = await stage.column("SELECT sum(cost_nano) FROM attempt WHERE run_id = ?", run_id)
    assert [view.cost.spent * 10**9] == billed
    unread = await stage.column("SELECT count(*) FROM attempt WHERE kind = 'bad_reply' AND raw_reply IS NULL")
    assert unread == [0]


async def test_the_engine_outlives_the_one_who_started_it(stage: Stage) -> None:
    dataset = await stage.pictures(60)
    endpoint = stage.endpoint(latency_ms=50)
    run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=0))
    view = await stage.until(run_id, lambda view: view.counts.done >= 1)
    assert view.engine.pid is not None
    assert os.getsid(view.engine.pid) == view.engine.pid != os.getsid(0)
    await asyncio.sleep(0)
    assert (await stage.until_ended(run_id)).counts.done == 60
