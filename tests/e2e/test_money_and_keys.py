"""Money and keys over real HTTP: the cap holds through crashes and lies, keys are mended, limits change at work."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import CAPTION, DOLLAR_A_MILLION, completion, listening, own_endpoint
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.engine.writer import GROUP_SIZE
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.queue_edits import retry_failed
from vqa_tui.operations.runs import approve_run, resume_run, stop_run
from vqa_tui.operations.workspace import open_workspace

NANO = 10**9
KEY_VALUE = "planted-value-of-a-test-key"


class Provider:
    """An endpoint of our own: what it answers, a test says."""

    def __init__(self) -> None:
        self.base_url = ""
        self.status = 200
        self.usage: dict[str, int] | None = {"prompt_tokens": 900, "completion_tokens": 30}
        self.delay_s = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            # How long a model thinks, so that requests overlap; no test waits for it.
            await asyncio.sleep(self.delay_s)
        finally:
            self.at_once -= 1
        if self.status != 200:
            return web.json_response({"error": {"message": "as the test says"}}, status=self.status)
        return completion(CAPTION, self.usage)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


def endpoint_at(stage: Stage, provider: Provider, **more: Any) -> str:
    return own_endpoint(stage.folder, provider.base_url, **{"prices": DOLLAR_A_MILLION, **more})


async def stopped(stage: Stage, run_id: int) -> RunView:
    await stop_run(stage.workspace, run_id)
    return await stage.until_ended(run_id)


async def test_the_budget_holds_across_a_crash_at_every_look(stage: Stage, provider: Provider) -> None:
    cap, one = Decimal("0.05"), Decimal("0.00093")
    provider.delay_s = 0.05

    def within(fact: Callable[[RunView], bool]) -> Callable[[RunView], bool]:
        """The fact, and at every look that what the provider bills is within the cap, and the run's own count too."""

        def checked(view: RunView) -> bool:
            # A crash makes what had been set aside for unstored replies uncertain, more than they really cost.
            unstored = (8 + GROUP_SIZE) * Decimal("0.003") if view.attempt_failures.get("lost") else 0
            assert view.cost.spent + view.cost.uncertain <= cap + unstored, view.cost
            assert provider.asked * one <= cap
            return fact(view)

        return checked

    request = RunRequest(
        await stage.pictures(150), "caption", endpoint_at(stage, provider), pilot=0, budget_usd=cap, concurrency=8
    )
    run_id = await stage.run(request)
    await stage.until(run_id, within(lambda view: view.cost.spent >= 8 * one))
    await stage.kill_engine(run_id)
    before, asked = (await stage.view(run_id)).cost.spent, provider.asked
    await resume_run(stage.workspace, run_id)
    view = await stage.until(run_id, within(lambda view: view.phase is Phase.PAUSED))
    assert "budget of $0.05 is reached" in view.phase_reason and view.counts.pending > 0
    assert before <= view.cost.spent and view.cost.uncertain > 0 and provider.asked >= asked
    # What is left for is less than one more request.
    assert view.cost.spent + view.cost.uncertain > cap - Decimal("0.003")
    await stopped(stage, run_id)


async def test_an_endpoint_that_bills_five_times_the_estimate_passes_the_cap_by_two_requests_at_most(
    stage: Stage, provider: Provider
) -> None:
    # One request is set aside for at about 2,800 tokens: the picture's 1,500 raised by a quarter, one a byte of the
    # prompt, and 400 out.
    real = 13_000
    provider.usage = {"prompt_tokens": real - 30, "completion_tokens": 30}
    provider.delay_s = 0.3
    cap = Decimal(real * 4) / 1_000_000
    request = RunRequest(
        await stage.pictures(40), "caption", endpoint_at(stage, provider), pilot=0, budget_usd=cap, concurrency=16
    )
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "budget" in view.phase_reason and provider.most_at_once == 2
    (estimate,) = await stage.column("SELECT min(reserved_nano) FROM attempt")
    excess = real * 1000 - int(str(estimate))
    assert excess > 4 * int(str(estimate)) - 1_000_000
    assert real * 1000 * 2 <= view.cost.spent * NANO <= cap * NANO + 2 * excess
    await stopped(stage, run_id)


async def test_a_missing_model_pauses_in_words_and_goes_on_when_it_is_there(stage: Stage, provider: Provider) -> None:
    provider.status, provider.delay_s = 404, 0.2
    run_id = await stage.run(
        RunRequest(await stage.pictures(60), "caption", endpoint_at(stage, provider), pilot=0, concurrency=2)
    )
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert view.phase_reason.startswith("the model or the address does not exist (HTTP 404)")
    assert view.phase_reason.endswith("as the test says")
    assert view.counts.pending > 0 and view.counts.pending + view.counts.failed == 60
    provider.status, provider.delay_s = 200, 0.0
    assert await retry_failed(stage.workspace, run_id, kinds=["model_not_found"]) == view.counts.failed
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 60)


async def test_a_key_that_was_refused_and_is_mended_works_after_a_resume(
    stage: Stage, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VQA_TEST_MONEY_KEY", KEY_VALUE)
    provider.status = 401
    keys = [{"name": "main", "env": "VQA_TEST_MONEY_KEY"}]
    endpoint = endpoint_at(stage, provider, keys=keys)
    run_id = await stage.run(RunRequest(await stage.pictures(12), "caption", endpoint, pilot=0, concurrency=2))
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert "no key is left: main is off" in view.phase_reason and KEY_VALUE not in view.phase_reason
    assert (view.counts.pending, view.counts.failed) == (12, 0)
    provider.status = 200
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 12)
    assert await stage.column("SELECT count(*) FROM session") == [1]
    assert [key.state for key in view.keys] == ["ok"]


async def test_requests_a_minute_set_while_it_works_take_effect_both_ways(stage: Stage) -> None:
    endpoint = stage.endpoint(latency_ms=40)
    run_id = await stage.run(RunRequest(await stage.pictures(120), "caption", endpoint, pilot=0, concurrency=4))
    await stage.until_done(run_id, 8)
    await set_limits(stage.workspace, run_id, {"rpm.a": "1"})
    view = await stage.until(run_id, lambda v: "requests/min" in v.why_idle and v.counts.leased > 0 and not v.in_flight)
    assert view.counts.done < 120
    assert [gauge.limit for gauge in view.keys[0].gauges if gauge.name == "requests/min"] == [1]
    assert "4 of 4 slots idle: key a" in view.why_idle
    (asked,), at = await stage.column("SELECT count(*) FROM attempt"), time.time()
    await stage.until(run_id, lambda v: (v.engine.heartbeat_age_s or 0.0) < time.time() - at)
    # The last replies may still have been on their way into the file.
    assert int(str((await stage.column("SELECT count(*) FROM attempt"))[0])) <= int(str(asked)) + 4
    await set_limits(stage.workspace, run_id, {"rpm.a": "none"})
    assert (await stage.until_ended(run_id)).counts.done == 120


@pytest.mark.parametrize(
    "usage", [None, {"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": 900, "completion_tokens": 0}]
)
async def test_a_pilot_without_usage_reports_projects_from_what_may_have_been_billed(
    stage: Stage, provider: Provider, usage: dict[str, int] | None
) -> None:
    provider.usage = usage
    request = RunRequest(await stage.pictures(12), "caption", endpoint_at(stage, provider), pilot=3)
    run_id = await stage.run(request)
    view = await stage.until_phase(run_id, Phase.AWAITING_APPROVAL)
    assert view.cost.spent == 0 and view.cost.uncertain > 0 and view.pilot is not None
    uncertain = int(view.cost.uncertain * NANO)
    assert view.pilot.projected_cost == view.cost.projected == Decimal(uncertain + uncertain * 9 // 3) / NANO
    assert view.pilot.cost_per_item == Decimal(uncertain // 3) / NANO
    view = await stopped(stage, run_id)
    assert view.phase is Phase.STOPPED
    with pytest.raises(VqaError, match="is stopped") as refused:
        await approve_run(stage.workspace, run_id)
    assert "Resume it first" in refused.value.hint
    assert await stage.column("SELECT approved_at FROM run") == [None]


async def test_two_faces_that_set_limits_at_once_do_not_undo_each_other(stage: Stage) -> None:
    run_id = await create_run(stage.workspace, RunRequest(await stage.pictures(1), "caption", stage.endpoint()))
    async with open_workspace(stage.folder) as other:
        for number in range(1, 21):
            await asyncio.gather(
                set_limits(stage.workspace, run_id, {"budget": str(number)}),
                set_limits(other, run_id, {"concurrency": str(number), "rpm.a": str(number)}),
            )
            limits = (await stage.view(run_id)).limits
            assert limits.budget_usd == Decimal(number) and limits.concurrency == number
            assert limits.requests_per_minute == {"a": number}


async def test_max_attempts_set_by_a_person_is_kept(stage: Stage) -> None:
    request = RunRequest(await stage.pictures(4), "caption", stage.endpoint(fail={"500": 1.0}), pilot=0)
    run_id = await create_run(stage.workspace, request)
    await set_limits(stage.workspace, run_id, {"max_attempts": "2"})
    await stage.start(run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, dict(view.failures)) == (Phase.DONE, {"server": 4})
    assert await stage.column("SELECT attempts FROM task") == [2] * 4


async def test_two_who_resume_a_lost_run_at_once_get_one_engine(stage: Stage) -> None:
    dataset = await stage.pictures(30)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=60_000), pilot=0, concurrency=2))
    await stage.until(run_id, lambda view: len(view.in_flight) == 2)
    await stage.kill_engine(run_id)
    async with open_workspace(stage.folder) as other:
        await asyncio.gather(resume_run(stage.workspace, run_id), resume_run(other, run_id))
    view = await stage.until(run_id, lambda view: len(view.in_flight) == 2)
    assert view.engine.state is EngineState.ALIVE and view.counts.leased + view.counts.pending == 30
    assert await stage.column("SELECT end_reason FROM session ORDER BY id") == ["lost", None]
    assert await stage.column("SELECT kind FROM attempt") == ["lost"] * 2
    await stop_run(stage.workspace, run_id, cancel_in_flight=True)
    assert (await stage.until_ended(run_id)).phase is Phase.STOPPED
