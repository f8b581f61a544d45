"""Hedging over real HTTP with real engines: both requests are paid, recorded and counted, whatever ends the engine."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import DOLLAR_A_MILLION, caption_reply, listening, own_endpoint
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import pause_run, resume_run, stop_run

PICTURES = 60
"""More than the engine must have seen before it hedges."""
ONE = Decimal("0.00093")


class Provider:
    """Answers at once, except the requests of the numbers in `slow`, which wait until `let_go`."""

    def __init__(self) -> None:
        self.base_url = ""
        self.asked = 0
        self.answered = 0
        self.slow: frozenset[int] = frozenset()
        self.let_go = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.asked += 1
        if self.asked in self.slow:
            await self.let_go.wait()
        self.answered += 1
        return caption_reply()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made
        made.let_go.set()


async def hedged_run(stage: Stage, provider: Provider) -> int:
    """Start a run of which the last request is slow, and the hedge beside it if the provider says so."""
    path = own_endpoint(stage.folder, provider.base_url, prices=DOLLAR_A_MILLION)
    dataset = await stage.pictures(PICTURES)
    return await stage.run(RunRequest(dataset, "caption", path, pilot=0, concurrency=4, hedge=True))


async def purposes(stage: Stage, kind: str) -> list[object]:
    return await stage.column("SELECT purpose FROM attempt WHERE kind = ? ORDER BY purpose", kind)


async def test_a_straggler_is_overtaken_both_are_paid_and_a_pause_waits_for_it(
    stage: Stage, provider: Provider
) -> None:
    provider.slow = frozenset({PICTURES})
    run_id = await hedged_run(stage, provider)
    # All are answered, the last one by its second request, and the first is still under way.
    view = await stage.until_done(run_id, PICTURES)
    assert provider.asked == PICTURES + 1 and provider.answered == PICTURES
    await pause_run(stage.workspace, run_id)
    view = await stage.until_phase(run_id, Phase.PAUSING)
    assert view.cost.reserved > 0
    provider.let_go.set()
    view = await stage.until_phase(run_id, Phase.PAUSED)
    assert await purposes(stage, "ok") == ["ask"] * PICTURES + ["hedge"]
    assert (view.cost.spent, view.cost.uncertain, view.cost.reserved) == (
        ONE * (PICTURES + 1),
        Decimal(0),
        Decimal(0),
    )
    assert await stage.column("SELECT count(*) FROM sample") == [PICTURES]
    await resume_run(stage.workspace, run_id)
    assert (await stage.until_ended(run_id)).phase is Phase.DONE


async def test_kill_9_beside_a_straggler_whose_picture_is_done_counts_it_as_perhaps_billed(
    stage: Stage, provider: Provider
) -> None:
    provider.slow = frozenset({PICTURES})
    run_id = await hedged_run(stage, provider)
    await stage.until_done(run_id, PICTURES)
    await stage.kill_engine(run_id)
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, PICTURES)
    assert dict(view.attempt_failures) == {"lost": 1} and view.cost.uncertain > ONE
    assert view.cost.spent == ONE * PICTURES and provider.asked == PICTURES + 1
    assert await stage.column("SELECT count(*) FROM sample") == [PICTURES]
    sessions = await stage.column("SELECT session_id FROM attempt WHERE kind = 'lost'")
    assert sessions == await stage.column("SELECT min(id) FROM session")


async def test_kill_9_with_both_under_way_counts_both_and_asks_again(stage: Stage, provider: Provider) -> None:
    provider.slow = frozenset({PICTURES, PICTURES + 1})
    run_id = await hedged_run(stage, provider)
    await stage.until(run_id, lambda view: view.counts.done == PICTURES - 1 and len(view.in_flight) == 2)
    await stage.kill_engine(run_id)
    await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, provider.asked) == (Phase.DONE, PICTURES, PICTURES + 2)
    assert dict(view.attempt_failures) == {"lost": 2} and view.cost.spent == ONE * PICTURES
    assert await stage.column("SELECT count(DISTINCT task_id) FROM attempt WHERE kind = 'lost'") == [1]


async def test_cancelling_with_both_under_way_records_both(stage: Stage, provider: Provider) -> None:
    provider.slow = frozenset({PICTURES, PICTURES + 1})
    run_id = await hedged_run(stage, provider)
    await stage.until(run_id, lambda view: view.counts.done == PICTURES - 1 and len(view.in_flight) == 2)
    await stop_run(stage.workspace, run_id, cancel_in_flight=True)
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.pending) == (Phase.STOPPED, 1)
    assert await purposes(stage, "cancelled") == ["ask", "hedge"]
    reserved = await stage.column("SELECT sum(reserved_nano) FROM attempt WHERE kind = 'cancelled'")
    assert [view.cost.uncertain * 10**9] == reserved and view.cost.reserved == 0
