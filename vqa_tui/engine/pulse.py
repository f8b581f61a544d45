"""The pulse: heartbeat, published facts and one metric row a second."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from vqa_tui.domain.run import ThrottleView
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.line import LineLoad
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
        still_sending: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`still_sending` tells how many requests are still going out; None where that is not known."""
        self.line = LineLoad()
        self._still_sending = still_sending
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

    def look(self) -> None:
        """Look how many requests are still going out, before it is said what slots wait for."""
        self.line.look(
            sending=self._still_sending(),
            asking=self._board.asking,
            at=time.monotonic(),
            sent_bytes=self._board.sent_bytes,
        )

    async def beat(self, *, why_idle: str, slots: int, working: bool, last: bool = False) -> None:
        """Publish what changed, at least once a second that we live, and what a `working` run measures; `last`
        publishes all of it now."""
        if last:
            self._beaten_at, self._metric_at = 0.0, 0
        try:
            await self._beat(why_idle)
            if working or last:
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
        facts = (self._budget.reserved, why_idle, self._keyring.published(), self._throttles())
        due = now - self._beaten_at >= _BEAT_S
        if due or (facts != self._published and now - self._beaten_at >= _QUICKEST_BEAT_S):
            await runs.beat(
                self._database,
                self._run_id,
                reserved_nano=facts[0],
                why_idle=why_idle,
                keys=facts[2],
                throttles=[asdict(view) for view in facts[3]],
            )
            self._beaten_at, self._published = now, facts

    def _throttles(self) -> list[ThrottleView]:
        """What the throttles have learned, with Unix times."""
        now = time.monotonic()
        return [
            ThrottleView(
                group,
                state.slots,
                state.per_second,
                state.state,
                # Whole seconds: the same cut must not look like another one with every beat.
                None if state.cut_at is None else round(time.time() - now + state.cut_at),
                state.cuts,
            )
            for group, state in self._keyring.throttles(now)
        ]

    async def _measure(self, slots: int) -> None:
        now = int(time.time())
        if now == self._metric_at:
            return
        self._metric_at = now
        throttles = self._throttles()
        usable = {key.group.name for key in self._keyring.keys if not key.out}
        slots_of = {each.group: min(each.slots, slots) for each in throttles if each.group in usable}
        paces = [throttle.per_second for throttle in throttles if throttle.per_second is not None]
        await metrics.record_metric(
            self._database,
            self._run_id,
            at=now,
            session_id=self._session_id,
            in_flight=self._board.asking,
            slots=slots,
            p50_ms=self._board.percentile_ms(0.5),
            p95_ms=self._board.percentile_ms(0.95),
            sent_bytes=self._board.sent_bytes,
            throttle_slots=min(sum(slots_of.values()), slots) if slots_of else None,
            throttle_per_s=sum(paces) if paces and len(paces) == len(throttles) else None,
            throttle_groups=slots_of if len(throttles) > 1 else None,
        )
        if now - self._thinned_at >= _THIN_EVERY_S:
            await metrics.thin_metrics(self._database, self._run_id, now=now, since=self._thinned_at)
            self._thinned_at = now
