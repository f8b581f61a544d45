"""The outage: while the endpoint is gone nothing is asked but one probe at a time, and no person is needed.

It begins when nothing gets through for several requests in a row, and it ends with the first reply of any kind. How
it shares the work with the breaker: failures in an outage are not the breaker's, because they cost nothing; the breaker
judges mixtures of success and failure, in which no outage lasts.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.work import LONGEST_WAIT_S
from vqa_tui.engine.clock import elapsed_time
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.keyring import NotNow

UNSENT_IN_A_ROW = 3
"""Requests in a row that could not even be sent, after which the endpoint counts as gone."""
BROKEN_IN_A_ROW = 10
"""Requests in a row of which none came through, sent or not, after which it counts as gone too."""
BROKEN_TASKS = 4
"""Of at least so many tasks, or of all that are left: two pictures that a gateway chokes on are no outage."""
LONGEST_OF_FEW_S = 600.0
"""How long an outage may last that was seen with fewer tasks than that: then these pictures are to blame after all."""
FIRST_WAIT_S = 1.0
LONGEST_PROBE_WAIT_S = 30.0
FIRST_CONTACT_S = 30.0
"""How long a run tries to reach an endpoint that it has never reached: the address may be wrong."""
LONGEST_BROKEN_S = 3600.0
"""How long gateways may answer in place of the endpoint before a person is asked."""

_MOST_REMEMBERED = 10_000

_GATEWAY = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 530})
"""Statuses of proxies whose endpoint is gone or overloaded; those from 520 are Cloudflare's."""


class Miss(Enum):
    """How a request failed to come through."""

    UNSENT = "unsent"
    BROKEN = "broken"
    UNCLEAR = "unclear"
    """Sent, and then nothing: the endpoint may be gone, or slow."""


def miss_of(failure: Failure) -> Miss | None:
    """Return how the request failed to come through; None when the endpoint answered."""
    if failure.kind in (FailureKind.NETWORK, FailureKind.TIMEOUT) and failure.never_sent:
        return Miss.UNSENT
    if failure.kind is FailureKind.TIMEOUT:
        return Miss.UNCLEAR
    gone = failure.kind is FailureKind.SERVER and failure.http_status in _GATEWAY
    return Miss.BROKEN if gone or failure.kind is FailureKind.NETWORK else None


@dataclass(slots=True)
class _Gone:
    """The outage in force."""

    since: float
    """Unix time of the first request that did not come through."""
    began: float
    """Of elapsed_time, as is the next but two."""
    message: str
    sent: bool
    """Whether the newest probe was sent: if so, something on the way still answers."""
    alike_since: float
    """Since when all probes have been sent, or none."""
    wait_s: float
    """Until the probe after the next."""
    of_few: bool
    """Whether it was seen with fewer tasks than BROKEN_TASKS."""
    probe_sent: bool = False
    """Whether the probe that is out has been sent, and does not wait for a key or for money."""
    next_at: float | None = None
    """Of time.monotonic; None while a probe is out."""


class Outage:
    """Watches how requests end, and holds new ones while the endpoint is gone."""

    def __init__(
        self,
        *,
        tell: Callable[[str, str], None],
        halt: Callable[[Halt], None],
        restart: Callable[[], None],
        ever_reached: bool,
    ) -> None:
        """`restart` is called when it is over, to go on gently; `ever_reached`: this run has had replies before."""
        self._tell = tell
        self._halt = halt
        self._restart = restart
        self._ever_reached = ever_reached
        self._gone: _Gone | None = None
        self._unsent = 0
        self._missed = 0
        self._tasks: set[int] = set()
        self._reached = 0
        """Requests that got through."""
        self._reached_at_miss: dict[int, int] = {}
        """The same at the newest miss of each task that a gateway answered."""
        self.tasks_left: int | None = None
        """How many tasks are left to ask, where they are few; None: many, or not known."""
        self._first_miss = 0.0
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def active(self) -> bool:
        return self._gone is not None

    @property
    def suspected(self) -> bool:
        """Whether the newest requests did not come through, and it is worth knowing how many tasks are left."""
        return self._missed > 0 and self._gone is None

    async def turn(self) -> bool:
        """Wait while the endpoint is gone. True: the caller is the one probe, and owes `reached`, `missed` or
        `pass_on`. Raises NotNow when `call_off` is called meanwhile."""
        if self._gone is None:
            return False
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._send_probe()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None and future.result():
                self.pass_on()
            raise

    def reached(self) -> None:
        """Note that the endpoint answered, however badly."""
        self._ever_reached = True
        self._reached += 1
        self._unsent = self._missed = 0
        self._tasks.clear()
        if self._gone is not None:
            lasted = _in_words(elapsed_time() - self._gone.began)
            self._tell("info", f"the endpoint answers again after {lasted}; going on gently")
            self._end()
            self._restart()

    def missed(self, task_id: int, failure: Failure, *, probe: bool) -> bool:
        """Note a request that did not come through; True when that is the endpoint's fault and not the task's."""
        miss = miss_of(failure)
        if miss is None:
            if not failure.never_sent:
                self.reached()
            elif probe:
                self.pass_on()
            return False
        if self._gone is not None:
            gone = self._gone
            if probe:
                self._probed(gone, failure, sent=miss is not Miss.UNSENT)
            return not (gone.of_few and gone.sent and elapsed_time() - gone.began >= LONGEST_OF_FEW_S)
        if miss is Miss.UNCLEAR:
            return False
        spared = miss is Miss.BROKEN and failure.kind is FailureKind.SERVER and self._none_got_through_since(task_id)
        if not self._missed:
            self._first_miss = time.time()
        self._missed += 1
        self._tasks.add(task_id)
        self._unsent = self._unsent + 1 if miss is Miss.UNSENT else 0
        if self._unsent >= UNSENT_IN_A_ROW:
            self._begin(failure, sent=False)
        elif self._missed >= BROKEN_IN_A_ROW and len(self._tasks) >= self._tasks_needed:
            self._begin(failure, sent=True)
        return spared

    @property
    def _tasks_needed(self) -> int:
        return BROKEN_TASKS if self.tasks_left is None else min(BROKEN_TASKS, self.tasks_left)

    def _none_got_through_since(self, task_id: int) -> bool:
        """Whether nothing got through since a gateway last answered in place of the endpoint for this task, or it is
        the first time: then nobody can say whether the picture is to blame or the endpoint is gone."""
        if len(self._reached_at_miss) >= _MOST_REMEMBERED:
            self._reached_at_miss.clear()
        before = self._reached_at_miss.get(task_id)
        self._reached_at_miss[task_id] = self._reached
        return before is None or before == self._reached

    def probe_sent(self) -> None:
        """Note that the probe has its key and its money, and goes out."""
        if self._gone is not None:
            self._gone.probe_sent = True

    def pass_on(self) -> None:
        """Give the probe's turn to another: nothing was sent, or nothing can be learned from it."""
        if self._gone is not None:
            self._gone.next_at = time.monotonic()
            self._send_probe()

    def reset(self) -> None:
        """Try at once with all: a person who resumes may have mended what was wrong."""
        self._unsent = self._missed = 0
        self._tasks.clear()
        if self._gone is not None:
            self._end()

    def call_off(self) -> None:
        """Send everybody who waits away with NotNow."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(NotNow())

    def why(self, waits_for: str = "") -> str:
        """Say that the endpoint is gone and when it is tried again, or ''; `waits_for` says in words what requests wait
        for at present."""
        gone = self._gone
        if gone is None:
            return ""
        if gone.next_at is None:
            waiting = "" if gone.probe_sent else waits_for
            return f"{_sentence(gone)}; " + (f"the next try waits for {waiting}" if waiting else "trying now")
        due = time.localtime(time.time() + max(gone.next_at - time.monotonic(), 0.0))
        return f"{_sentence(gone)}; trying again at {time.strftime('%H:%M:%S', due)}"

    def _begin(self, failure: Failure, *, sent: bool) -> None:
        now = elapsed_time()
        of_few = sent and len(self._tasks) < BROKEN_TASKS
        self._gone = _Gone(self._first_miss, now, failure.message, sent, now, FIRST_WAIT_S, of_few)
        self._tell("warning", f"{_sentence(self._gone)}; trying again every {LONGEST_PROBE_WAIT_S:.0f} s")
        self._probed(self._gone, failure, sent=sent)

    def _probed(self, gone: _Gone, failure: Failure, *, sent: bool) -> None:
        """Note a probe in vain, and set the time of the next."""
        gone.message = failure.message
        if sent is not gone.sent:
            gone.sent, gone.alike_since = sent, elapsed_time()
        if reason := self._too_long(gone):
            self._halt(Halt(reason))
        wait = gone.wait_s * random.uniform(0.5, 1.0)
        gone.wait_s = min(gone.wait_s * 2, LONGEST_PROBE_WAIT_S)
        gone.next_at = time.monotonic() + max(wait, min(failure.retry_after_s or 0.0, LONGEST_WAIT_S))
        self._send_probe()

    def _too_long(self, gone: _Gone) -> str:
        lasted = elapsed_time() - gone.alike_since
        if not gone.sent and not self._ever_reached and lasted >= FIRST_CONTACT_S:
            return f"no request has ever reached the endpoint: {gone.message}; check its base_url and the network"
        if gone.sent and lasted >= LONGEST_BROKEN_S:
            return f"for {_in_words(lasted)} no request has come through: {gone.message}"
        return ""

    def _send_probe(self) -> None:
        """Let the first who waits go when a probe is due, or see to it that this is looked at again then."""
        gone = self._gone
        if gone is None or gone.next_at is None:
            return
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if not self._waiting:
            return
        wait = gone.next_at - time.monotonic()
        if wait > 0:
            self._look_again_in(wait)
            return
        gone.next_at = None
        gone.probe_sent = False
        self._waiting.popleft().set_result(True)

    def _look_again_in(self, wait_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s + 0.001, self._send_probe)

    def _end(self) -> None:
        self._gone = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(False)


def _sentence(gone: _Gone) -> str:
    since = time.strftime("%H:%M:%S", time.localtime(gone.since))
    what = "nothing comes through to the endpoint" if gone.sent else "the endpoint cannot be reached"
    return f"{what} since {since} ({gone.message})"


def _in_words(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
