"""Two real engines draw on one quota over real HTTP, and an endpoint of our own counts what comes."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import caption_reply, listening, own_endpoint
from vqa_tui import wiring
from vqa_tui.domain.run import RunView
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import stop_run
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.quota_use import QuotaUse

LIMIT = 30


class Provider:
    """Answers nobody until it is told to, and remembers when it was asked."""

    def __init__(self) -> None:
        self.base_url = ""
        self.asked: list[float] = []
        self.answers = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(time.monotonic())
        await request.read()
        await self.answers.wait()
        return caption_reply()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made
        made.answers.set()


async def test_two_engines_never_pass_a_quota_by_the_minute_together(stage: Stage, provider: Provider) -> None:
    path = own_endpoint(stage.folder, provider.base_url, quota={"requests_per_minute": LIMIT})
    run_ids = [
        await create_run(
            stage.workspace,
            RunRequest(await stage.pictures(100, name), "caption", path, pilot=0, concurrency=64),
        )
        for name in ("one", "two")
    ]
    for run_id in run_ids:
        await stage.start(run_id)
        # Both are at work before either gets an answer, and from then on both want all there is.
        await stage.until(run_id, lambda view: bool(view.keys) and view.keys[0].in_flight > 0)
    provider.answers.set()

    def is_out(view: RunView) -> bool:
        return sum(gauge.used for gauge in view.keys[0].gauges if gauge.name == "requests/min") >= LIMIT

    for run_id in run_ids:
        await stage.until(run_id, is_out)
    for run_id in run_ids:
        await stop_run(stage.workspace, run_id)
    for run_id in run_ids:
        await stage.until_ended(run_id)
    assert len(provider.asked) == LIMIT
    by_run = await stage.column("SELECT count(*) FROM attempt GROUP BY run_id")
    # Who looks first takes more of the first room; what must hold is that neither keeps the other out.
    assert len(by_run) == 2 and min(int(str(n)) for n in by_run) >= 1


async def test_a_refused_connection_is_stored_as_never_sent_and_what_was_sent_with_what_was_expected(
    stage: Stage, provider: Provider
) -> None:
    path = own_endpoint(stage.folder, provider.base_url)
    provider.answers.set()
    data = await stage.pictures(2)
    run_id = await stage.run(RunRequest(data, "caption", path, pilot=0, concurrency=2))
    await stage.until_ended(run_id)
    rows = await stage.workspace.db.read("SELECT never_sent, expected_input_tokens FROM attempt")
    assert [row["never_sent"] for row in rows] == [0, 0] and all(row["expected_input_tokens"] > 20 for row in rows)
    own_endpoint(stage.folder, "http://127.0.0.1:1/v1")
    run_id = await stage.run(RunRequest(data, "caption", path, pilot=0, concurrency=1, name="refused"))
    await stage.until(run_id, lambda view: "network" in view.attempt_failures)
    assert set(await stage.column("SELECT never_sent FROM attempt WHERE run_id = ?", run_id)) == {1}
    await stop_run(stage.workspace, run_id)
    await stage.until_ended(run_id)


async def test_what_hides_other_runs_is_told_once_and_a_fault_is_not_hidden(stage: Stage) -> None:
    class Blind(QuotaUse):
        """Cannot see what others use, and breaks in the end."""

        trouble: ClassVar[list[Exception]] = [
            PermissionError("no"),
            StoreTrouble("locked"),
            OSError("gone"),
            KeyError("a fault"),
        ]

        async def of_others(self, now: float, midnight: float = 0.0) -> Any:
            raise self.trouble.pop(0)

    told: list[str] = []
    counted: list[object] = []

    class Ring:
        def count(self, uses: object, sharing: object) -> None:
            counted.append(sharing)

    ring: Any = Ring()
    use = Blind(stage.workspace.db, 1, "own", stage.workspace.paths.run_flight_journal)
    with pytest.raises(KeyError):
        await wiring._count_others(use, ring, ZoneInfo("UTC"), lambda _level, words: told.append(words))
    assert len(told) == 1 and "cannot be seen: no" in told[0] and len(counted) == 3
