"""What was used of a key's quotas is read from all runs of its endpoint, each request once, and quickly."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.rings import Clocks, Ring, endpoint
from tests.store.conftest import Builder
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.quota import UNSIZED, RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.work import AttemptRecord, Flight, TaskOutcome
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import runs
from vqa_tui.store.db import Database
from vqa_tui.store.inflight import FlightJournal, read_flights
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.quota_use import QuotaUse


class Engine:
    """One engine session of a run: it stores attempts, and its journal says what is in flight."""

    def __init__(self, database: Database, run_id: int, session_id: int, journal: Path) -> None:
        self.run_id = run_id
        self.session_id = session_id
        self._database = database
        self._queue = TaskQueue(database, run_id, session_id)
        self._journal = FlightJournal(journal)

    async def beats(self) -> None:
        await runs.beat(self._database, self.run_id, reserved_nano=0, why_idle="", keys=[])

    def sends(self, key: str, started_at: float, size: RequestSize = UNSIZED) -> int:
        return self._journal.enter(Flight(1, started_at, 0, key, size=size))

    def leaves(self, flight: int) -> None:
        self._journal.leave(flight)

    async def stores(
        self, key: str, started_at: float, kind: str = "ok", usage: Usage | None = None, **more: Any
    ) -> None:
        (task,) = await self._queue.claim(1, pilot_only=False, now=time.time())
        attempt = AttemptRecord(key, started_at, 10.0, kind, usage=usage or Usage(), **more)
        await self._queue.settle([TaskOutcome(task.id, TaskStatus.PENDING, attempt)])


@pytest.fixture
async def engine(builder: Builder, database: Database, paths: WorkspacePaths) -> Engine:
    return await an_engine(builder, database, paths, "mine")


async def an_engine(builder: Builder, database: Database, paths: WorkspacePaths, name: str) -> Engine:
    run_id = await builder.run(await builder.dataset(5, name), name=name)
    return Engine(database, run_id, await builder.session(run_id), paths.run_flight_journal(run_id))


def use_of(engine: Engine, database: Database, paths: WorkspacePaths, endpoint: str = "embedded") -> QuotaUse:
    return QuotaUse(database, engine.run_id, endpoint, paths.run_flight_journal)


async def test_the_last_minute_and_the_day_are_read_over_all_runs_of_the_endpoint(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    midnight = now - 5000
    other = await an_engine(builder, database, paths, "other")
    await engine.stores("a", now - 30, usage=Usage(900, 30))
    await engine.stores("a", now - 100)
    await engine.stores("a", now - 9000)
    await engine.stores("b", now - 10, FailureKind.RATE_LIMITED)
    await other.stores("a", now - 61, FailureKind.LOST)
    uses = {use.key_name: use for use in await use_of(engine, database, paths).before(now, midnight)}
    assert uses["a"] == KeyUse("a", ((now - 61, RequestSize()), (now - 30, RequestSize(900, 30))), 3)
    # Turned away: counted against the minute, as endpoints do, but not against the day.
    assert uses["b"] == KeyUse("b", ((now - 10, RequestSize()),), 0)
    assert await use_of(engine, database, paths, endpoint="another").before(now, midnight) == []


async def test_requests_of_other_engines_count_once_in_flight_or_stored(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    use = use_of(engine, database, paths)
    await other.beats()
    before_ours = other.sends("a", now - 2)
    assert await use.before(now, now - 5000) == [KeyUse("a", ((now - 2, RequestSize()),), 1)]
    assert await use.of_others(now) == []
    flight = other.sends("a", now - 1)
    await engine.stores("a", now - 1)
    assert await use.of_others(now) == [KeyUse("a", ((now - 1, RequestSize()),), 1)]
    await other.stores("a", now - 1)
    await other.stores("a", now - 2)
    assert await use.of_others(now) == []
    other.leaves(flight)
    other.leaves(before_ours)
    await other.stores("b", now - 0.5, usage=Usage(5, 6))
    assert await use.of_others(now) == [KeyUse("b", ((now - 0.5, RequestSize(5, 6)),), 1)]
    assert await use.of_others(now) == []


async def test_a_request_that_is_under_way_for_long_is_counted_once(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    use = use_of(engine, database, paths)
    await use.before(now - 2000, now - 5000)
    await other.beats()
    other.sends("a", now - 1000)
    assert [each.of_today for each in await use.of_others(now, now - 5000)] == [1]
    assert await use.of_others(now, now - 5000) == [] and await use.of_others(now + 1, now - 5000) == []


async def test_engines_that_are_gone_are_not_looked_at(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    await other.beats()
    other.sends("a", now)
    use = use_of(engine, database, paths)
    assert await use.of_others(now + 600) == []
    await other.stores("a", now)
    assert await use.of_others(now + 600) == []


async def test_an_engine_that_is_killed_and_started_again_stays_within_the_minute_and_the_day(
    builder: Builder, database: Database, paths: WorkspacePaths
) -> None:
    used = endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=10, requests_per_day=25))
    run_id, clocks = await builder.run(await builder.dataset(40)), Clocks(time.time() - 120)
    sent: list[float] = []
    for _engine in range(5):
        session_id = await builder.session(run_id)
        queue, journal = TaskQueue(database, run_id, session_id), paths.run_flight_journal(run_id)
        await queue.rescue(read_flights(journal))
        ring = Ring(used, clocks=clocks)
        ring.count(await QuotaUse(database, run_id, "embedded", paths.run_flight_journal).before(clocks.wall(), 0.0))
        flights = FlightJournal(journal)
        for task in await queue.claim(7, pilot_only=False, now=time.time()):
            free = ring.next_free()
            if free is None or free[1] > 0:
                break
            await ring.borrow()
            sent.append(clocks.wall())
            number = flights.enter(Flight(task.id, clocks.wall(), 0, "a"))
            if task.id % 2:
                attempt = AttemptRecord("a", clocks.wall(), 10.0, "ok")
                await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, attempt)])
                flights.leave(number)
            clocks.pass_by(1)
        # Killed: what the journal holds is all that is known of the requests in flight.
        flights.close()
    assert len(sent) == 10
    clocks.pass_by(62)
    ring.look_again()
    assert ring.next_free() is not None and ring.published()[0]["state"] == "ok"
    gauges = ring.published()[0]["gauges"]
    assert isinstance(gauges, list) and [gauge["used"] for gauge in gauges] == [0, 10]


async def test_the_day_is_counted_in_the_index_alone(database: Database) -> None:
    plan = await database.read(
        "EXPLAIN QUERY PLAN SELECT key_name, count(*) FROM attempt INDEXED BY attempt_by_time WHERE started_at >= 0 "
        "AND run_id IN (SELECT id FROM run WHERE endpoint_name = 'e') AND kind NOT IN ('x') AND never_sent = 0 "
        "GROUP BY key_name"
    )
    assert any("COVERING INDEX attempt_by_time (started_at>?)" in row["detail"] for row in plan)


async def test_what_requests_in_flight_elsewhere_are_expected_to_take_counts_until_they_tell_what_they_took(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    use = use_of(engine, database, paths)
    await other.beats()
    await use.before(now, now - 5000)
    ring = Ring(endpoint(KeyConfig(name="a"), quota=Quota(tokens_per_minute=10_000)))

    async def counted() -> object:
        ring.count(await use.of_others(now))
        gauges = ring.published()[0]["gauges"]
        assert isinstance(gauges, list)
        return gauges[0]["used"]

    flights = [other.sends("a", now - 1 + n / 100, RequestSize(300, 100)) for n in range(10)]
    assert await counted() == 4000
    for n, flight in enumerate(flights):
        await other.stores("a", now - 1 + n / 100, usage=Usage(900, 100))
        other.leaves(flight)
    assert await counted() == 10_000
    await other.stores("a", now - 0.5, usage=Usage(20, 3))
    assert await counted() == 10_023


async def test_a_request_without_a_report_counts_as_it_was_expected_after_a_restart_too(
    database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    await engine.stores("a", now - 3, FailureKind.TIMEOUT, expected=RequestSize(300, 100))
    await engine.stores("a", now - 2, usage=Usage(900, 30), expected=RequestSize(300, 100))
    engine.sends("a", now - 1, RequestSize(70, 7))
    queue = TaskQueue(database, engine.run_id, 99)
    await queue.rescue(read_flights(paths.run_flight_journal(engine.run_id)))
    (use,) = await use_of(engine, database, paths).before(now, now - 5000)
    assert [size for _at, size in use.newest] == [RequestSize(300, 100), RequestSize(900, 30), RequestSize(70, 7)]


@pytest.mark.parametrize("kind", [FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.AUTH])
async def test_what_an_endpoint_refused_to_other_runs_does_not_use_up_the_day(
    kind: str, builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    use = use_of(engine, database, paths)
    await other.beats()
    await use.before(now, now - 5000)
    flights = [other.sends("a", now - 2), other.sends("a", now - 3)]
    assert [each.of_today for each in await use.of_others(now, now - 5000)] == [2]
    await other.stores("a", now - 2, kind)
    await other.stores("a", now - 3)
    await other.stores("a", now - 1, kind)
    for flight in flights:
        other.leaves(flight)
    # One that was counted in flight is given back; the other stays; one that was never seen is not counted.
    assert [each.of_today for each in await use.of_others(now, now - 5000)] == [-1]


async def test_what_was_never_sent_counts_for_nothing_here_or_elsewhere(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = time.time()
    other = await an_engine(builder, database, paths, "other")
    await engine.stores("a", now - 4, FailureKind.NETWORK, never_sent=True)
    use = use_of(engine, database, paths)
    await other.beats()
    assert await use.before(now, now - 5000) == []
    ring = Ring(endpoint(KeyConfig(name="a"), quota=Quota(requests_per_minute=9, requests_per_day=9)))
    flight = other.sends("a", now - 2)
    ring.count(await use.of_others(now, now - 5000))
    await other.stores("a", now - 2, FailureKind.NETWORK, never_sent=True)
    await other.stores("a", now - 1, FailureKind.NETWORK, never_sent=True)
    other.leaves(flight)
    ring.count(await use.of_others(now, now - 5000))
    gauges = ring.published()[0]["gauges"]
    assert isinstance(gauges, list) and [gauge["used"] for gauge in gauges] == [0, 0]


async def test_engines_at_work_know_how_many_they_are_and_rest_until_all_know_of_each_other(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    now = float(int(time.time()))
    use = use_of(engine, database, paths)
    await use.before(now, now - 5000)
    assert use.sharing.engines == 1
    other = await an_engine(builder, database, paths, "other")
    await other.beats()
    others = use_of(other, database, paths)
    await others.before(now + 0.5, now - 5000)
    await engine.beats()
    await others.before(now + 0.5, now - 5000)
    await use.of_others(now + 1)
    await others.of_others(now + 1)
    assert {use.sharing.place, others.sharing.place} == {0, 1} and use.sharing.engines == 2
    assert use.sharing.rests and others.sharing.rests
    for second in (2, 3):
        await use.of_others(now + second)
    assert not use.sharing.rests
    # After a standstill the others may have taken this one for dead.
    await use.of_others(now + 60)
    assert use.sharing.rests and use.sharing.engines == 2
    await runs.end_session(database, other.run_id, other.session_id, Phase.STOPPED)
    await use.of_others(now + 61)
    assert use.sharing.engines == 1


async def test_a_journal_that_cannot_be_read_is_not_taken_for_an_empty_one(
    builder: Builder, database: Database, paths: WorkspacePaths, engine: Engine
) -> None:
    other = await an_engine(builder, database, paths, "other")
    await other.beats()
    paths.run_flight_journal(other.run_id).unlink()
    paths.run_flight_journal(other.run_id).mkdir()
    with pytest.raises(OSError):
        await use_of(engine, database, paths).of_others(time.time())
