"""The pulse: heartbeat, published facts and one metric row a second."""

import logging
import time
from pathlib import Path

from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.keyring import Keyring
from vqa_tui.store import metrics, runs
from vqa_tui.store.db import Database, StoreTrouble

_BEAT_S = 1.0
_QUICKEST_BEAT_S = 0.25
_THIN_EVERY_S = 60

log = logging.getLogger(__name__)


class Pulse:
    """Publishes what the engine is doing; a write that fails is logged and tried again with the next beat."""

    def __init__(
        self,
        database: Database,
        path: Path,
        run_id: int,
        session_id: int,
        *,
        board: Board,
        keyring: Keyring,
        budget: Budget,
    ) -> None:
        self._path = path
        self._inode = path.stat().st_ino
        self._database = database
        self._run_id = run_id
        self._session_id = session_id
        self._board = board
        self._keyring = keyring
        self._budget = budget
        self._told = ""
        self._beaten_at = 0.0
        self._published: object = None
        self._metric_at = 0
        self._thinned_at = int(time.time())

    async def beat(self, *, why_idle: str, slots: int, working: bool, last: bool = False) -> None:
        """Publish what changed, and at least once a second that we live; `last` publishes all of it now."""
        if last:
            self._beaten_at, self._metric_at = 0.0, 0
        try:
            await self._beat(why_idle)
            if working:
                await self._measure(slots)
        except StoreTrouble as trouble:
            if trouble.message != self._told:
                log.error("cannot publish: %s", trouble.message)
            self._told = trouble.message
        else:
            self._told = ""

    @property
    def orphaned(self) -> bool:
        """Whether the workspace file was deleted or replaced under us, so that nobody will ever see our work."""
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    async def _beat(self, why_idle: str) -> None:
        now = time.monotonic()
        facts = (self._budget.reserved, why_idle, self._keyring.published())
        due = now - self._beaten_at >= _BEAT_S
        if due or (facts != self._published and now - self._beaten_at >= _QUICKEST_BEAT_S):
            await runs.beat(self._database, self._run_id, reserved_nano=facts[0], why_idle=why_idle, keys=facts[2])
            self._beaten_at, self._published = now, facts

    async def _measure(self, slots: int) -> None:
        now = int(time.time())
        if now == self._metric_at:
            return
        self._metric_at = now
        await metrics.record_metric(
            self._database,
            self._run_id,
            at=now,
            session_id=self._session_id,
            in_flight=self._board.asking,
            slots=slots,
            p50_ms=self._board.percentile_ms(0.5),
            p95_ms=self._board.percentile_ms(0.95),
        )
        if now - self._thinned_at >= _THIN_EVERY_S:
            await metrics.thin_metrics(self._database, self._run_id, now=now, since=self._thinned_at)
            self._thinned_at = now
