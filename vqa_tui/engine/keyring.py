"""Keys and quota groups: who may ask now, who must wait for what, and who is out."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.allowance import Allowance
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.quota import UNSIZED, Amounts, ArrivalMargin, RequestSize
from vqa_tui.domain.quota_use import KeyUse
from vqa_tui.domain.ration import Sharing
from vqa_tui.domain.run import Limits
from vqa_tui.engine.quota_group import Key, Loan, QuotaGroup, local_time
from vqa_tui.engine.quotas import ENDED, Quotas
from vqa_tui.engine.shared_quota import SharedQuotaWatch
from vqa_tui.engine.throttle import Throttle, ThrottleState

__all__ = ["Key", "Keyring", "Loan", "NoKeyLeft", "NotNow"]

_LONGEST_SLEEP_S = 30.0
"""A timer does not run on while the computer sleeps, and the clock may be set: nobody sleeps longer without a look."""
_LOOK_AGAIN_S = 0.002
"""What the first in line waits for is worked out this often at most, however many requests end meanwhile."""

_NOT_COUNTED = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED, FailureKind.AUTH})
"""What the endpoint refused before it would count it against a day."""
_NO_ANSWER = frozenset({FailureKind.SERVER, FailureKind.NETWORK, FailureKind.TIMEOUT})


class NoKeyLeft(Exception):
    """Every key is off, or parked without a time; `reason` says why in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotNow(Exception):
    """The wait for a key was called off because the run pauses or stops."""


class Keyring:
    """Hands out keys in order of load, within every quota.

    Quotas run on `clock` (time.monotonic), days on `wall` (Unix time). `tell` records an event: level and message.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        values: Mapping[str, SecretStr],
        limits: Limits,
        missing: Mapping[str, str],
        *,
        tell: Callable[[str, str], None] = lambda level, message: None,
        throttle: Callable[[int], Throttle] = Throttle,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._tell, self._clock, self._wall = tell, clock, wall
        self._margin = ArrivalMargin()
        self._zone = ZoneInfo(endpoint.day_resets)
        self._groups: dict[str, QuotaGroup] = {}
        for config in endpoint.keys:
            name = endpoint.group_of(config)
            if name not in self._groups:
                quota = endpoint.groups.get(name, endpoint.quota)
                made = QuotaGroup(name, quota, self._zone, self._margin, throttle(limits.concurrency))
                self._groups[name] = made
        self.keys = [self._key(config, endpoint, values.get(config.name, SecretStr(""))) for config in endpoint.keys]
        for key in self.keys:
            if key.name in missing:
                key.out, key.reason = "off", missing[key.name]
        self._shared = SharedQuotaWatch([[key.name for key in group.keys] for group in self._groups.values()])
        self._serial = 0
        self._most = limits.concurrency
        self._waiting: deque[tuple[asyncio.Future[Loan], Amounts]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._told_too_large: set[str] = set()
        self._limits = Limits()
        self.set_limits(limits)

    def _key(self, config: KeyConfig, endpoint: Endpoint, value: SecretStr) -> Key:
        group = self._groups[endpoint.group_of(config)]
        is_group = config.quota is None and group.name == config.name
        own = None if is_group else Quotas(config.name, config.quota or Quota(), self._zone, self._margin)
        key = Key(config.name, value, group, own)
        group.keys.append(key)
        return key

    def set_limits(self, limits: Limits) -> None:
        """Apply a person's quotas by name of a key or group, and the most requests in flight.

        Who is not named has the endpoint's quotas again. A key that stands alone is a group of its own name, so its
        override may also lift the endpoint's quota.
        """
        if limits != self._limits:
            self._limits = limits
            for quotas in self._quotas():
                quotas.set_limits(limits)
            self.set_concurrency(limits.concurrency)

    def set_concurrency(self, most: int) -> None:
        """Change the most requests in flight, over all groups."""
        self._most = most
        for group in self._groups.values():
            group.throttle.set_most(most)
        self._pump()

    def restart_gently(self) -> None:
        """Begin with few requests again: the computer slept, or the endpoint was gone."""
        now = self._clock()
        for group in self._groups.values():
            group.throttle.restart_gently(now)
        self._pump()

    def count(self, uses: Iterable[KeyUse], sharing: Sharing | None = None) -> None:
        """Count requests that this keyring did not lend: of engines before this one, or beside it, with which it shares
        the room there is as `sharing` says."""
        now, wall = self._clock(), self._wall()
        by_name = {key.name: key for key in self.keys}
        for use in uses:
            key = by_name.get(use.key_name)
            if key is not None:
                for quotas in (key.group, key.own):
                    if quotas is not None:
                        quotas.count(use, now, wall)
        if sharing is not None:
            for quotas in self._quotas():
                quotas.share(sharing, now, wall)
        self._pump()

    async def borrow(self, size: RequestSize = UNSIZED) -> Loan:
        """Wait for a key and count one request of `size` against its quotas.

        Raises NoKeyLeft when all are out, NotNow when `call_off` is called meanwhile.
        """
        amounts, is_first = size.amounts, not self._waiting
        if is_first:
            now, wall = self._clock(), self._wall()
            if (key := self._ready(amounts, now, wall)) is not None:
                return self._lend(key, amounts, now, wall)
        future: asyncio.Future[Loan] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, amounts))
        if is_first:
            self._pump()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.give_back(future.result())
            else:
                # Whoever stood behind may want less than this one did.
                self._pump()
            raise

    def try_borrow(self, size: RequestSize = UNSIZED) -> Loan | None:
        """Borrow as `borrow` does if that needs no waiting and nobody waits; else None, and nothing has happened."""
        now, wall = self._clock(), self._wall()
        if self.waiting or (key := self._ready(size.amounts, now, wall, in_turn=False)) is None:
            return None
        return self._lend(key, size.amounts, now, wall)

    def give_back(self, loan: Loan) -> None:
        """Return a key that was borrowed and not used: nothing was sent."""
        loan.key.group.throttle.cancelled(loan.taken_at)
        loan.key.group.open.discard(loan)
        self._uncount(loan)
        self._release(loan.key)

    def used(
        self, loan: Loan, failure: Failure | None, *, usage: Usage | None = None, allowances: Sequence[Allowance] = ()
    ) -> str:
        """Return a key after its request, with how that ended: `usage` corrects what was counted against the tokens,
        `allowances` are what the endpoint told about its quotas.

        Returns a sentence worth an event when the key is out or parked, else ''.
        """
        told, key, group, now = "", loan.key, loan.key.group, self._clock()
        group.open.discard(loan)
        self._margin.note(now, now - loan.taken_at)
        kind = failure.kind if failure is not None else None
        if failure is not None and failure.never_sent:
            self._uncount(loan)
        elif usage is not None:
            actual = RequestSize(usage.input_tokens, usage.output_tokens).amounts
            loan.settle(actual)
            group.learn(loan, actual)
        elif failure is None:
            group.ratio.note_silence()
        if allowances:
            group.tell(allowances, now, loan, refused=kind is FailureKind.RATE_LIMITED)
            self._watch(loan, allowances)
        self._note(loan, kind, now)
        if failure is not None and kind is FailureKind.RATE_LIMITED:
            group.cool(loan.taken_at, failure.retry_after_s, now)
        elif failure is not None and kind is FailureKind.QUOTA_EXHAUSTED:
            wall = self._wall()
            told = group.exhausted(failure, wall - (now - loan.taken_at), wall)
        elif failure is not None and kind is FailureKind.AUTH and not key.out:
            key.out, key.reason = "off", failure.message
            told = f"key {key.name} is off: {failure.message}"
        if kind in _NOT_COUNTED:
            group.day.give_back(loan.hold.day)
            if key.own is not None and loan.own_hold is not None:
                key.own.day.give_back(loan.own_hold.day)
        self._release(key)
        return told

    def _note(self, loan: Loan, kind: FailureKind | None, now: float) -> None:
        """Let the throttle know how a request ended."""
        group, throttle = loan.key.group, loan.key.group.throttle
        if kind is FailureKind.RATE_LIMITED:
            throttle.rate_limited(now, loan.taken_at)
        elif kind is FailureKind.CANCELLED:
            throttle.cancelled(loan.taken_at)
        elif kind in _NO_ANSWER:
            throttle.failed(now, loan.taken_at)
        else:
            throttle.succeeded(now, loan.taken_at, saturated=group.held_up_at >= loan.taken_at)

    def revive(self) -> None:
        """Try every key again: a person who resumes may have mended what was wrong."""
        for key in self.keys:
            if key.value.get_secret_value():
                key.out = key.reason = ""
            key.group.parked_until = 0.0
        self._pump()

    def call_off(self) -> None:
        """Send everybody who waits for a key away with NotNow."""
        while self._waiting:
            future, _amounts = self._waiting.popleft()
            if not future.done():
                future.set_exception(NotNow())

    @property
    def waiting(self) -> int:
        return sum(not future.done() for future, _amounts in self._waiting)

    def next_free(self) -> tuple[Key, float, str] | None:
        """Return the key that will be usable first, in how many seconds (infinite: when a request ends), and what it
        waits for; None if none will."""
        now, wall = self._clock(), self._wall()
        amounts = self._waiting[0][1] if self._waiting else UNSIZED.amounts
        usable = [(*key.wait(key.group.ratio.sized(amounts), now, wall), key) for key in self.keys if not key.out]
        if not usable:
            return None
        wait, why, key = min(usable, key=lambda entry: entry[0])
        if self._is_full and wait < ENDED:
            return key, ENDED, f"one of the requests in flight to end (at most {self._most} at once)"
        return key, wait, why

    def why_out(self) -> str:
        """Say why no key is left, or ''."""
        if any(not key.out for key in self.keys):
            return ""
        return "no key is left: " + "; ".join(f"{key.name} is {key.out}: {key.reason}" for key in self.keys)

    def published(self) -> list[dict[str, object]]:
        """Return what faces may know of each key; times become Unix times."""
        now, wall = self._clock(), self._wall()
        return [key.published(now, wall) for key in self.keys]

    def throttles(self, now: float) -> list[tuple[str, ThrottleState]]:
        """Return what the throttle of each group has learned by `now`, with times of the same clock."""
        return [(group.name, group.throttle.state(now)) for group in self._groups.values()]

    def _quotas(self) -> list[Quotas]:
        return [*self._groups.values(), *(key.own for key in self.keys if key.own is not None)]

    def _uncount(self, loan: Loan) -> None:
        loan.key.group.give_back(loan.hold, loan.amounts)
        if loan.key.own is not None and loan.own_hold is not None:
            loan.key.own.give_back(loan.own_hold, loan.amounts)

    def _watch(self, loan: Loan, words: Sequence[Allowance]) -> None:
        if loan.started:
            index = list(self._groups.values()).index(loan.key.group)
            told = self._shared.note(
                index,
                words,
                at=loan.taken_at,
                told_at=self._clock(),
                by_start=loan.started,
                by_reply=self._started(),
            )
            if told:
                self._tell("warning", told)

    def _started(self) -> tuple[int, ...]:
        return tuple(group.window.ever[0] for group in self._groups.values())

    def _release(self, key: Key) -> None:
        key.in_flight -= 1
        key.group.in_flight -= 1
        if key.own is not None:
            key.own.in_flight -= 1
        if self._waiting:
            self._pump()

    @property
    def _is_full(self) -> bool:
        """Whether the groups together have as many requests in flight as are allowed; each throttle knows its own."""
        return len(self._groups) > 1 and sum(group.in_flight for group in self._groups.values()) >= self._most

    def _ready(self, asked: Amounts, now: float, wall: float, *, in_turn: bool = True) -> Key | None:
        """Return the key with the least to do among those that may be used now."""
        if self._is_full:
            return None
        best: Key | None = None
        for group in self._groups.values():
            amounts = group.ratio.sized(asked)
            if group.is_ready(amounts, now, wall, in_turn=in_turn):
                for key in group.keys:
                    if key.is_ready(amounts, now, wall) and (
                        best is None or (key.in_flight, key.lent) < (best.in_flight, best.lent)
                    ):
                        best = key
        return best

    def _lend(self, key: Key, asked: Amounts, now: float, wall: float) -> Loan:
        group, own = key.group, key.own
        amounts = group.ratio.sized(asked)
        just_before = group.just_before(now)
        hold = group.take(amounts, now, wall)
        own_hold = own.take(amounts, now, wall) if own is not None else None
        group.throttle.started(now)
        key.in_flight += 1
        key.lent += 1
        self._serial += 1
        for quotas in (group, own):
            if quotas is not None and quotas.is_limited:
                self._tell_limits(key, quotas, amounts)
        window = group.window
        started = self._started() if len(self._groups) > 1 else ()
        used, ever = tuple(window.used), tuple(window.ever)
        loan = Loan(key, now, asked, amounts, hold, own_hold, self._serial, used, ever, just_before, started)
        group.open.add(loan)
        return loan

    def _tell_limits(self, key: Key, quotas: Quotas, amounts: Amounts) -> None:
        """Tell of a day that is used up with this request, and once of one that is larger than a whole minute."""
        is_told = quotas.told_day == quotas.day.resets_at
        if quotas.day.limit is not None and quotas.day.used >= quotas.day.limit and not is_told:
            quotas.told_day = quotas.day.resets_at
            until = local_time(quotas.day.resets_at)
            self._tell(
                "warning", f"{quotas.name}: all {quotas.day.limit:,} requests of its day are used, until {until}"
            )
        if (what := quotas.too_large(amounts)) and quotas.name not in self._told_too_large:
            self._told_too_large.add(quotas.name)
            self._tell("warning", f"one request of key {key.name} takes {what}; such requests go out one at a time")

    def _pump(self, *, woken: bool = False) -> None:
        """Lend to those who wait, in their order, until one of them has to wait on."""
        while self._waiting:
            future, amounts = self._waiting[0]
            if future.done():
                self._waiting.popleft()
                continue
            now, wall = self._clock(), self._wall()
            key = self._ready(amounts, now, wall)
            if key is not None:
                self._waiting.popleft()
                future.set_result(self._lend(key, amounts, now, wall))
                continue
            if reason := self.why_out():
                for each, _amounts in self._waiting:
                    if not each.done():
                        each.set_exception(NoKeyLeft(reason))
                self._waiting.clear()
                return
            wait = _LONGEST_SLEEP_S if self._is_full else _LOOK_AGAIN_S
            if woken and not self._is_full:
                sized = {name: group.ratio.sized(amounts) for name, group in self._groups.items()}
                waits = [key.wait(sized[key.group.name], now, wall)[0] for key in self.keys if not key.out]
                wait = min(max(min(waits), _LOOK_AGAIN_S), _LONGEST_SLEEP_S)
            self._wake_in(wait)
            return

    def _wake_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._pump(woken=True)
