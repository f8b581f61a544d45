"""While the endpoint is gone nothing is asked but one probe at a time; it costs nothing and ends by itself."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.engine.conftest import Workshop, answers, fails, until
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.endpoints.client import Answer
from vqa_tui.engine import outage as outage_module
from vqa_tui.engine.breaker import LEAST_OUTCOMES
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.keyring import NotNow
from vqa_tui.engine.outage import BROKEN_IN_A_ROW, BROKEN_TASKS, UNSENT_IN_A_ROW, Miss, Outage, miss_of
from vqa_tui.engine.worker import Worker

K = FailureKind
UNSENT = Failure(K.NETWORK, "no connection to e:1: nothing listens there (connection refused)", never_sent=True)
GATEWAY = Failure(K.SERVER, "the endpoint had an internal error (HTTP 503)", 503)
CUT = Failure(K.NETWORK, "the connection was cut before the reply")


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes follow each other within milliseconds."""
    monkeypatch.setattr(outage_module, "FIRST_WAIT_S", 0.002)
    monkeypatch.setattr(outage_module, "LONGEST_PROBE_WAIT_S", 0.01)


class Watch:
    """An outage with its events, halts and gentle restarts, on a clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, ever_reached: bool = True) -> None:
        self.told: list[str] = []
        self.halts: list[Halt] = []
        self.restarts = 0
        self.now = 1000.0
        monkeypatch.setattr(outage_module, "elapsed_time", lambda: self.now)
        self.outage = Outage(
            tell=lambda level, message: self.told.append(f"{level}: {message}"),
            halt=self.halts.append,
            restart=self._restart,
            ever_reached=ever_reached,
        )

    def _restart(self) -> None:
        self.restarts += 1

    def miss(self, failure: Failure, times: int, *, task: int | None = None) -> list[bool]:
        return [self.outage.missed(n if task is None else task, failure, probe=False) for n in range(times)]


MakeWatch = Callable[..., Watch]


@pytest.fixture
def make_watch(monkeypatch: pytest.MonkeyPatch) -> MakeWatch:
    def make(*, ever_reached: bool = True) -> Watch:
        return Watch(monkeypatch, ever_reached=ever_reached)

    return make


@pytest.mark.parametrize(
    ("failure", "miss"),
    [
        (UNSENT, Miss.UNSENT),
        (Failure(K.TIMEOUT, "no connection in time", never_sent=True), Miss.UNSENT),
        (Failure(K.NETWORK, "the proxy wants a password", 407, never_sent=True), Miss.UNSENT),
        (CUT, Miss.BROKEN),
        (GATEWAY, Miss.BROKEN),
        (Failure(K.SERVER, "bad gateway", 502), Miss.BROKEN),
        (Failure(K.SERVER, "gateway timeout", 504), Miss.BROKEN),
        (Failure(K.TIMEOUT, "no reply in time"), Miss.UNCLEAR),
        (Failure(K.SERVER, "internal error", 500), None),
        (Failure(K.RATE_LIMITED, "too many", 429), None),
        (Failure(K.AUTH, "who are you", 401), None),
        (Failure(K.QUOTA_EXHAUSTED, "no funds", 402), None),
        (Failure(K.BAD_REPLY, "no JSON", 200), None),
    ],
)
def test_what_counts_as_not_getting_through(failure: Failure, miss: Miss | None) -> None:
    assert miss_of(failure) is miss


async def test_it_begins_after_a_few_that_could_not_be_sent_and_is_told_once(make_watch: MakeWatch) -> None:
    watch = make_watch()
    assert watch.miss(UNSENT, UNSENT_IN_A_ROW) == [False] * UNSENT_IN_A_ROW and watch.outage.active
    assert watch.miss(UNSENT, 50) == [True] * 50
    (told,) = watch.told
    assert told.startswith("warning: the endpoint cannot be reached since ")
    assert "connection refused" in told and told.endswith("trying again every 30 s")
    assert "cannot be reached since" in watch.outage.why() and "trying again at" in watch.outage.why()


async def test_it_begins_after_more_that_did_not_come_through_and_only_if_they_are_of_several_pictures(
    make_watch: MakeWatch,
) -> None:
    watch = make_watch()
    watch.miss(GATEWAY, BROKEN_IN_A_ROW - 1)
    assert not watch.outage.active
    watch.miss(CUT, 1)
    assert watch.outage.active and "nothing comes through to the endpoint since" in watch.told[0]
    poison = make_watch()
    for number in range(100):
        poison.miss(GATEWAY, 1, task=number % (BROKEN_TASKS - 1))
    assert not poison.outage.active


async def test_any_reply_in_between_means_that_the_endpoint_is_there(make_watch: MakeWatch) -> None:
    watch = make_watch()
    for _ in range(20):
        watch.miss(GATEWAY, BROKEN_IN_A_ROW - 1)
        watch.outage.reached()
        watch.miss(UNSENT, UNSENT_IN_A_ROW - 1)
        watch.miss(Failure(K.SERVER, "internal error", 500), 1)
    assert not watch.outage.active and watch.told == [] and watch.restarts == 0


async def test_replies_that_are_only_late_neither_begin_nor_hide_it(make_watch: MakeWatch) -> None:
    watch, late = make_watch(), Failure(K.TIMEOUT, "no reply in time")
    assert watch.miss(late, 100) == [False] * 100 and not watch.outage.active
    for _ in range(BROKEN_IN_A_ROW):
        watch.miss(late, 1)
        watch.miss(GATEWAY, BROKEN_TASKS)
    assert watch.outage.active and watch.miss(late, 1) == [True]


async def test_one_probe_goes_out_at_a_time_and_its_success_lets_all_go_on_gently(
    make_watch: MakeWatch, quickly: None
) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    waiting = [asyncio.create_task(watch.outage.turn()) for _ in range(5)]
    for probes in (1, 2, 3):
        await until(lambda probes=probes: sum(each.done() for each in waiting) == probes)  # type: ignore[misc]  # the default of a lambda
        assert watch.outage.why().endswith("trying now")
        watch.outage.missed(7, UNSENT, probe=True)
    watch.now += 123
    watch.outage.reached()
    assert [await each for each in waiting] == [True, True, True, False, False]
    assert watch.told[1:] == ["info: the endpoint answers again after 2 min 3 s; going on gently"]
    assert watch.restarts == 1 and not watch.outage.active and watch.outage.why() == ""
    assert await watch.outage.turn() is False


async def test_waits_grow_to_half_a_minute_and_honour_what_the_endpoint_asks(make_watch: MakeWatch) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    gone = watch.outage._gone
    assert gone is not None
    loop_time = time.monotonic
    waits = []
    for _ in range(8):
        assert gone.next_at is not None
        waits.append(gone.next_at - loop_time())
        watch.outage.missed(7, UNSENT, probe=True)
    for wait, most in zip(waits, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert most * 0.5 - 0.1 <= wait <= most
    watch.outage.missed(7, replace(GATEWAY, retry_after_s=300.0), probe=True)
    assert gone.next_at is not None and 299 <= gone.next_at - loop_time() <= 300


async def test_a_turn_that_is_not_used_goes_to_the_next(make_watch: MakeWatch, quickly: None) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    first, second, third = (asyncio.create_task(watch.outage.turn()) for _ in range(3))
    await until(first.done)
    watch.outage.pass_on()
    await until(second.done)
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    watch.outage.pass_on()
    assert await asyncio.wait_for(watch.outage.turn(), 20) is True


async def test_a_turn_given_at_the_moment_of_a_cancel_is_not_lost(make_watch: MakeWatch, quickly: None) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    first, second = (asyncio.create_task(watch.outage.turn()) for _ in range(2))
    await until(first.done)
    watch.outage.pass_on()
    assert watch.outage.why().endswith("trying now") and not second.done()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert second.cancelled()
    assert await asyncio.wait_for(watch.outage.turn(), 20) is True


async def test_calling_off_sends_all_away_and_who_comes_later_is_the_probe(
    make_watch: MakeWatch, quickly: None
) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    first = asyncio.create_task(watch.outage.turn())
    await until(first.done)
    others = [asyncio.create_task(watch.outage.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    watch.outage.call_off()
    assert all(isinstance(result, NotNow) for result in await asyncio.gather(*others, return_exceptions=True))
    watch.outage.missed(7, UNSENT, probe=True)
    assert await asyncio.wait_for(watch.outage.turn(), 20) is True


async def test_an_endpoint_that_was_never_reached_pauses_the_run_after_a_while_and_one_that_was_does_not(
    make_watch: MakeWatch,
) -> None:
    for ever_reached in (False, True):
        watch = make_watch(ever_reached=ever_reached)
        watch.miss(UNSENT, UNSENT_IN_A_ROW)
        watch.now += outage_module.FIRST_CONTACT_S - 1
        watch.outage.missed(7, UNSENT, probe=True)
        assert watch.halts == []
        watch.now += 24 * 3600
        watch.outage.missed(7, UNSENT, probe=True)
        assert bool(watch.halts) is not ever_reached
        if not ever_reached:
            assert watch.halts[0].reason == (
                f"no request has ever reached the endpoint: {UNSENT.message}; check its base_url and the network"
            )
            watch.outage.reset()
            assert not watch.outage.active


async def test_gateways_alone_pause_the_run_after_an_hour_but_not_while_the_network_was_gone(
    make_watch: MakeWatch,
) -> None:
    watch = make_watch()
    watch.miss(GATEWAY, BROKEN_IN_A_ROW)
    watch.now += 3000
    watch.outage.missed(7, UNSENT, probe=True)
    watch.now += 3000
    watch.outage.missed(7, GATEWAY, probe=True)
    watch.now += 3599
    watch.outage.missed(7, GATEWAY, probe=True)
    assert watch.halts == []
    watch.now += 1
    watch.outage.missed(7, GATEWAY, probe=True)
    assert watch.halts == [Halt(f"for 1 h 0 min no request has come through: {GATEWAY.message}")]


async def test_an_endpoint_that_goes_and_comes_back_costs_no_attempt_no_money_and_no_person(
    workshop: Workshop, quickly: None
) -> None:
    workshop.limits[0] = Limits(max_attempts=2)
    workshop.client.script = fails(K.NETWORK, never_sent=True)
    left = [workshop.task(number=number) for number in range(1, 41)]

    async def work() -> None:
        while left:
            await Worker(workshop.bench).handle(left.pop())

    workers = [asyncio.create_task(work()) for _ in range(8)]
    await until(lambda: len(workshop.client.asked) >= 20)
    # Three found out, and since then one at a time has been let out, whoever else was under way at that moment.
    assert workshop.bench.board.asking <= 1 and workshop.bench.outage.active
    for _ in range(2 * LEAST_OUTCOMES):
        workshop.bench.outage.missed(7, UNSENT, probe=False)
    workshop.client.script = answers()
    await asyncio.wait_for(asyncio.gather(*workers), 10)
    outcomes = workshop.writer.outcomes
    assert len(outcomes) == 40 and not any(
        outcome.spends_attempt for outcome in outcomes if outcome.status is TaskStatus.PENDING
    )
    assert all(outcome.status in (TaskStatus.PENDING, TaskStatus.DONE) for outcome in outcomes)
    assert sum(outcome.status is TaskStatus.DONE for outcome in outcomes) > 8
    assert workshop.budget.uncertain == 0 and workshop.halts == []
    assert [told.split(": ")[0] for told in workshop.told] == ["warning", "info"]
    workshop.nothing_is_held()


async def test_what_a_gateway_answers_while_nothing_gets_through_spends_no_attempt(
    workshop: Workshop, quickly: None
) -> None:
    workshop.client.script = fails(K.SERVER, 503)
    for number in range(60):
        await Worker(workshop.bench).handle(workshop.task(number=number))
    spent = [outcome.spends_attempt for outcome in workshop.writer.outcomes]
    assert spent == [False] * 60 and workshop.bench.outage.active
    assert workshop.halts == [] and len(workshop.told) == 1
    assert all(outcome.attempt and outcome.attempt.kind == K.SERVER for outcome in workshop.writer.outcomes)


async def test_a_request_that_waits_for_its_key_when_the_outage_begins_stays_here(
    workshop: Workshop, quickly: None
) -> None:
    gate = asyncio.Event()

    async def hold() -> Answer:
        await gate.wait()
        return await fails(K.NETWORK, never_sent=True)()

    workshop.limits[0] = Limits(concurrency=3)
    workshop.keyring.set_limits(Limits(concurrency=3))
    workshop.client.script = hold
    work = [asyncio.create_task(Worker(workshop.bench).handle(workshop.task(number=n))) for n in range(10)]
    await until(lambda: workshop.bench.board.waiting_for_key > 0)
    gate.set()
    await until(lambda: workshop.bench.outage.active)
    await until(lambda: workshop.bench.board.waiting_for_key == 0)
    assert workshop.bench.board.asking <= 1
    workshop.client.script = answers()
    await asyncio.wait_for(asyncio.gather(*work), 10)
    workshop.nothing_is_held()


async def test_the_breaker_still_pauses_for_mixtures_beyond_its_bound(workshop: Workshop, quickly: None) -> None:
    for number in range(200):
        workshop.client.script = answers() if number % 5 == 0 else fails(K.SERVER, 503)
        await Worker(workshop.bench).handle(workshop.task(number=number))
    assert not workshop.bench.outage.active and workshop.halts and "requests failed" in workshop.halts[0].reason


async def test_quota_and_dead_keys_are_told_at_once_and_never_taken_for_an_outage(workshop: Workshop) -> None:
    for kind, status, state in ((K.QUOTA_EXHAUSTED, 429, "parked"), (K.AUTH, 401, "off")):
        workshop.client.script = fails(kind, status)
        workshop.keyring.revive()
        workshop.halts.clear()
        before = len(workshop.client.asked)
        for number in range(30):
            outcome = await workshop.outcome(workshop.task(number=number))
            assert (outcome.status, outcome.spends_attempt, outcome.not_before) == (TaskStatus.PENDING, False, 0)
        # One request found out; no other was sent after it.
        assert len(workshop.client.asked) == before + 1
        assert workshop.keyring.published()[0]["state"] == state and not workshop.bench.outage.active
        assert "no key is left" in workshop.halts[0].reason


@pytest.mark.parametrize("left", [1, 3])
async def test_the_last_pictures_are_not_lost_to_a_gateway(make_watch: MakeWatch, left: int) -> None:
    watch = make_watch()
    watch.outage.tasks_left = left
    spared = [watch.miss(GATEWAY, 1, task=number % left)[0] for number in range(BROKEN_IN_A_ROW)]
    assert all(spared) and watch.outage.active
    watch.now += 120
    assert watch.outage.missed(0, GATEWAY, probe=True)
    # At last it is the pictures and not the endpoint; then their attempts are spent, and the run ends.
    watch.now += outage_module.LONGEST_OF_FEW_S
    assert not watch.outage.missed(0, GATEWAY, probe=True)


async def test_a_picture_that_a_gateway_chokes_on_while_others_get_through_spends_its_attempts(
    make_watch: MakeWatch,
) -> None:
    watch = make_watch()
    spared = []
    for _ in range(4):
        spared += watch.miss(GATEWAY, 1, task=7)
        watch.outage.reached()
    assert spared == [True, False, False, False]


async def test_a_probe_that_waits_for_its_key_says_so(make_watch: MakeWatch, quickly: None) -> None:
    watch = make_watch()
    watch.miss(UNSENT, UNSENT_IN_A_ROW)
    turn = asyncio.create_task(watch.outage.turn())
    await until(turn.done)
    assert watch.outage.why("key a, requests/min").endswith("; the next try waits for key a, requests/min")
    watch.outage.probe_sent()
    assert watch.outage.why("key a, requests/min").endswith("; trying now")
