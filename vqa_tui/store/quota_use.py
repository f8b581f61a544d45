"""What the keys of an endpoint were used for in the last minute and today, by all runs: quotas outlive an engine."""

import asyncio
from collections.abc import Callable, Iterable
from operator import itemgetter
from pathlib import Path

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.quota import ArrivalMargin, RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.ration import Sharing, epoch_of
from vqa_tui.store.db import Database, Row
from vqa_tui.store.inflight import read_flights

_MINUTE_S = 60.0 + ArrivalMargin.MOST_S
LIVELY_S = 120.0
"""An engine whose heartbeat is older starts no requests."""
_NOT_OF_THE_DAY = (FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.AUTH)
"""What the endpoint refused before it would count it against a day."""
_REMEMBERED_S = 900.0
"""So long a request that was counted in flight is known again when it is stored."""
_LATE_S = 3.0
"""After so long without a look, others may think that they are alone."""
_REST = 2
"""Epochs until all engines have looked, and know of each other."""

TOKENS = (
    "CASE WHEN input_tokens + output_tokens > 0 THEN input_tokens ELSE expected_input_tokens END AS inputs, "
    "CASE WHEN input_tokens + output_tokens > 0 THEN output_tokens ELSE expected_output_tokens END AS outputs"
)
"""What quotas count of a row of `attempt`."""

_Request = tuple[int, float]
"""Run, and start as Unix time: no two requests of one run start at the same instant of a clock that fine."""


class _Uses:
    """What is new of each key."""

    def __init__(self) -> None:
        self._newest: dict[str, list[tuple[float, RequestSize]]] = {}
        self._settled: dict[str, list[tuple[float, RequestSize]]] = {}
        self._unsent: dict[str, list[float]] = {}
        self._today: dict[str, int] = {}

    def take(self, key_name: str, started_at: float, size: RequestSize) -> None:
        self._newest.setdefault(key_name, []).append((started_at, size))

    def settle(self, key_name: str, started_at: float, size: RequestSize) -> None:
        self._settled.setdefault(key_name, []).append((started_at, size))

    def drop(self, key_name: str, started_at: float) -> None:
        self._unsent.setdefault(key_name, []).append(started_at)

    def of_today(self, key_name: str, requests: int) -> None:
        if requests:
            self._today[key_name] = self._today.get(key_name, 0) + requests

    def by_key(self) -> list[KeyUse]:
        names = dict.fromkeys([*self._today, *self._newest, *self._settled, *self._unsent])
        return [
            KeyUse(
                name,
                tuple(sorted(self._newest.get(name, []), key=itemgetter(0))),
                self._today.get(name, 0),
                tuple(self._settled.get(name, [])),
                tuple(self._unsent.get(name, [])),
            )
            for name in names
        ]


class QuotaUse:
    """Reads the requests that runs of one endpoint made, each of them once, and what has become of those in flight."""

    def __init__(self, database: Database, run_id: int, endpoint: str, journal_of: Callable[[int], Path]) -> None:
        """`endpoint` is its name; `journal_of` says where the flight journal of a run is."""
        self._database = database
        self._run_id = run_id
        self._endpoint = endpoint
        self._journal_of = journal_of
        self._newest_id = 0
        self._counted: dict[_Request, RequestSize | None] = {}
        """Requests are counted while they are in flight, as large as they were expected to be then, and not again when
        they are stored; None: it is stored."""
        self._at_work: tuple[int, ...] = ()
        self._looked_at = float("-inf")
        self._rests_until = 0
        self.sharing = Sharing(1, 0, 0.0)
        """Who draws on the quotas, as of the newest look."""

    async def before(self, now: float, midnight: float) -> list[KeyUse]:
        """Return what was used in the minute before `now` and since `midnight` (Unix times), by this run as well."""
        async with self._database.snapshot():
            await self._skip_to_newest()
            rows = await self._database.read(
                f"SELECT run_id, key_name, started_at, kind, never_sent, {TOKENS} FROM attempt "
                "WHERE started_at > :since AND run_id IN (SELECT id FROM run WHERE endpoint_name = :endpoint) "
                "UNION ALL SELECT run_id, key_name, started_at, kind, 0, input_tokens, output_tokens "
                "FROM kept_request WHERE endpoint_name = :endpoint AND started_at > :since",
                {"since": now - _MINUTE_S, "endpoint": self._endpoint},
            )
            days = await self._database.read(
                "SELECT key_name, count(*) AS n FROM attempt INDEXED BY attempt_by_time WHERE started_at >= ? AND "
                "run_id IN (SELECT id FROM run WHERE endpoint_name = ?) AND kind NOT IN (?, ?, ?) AND never_sent = 0 "
                "GROUP BY key_name UNION ALL SELECT key_name, count(*) FROM kept_request "
                "WHERE started_at >= ? AND endpoint_name = ? AND kind NOT IN (?, ?, ?) GROUP BY key_name",
                (midnight, self._endpoint, *_NOT_OF_THE_DAY) * 2,
            )
        uses = _Uses()
        for row in days:
            uses.of_today(row["key_name"], row["n"])
        for row in rows:
            self._counted[row["run_id"], row["started_at"]] = None
            if not row["never_sent"]:
                uses.take(row["key_name"], row["started_at"], RequestSize(row["inputs"], row["outputs"]))
        await self._count_flights(uses, await self._others(now), midnight)
        return uses.by_key()

    async def of_others(self, now: float, midnight: float = 0.0) -> list[KeyUse]:
        """Return what engines of other runs used since the last call, requests that are still in flight included, and
        what those that have ended since really took. Of the day counts what started since `midnight` (Unix times).

        Raises StoreTrouble, and OSError when a journal cannot be read.
        """
        # A request that is still under way is remembered however old: it would else be counted anew at every look.
        self._counted = {
            request: size
            for request, size in self._counted.items()
            if size is not None or request[1] > now - _REMEMBERED_S
        }
        others = await self._others(now)
        if not others:
            await self._skip_to_newest()
            return []
        rows = await self._database.read(
            f"SELECT id, run_id, key_name, started_at, kind, never_sent, {TOKENS} FROM attempt "
            "WHERE id > ? ORDER BY id",
            (self._newest_id,),
        )
        uses = _Uses()
        for row in rows:
            if row["run_id"] in others:
                self._count_stored(uses, row, now, midnight)
        self._newest_id = rows[-1]["id"] if rows else self._newest_id
        await self._count_flights(uses, others, midnight)
        return uses.by_key()

    async def _others(self, now: float) -> set[int]:
        """Return the other runs of this endpoint that an engine works on, or has just ended its work on."""
        rows = await self._database.read(
            "SELECT r.id, e.ended_at FROM run_state s JOIN run r ON r.id = s.run_id "
            "LEFT JOIN session e ON e.id = s.session_id WHERE s.heartbeat_at > ? AND r.endpoint_name = ? AND r.id <> ?",
            (now - LIVELY_S, self._endpoint, self._run_id),
        )
        self._share_with({row["id"] for row in rows if row["ended_at"] is None}, now)
        return {row["id"] for row in rows}

    def _share_with(self, others: set[int], now: float) -> None:
        at_work = tuple(sorted({*others, self._run_id}))
        if at_work != self._at_work or not 0 <= now - self._looked_at < _LATE_S:
            self._rests_until = epoch_of(now) + _REST
        self._at_work, self._looked_at = at_work, now
        rests = epoch_of(now) < self._rests_until
        self.sharing = Sharing(len(at_work), at_work.index(self._run_id), now, rests)

    async def _skip_to_newest(self) -> None:
        row = await self._database.read_one("SELECT max(id) AS id FROM attempt")
        self._newest_id = (row["id"] if row is not None else None) or 0

    def _count_stored(self, uses: _Uses, row: Row, now: float, midnight: float) -> None:
        key_name, started_at = row["key_name"], row["started_at"]
        request, size = (row["run_id"], started_at), RequestSize(row["inputs"], row["outputs"])
        was_counted = request in self._counted
        in_flight = self._counted.get(request)
        if was_counted and in_flight is None:
            return
        self._counted[request] = None
        if was_counted and row["never_sent"]:
            uses.drop(key_name, started_at)
        elif was_counted and size != in_flight:
            uses.settle(key_name, started_at, size)
        elif not was_counted and not row["never_sent"] and started_at > now - _MINUTE_S:
            uses.take(key_name, started_at, size)
        if started_at >= midnight:
            counts = not row["never_sent"] and row["kind"] not in _NOT_OF_THE_DAY
            uses.of_today(key_name, counts - was_counted)

    async def _count_flights(self, uses: _Uses, runs: Iterable[int], midnight: float) -> None:
        for run_id in runs:
            for flight in await asyncio.to_thread(read_flights, self._journal_of(run_id)):
                request = run_id, flight.started_at
                if request not in self._counted:
                    self._counted[request] = flight.size
                    uses.take(flight.key_name, flight.started_at, flight.size)
                    uses.of_today(flight.key_name, flight.started_at >= midnight)
