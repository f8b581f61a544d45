"""What the keys of an endpoint were used for in the last minute and today, by all runs: quotas outlive an engine."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from pathlib import Path

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.quota import ArrivalMargin, RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.store.db import Database, Row
from vqa_tui.store.inflight import read_flights

_MINUTE_S = 60.0 + ArrivalMargin.MOST_S
_LIVELY_S = 120.0
"""An engine whose heartbeat is older starts no requests."""
_NOT_OF_THE_DAY = (FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.AUTH)
"""What the endpoint refused before it would count it against a day."""

_REMEMBERED_S = 900.0
"""So long a request that was counted in flight is known again when it is stored."""

_Request = tuple[int, float]
"""Run, and start as Unix time: no two requests of one run start at the same instant of a clock that fine."""
_Use = tuple[str, float, RequestSize]
"""Key, start as Unix time, tokens."""


class QuotaUse:
    """Reads the requests that runs of one endpoint made, each of them once."""

    def __init__(self, database: Database, run_id: int, endpoint: str, journal_of: Callable[[int], Path]) -> None:
        """`endpoint` is its name; `journal_of` says where the flight journal of a run is."""
        self._database = database
        self._run_id = run_id
        self._endpoint = endpoint
        self._journal_of = journal_of
        self._newest_id = 0
        self._counted: set[_Request] = set()
        """Requests are counted while they are in flight, and not again when they are stored."""

    async def before(self, now: float, midnight: float) -> list[KeyUse]:
        """Return what was used in the minute before `now` and since `midnight` (Unix times), by this run as well."""
        async with self._database.snapshot():
            await self._skip_to_newest()
            rows = await self._database.read(
                "SELECT run_id, key_name, started_at, input_tokens, output_tokens FROM attempt "
                "WHERE started_at > ? AND run_id IN (SELECT id FROM run WHERE endpoint_name = ?)",
                (now - _MINUTE_S, self._endpoint),
            )
            days = await self._database.read(
                "SELECT key_name, count(*) AS n FROM attempt INDEXED BY attempt_by_time WHERE started_at >= ? AND "
                "run_id IN (SELECT id FROM run WHERE endpoint_name = ?) AND kind NOT IN (?, ?, ?) GROUP BY key_name",
                (midnight, self._endpoint, *_NOT_OF_THE_DAY),
            )
        stored = self._new_uses(rows)
        flights = await self._new_flights(await self._others(now))
        today = Counter({row["key_name"]: row["n"] for row in days})
        today.update(key_name for key_name, started_at, _size in flights if started_at >= midnight)
        return _by_key([*stored, *flights], today)

    async def of_others(self, now: float) -> list[KeyUse]:
        """Return what engines of other runs used since the last call, requests that are still in flight included."""
        self._counted = {request for request in self._counted if request[1] > now - _REMEMBERED_S}
        others = await self._others(now)
        if not others:
            await self._skip_to_newest()
            return []
        rows = await self._database.read(
            "SELECT id, run_id, key_name, started_at, input_tokens, output_tokens FROM attempt "
            "WHERE id > ? ORDER BY id",
            (self._newest_id,),
        )
        self._newest_id = rows[-1]["id"] if rows else self._newest_id
        uses = self._new_uses(row for row in rows if row["run_id"] in others and row["started_at"] > now - _MINUTE_S)
        uses += await self._new_flights(others)
        return _by_key(uses, Counter(key_name for key_name, _started_at, _size in uses))

    async def _others(self, now: float) -> set[int]:
        """Return the other runs of this endpoint that an engine works on."""
        rows = await self._database.read(
            "SELECT r.id FROM run_state s JOIN run r ON r.id = s.run_id "
            "WHERE s.heartbeat_at > ? AND r.endpoint_name = ? AND r.id <> ?",
            (now - _LIVELY_S, self._endpoint, self._run_id),
        )
        return {row["id"] for row in rows}

    async def _skip_to_newest(self) -> None:
        row = await self._database.read_one("SELECT max(id) AS id FROM attempt")
        self._newest_id = (row["id"] if row is not None else None) or 0

    def _new_uses(self, rows: Iterable[Row]) -> list[_Use]:
        return [
            (row["key_name"], row["started_at"], RequestSize(row["input_tokens"], row["output_tokens"]))
            for row in rows
            if self._is_new(row["run_id"], row["started_at"])
        ]

    async def _new_flights(self, runs: Iterable[int]) -> list[_Use]:
        return [
            (flight.key_name, flight.started_at, RequestSize())
            for run_id in runs
            for flight in await asyncio.to_thread(read_flights, self._journal_of(run_id))
            if self._is_new(run_id, flight.started_at)
        ]

    def _is_new(self, run_id: int, started_at: float) -> bool:
        request = (run_id, started_at)
        if request in self._counted:
            return False
        self._counted.add(request)
        return True


def _by_key(uses: Sequence[_Use], today: Counter[str]) -> list[KeyUse]:
    newest: dict[str, list[tuple[float, RequestSize]]] = {name: [] for name in today}
    for key_name, started_at, size in uses:
        newest.setdefault(key_name, []).append((started_at, size))
    by_start = {name: tuple(sorted(each, key=itemgetter(0))) for name, each in newest.items()}
    return [KeyUse(name, each, today[name]) for name, each in by_start.items()]
