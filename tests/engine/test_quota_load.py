"""Under load an endpoint's own quota is used almost to the limit, and it hardly ever has to refuse."""

import asyncio
import heapq
import random
from collections import deque
from dataclasses import dataclass

import pytest

from tests.engine.rings import Clocks, Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig, Quota
from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.engine.keyring import Loan

LIMIT = 120
MINUTES = 12
KINDS = ["sliding", "by the clock", "bucket"]


class Server:
    """Allows LIMIT requests a minute, in one of three ways, and tells where it stands."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.accepted: list[float] = []
        self.refused = 0
        self._window: deque[float] = deque()
        self._minute, self._used, self._at = -1, 0.0, 0.0

    def ask(self, now: float) -> tuple[bool, Allowance]:
        passes, allowance = getattr(self, f"_{self.kind.split()[0]}")(now)
        if passes:
            self.accepted.append(now)
        else:
            self.refused += 1
        return passes, allowance

    def _sliding(self, now: float) -> tuple[bool, Allowance]:
        while self._window and self._window[0] <= now - 60:
            self._window.popleft()
        passes = len(self._window) < LIMIT
        if passes:
            self._window.append(now)
        return passes, self._told(LIMIT - len(self._window), self._window[-1] + 60 - now)

    def _by(self, now: float) -> tuple[bool, Allowance]:
        if now // 60 != self._minute:
            self._minute, self._used = int(now // 60), 0
        passes = self._used < LIMIT
        self._used += passes
        return passes, self._told(LIMIT - self._used, 60 - now % 60)

    def _bucket(self, now: float) -> tuple[bool, Allowance]:
        self._used, self._at = max(self._used - (now - self._at) * LIMIT / 60, 0.0), now
        passes = self._used <= LIMIT - 1
        self._used += passes
        return passes, self._told(LIMIT - self._used, self._used * 60 / LIMIT)

    def free_in(self, now: float) -> float:
        """Return the seconds until it accepts a request again, as `retry-after` tells it."""
        if self.kind == "sliding":
            return max(self._window[0] + 60 - now, 0.001)
        return 60 - now % 60 if self.kind == "by the clock" else 60 / LIMIT

    @staticmethod
    def _told(remaining: float, resets_in_s: float) -> Allowance:
        return Allowance(Unit.REQUESTS, LIMIT, int(remaining), max(resets_in_s, 0.001))


@dataclass
class Day:
    """Hours of requests in a moment: whenever a key is free a request starts, and nothing happens in between."""

    ring: Ring
    clocks: Clocks
    server: Server
    latency_s: float
    slots: int

    async def pass_by(self, seconds: float) -> None:
        chance, ends, serial = random.Random(1), list[tuple[float, int, str, Loan, Allowance, bool]](), 0
        until = self.clocks.now + seconds
        waiting: asyncio.Task[Loan] | None = None
        while self.clocks.now < until:
            if waiting is None and len(ends) < self.slots:
                waiting = asyncio.create_task(self.ring.borrow())
                await asyncio.sleep(0)
            if waiting is not None and waiting.done():
                loan, waiting, serial = waiting.result(), None, serial + 1
                arrives = self.clocks.now + chance.uniform(0.01, 0.3)
                heapq.heappush(
                    ends, (arrives, serial, "arrives", loan, Allowance(Unit.REQUESTS, None, None, None), False)
                )
                continue
            times = [ends[0][0]] if ends else []
            free = self.ring.next_free() if waiting is not None else None
            if free is not None and free[1] < 1e6:
                times.append(self.clocks.now + free[1] + 1e-6)
            self.clocks.pass_by(max(min(times) - self.clocks.now, 1e-6))
            if ends and ends[0][0] <= self.clocks.now:
                self._happen(*heapq.heappop(ends), ends, chance)
            self.ring.look_again()
            await asyncio.sleep(0)
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    def _happen(
        self,
        at: float,
        serial: int,
        what: str,
        loan: Loan,
        word: Allowance,
        passed: bool,
        ends: list[tuple[float, int, str, Loan, Allowance, bool]],
        chance: random.Random,
    ) -> None:
        if what == "arrives":
            passed, word = self.server.ask(at)
            took = self.latency_s * chance.uniform(0.5, 1.5) if passed else 0.05
            heapq.heappush(ends, (at + took, serial, "ends", loan, word, passed))
        else:
            failure = (
                None if passed else Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=self.server.free_in(at))
            )
            self.ring.used(loan, failure, allowances=[word])


@pytest.mark.parametrize("latency_s", [0.3, 8.0])
@pytest.mark.parametrize("configured", [True, False], ids=["the quota is configured", "the quota is told"])
@pytest.mark.parametrize("kind", KINDS)
async def test_the_quota_of_an_endpoint_is_used_almost_wholly_and_hardly_ever_passed(
    kind: str, configured: bool, latency_s: float
) -> None:
    clocks, server = Clocks(), Server(kind)
    clocks.now = 60_000.0
    quota = Quota(requests_per_minute=LIMIT) if configured else Quota()
    ring = Ring(endpoint(KeyConfig(name="a"), quota=quota), clocks=clocks)
    await Day(ring, clocks, server, latency_s, slots=32).pass_by(MINUTES * 60)
    # A quota that nobody configured has to be found out, which costs a few refusals.
    assert len(server.accepted) >= (0.97 if configured else 0.95) * LIMIT * MINUTES
    assert server.refused <= (0 if configured else 0.03 * len(server.accepted))
