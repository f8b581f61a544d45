"""The course of a run over its whole life."""

import pytest

from tests.store.conftest import Builder
from vqa_tui.store.db import Database
from vqa_tui.store.run_course import run_course


@pytest.fixture
async def run_id(builder: Builder) -> int:
    return await builder.run(await builder.dataset(1))


async def measure(database: Database, run_id: int, session_id: int, ended: dict[int, int]) -> None:
    async with database.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO metric (run_id, at, session_id, done, failed, in_flight, slots, rate_limited, input_tokens, "
            "output_tokens, spent_nano) VALUES (?, ?, ?, ?, 1, 0, 0, 0, 0, 0, 0)",
            [(run_id, at, session_id, done) for at, done in ended.items()],
        )


async def test_rates_of_equal_spans(database: Database, builder: Builder, run_id: int) -> None:
    session_id = await builder.session(run_id)
    await measure(database, run_id, session_id, {1_000 + at: at * 2 for at in range(101)})
    assert await run_course(database, run_id, 4) == pytest.approx((1.92, 2.0, 2.0, 2.08))


async def test_time_without_an_engine_counts_as_nothing_done(database: Database, builder: Builder, run_id: int) -> None:
    session_id = await builder.session(run_id)
    await measure(database, run_id, session_id, {0: 0, 24: 48, 76: 48, 100: 96})
    assert await run_course(database, run_id, 4) == pytest.approx((1.92, 0, 0, 1.92))


async def test_pictures_that_were_put_back_are_no_negative_rate(
    database: Database, builder: Builder, run_id: int
) -> None:
    session_id = await builder.session(run_id)
    await measure(database, run_id, session_id, {0: 10, 40: 20, 60: 5, 100: 25})
    assert min(await run_course(database, run_id, 10)) == 0
    assert max(await run_course(database, run_id, 10)) == 2


async def test_short_runs_and_such_as_never_worked(database: Database, builder: Builder, run_id: int) -> None:
    assert await run_course(database, run_id, 8) == ()
    session_id = await builder.session(run_id)
    await measure(database, run_id, session_id, {5: 0})
    assert await run_course(database, run_id, 8) == ()
    await measure(database, run_id, session_id, {7: 4})
    assert await run_course(database, run_id, 8) == (0.0, 4.0)
