"""A straggler is asked twice where there is room for it; both are paid, both are recorded, and nothing is held."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.engine.conftest import COST_NANO, GOOD, MakeWorkshop, Workshop, answers, fails, until
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.work import Flight, Purpose, TaskOutcome
from vqa_tui.endpoints.client import Answer
from vqa_tui.engine import hedging
from vqa_tui.engine.board import Board
from vqa_tui.engine.hedging import LEAST_OBSERVED, Patience
from vqa_tui.engine.worker import Worker
from vqa_tui.store.inflight import read_flights

K = FailureKind


class Stragglers:
    """An endpoint whose replies come when a test says so, in the order in which they were asked for."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.replies: list[asyncio.Future[Callable[[], Awaitable[Answer]]]] = []
        workshop.client.script = self._reply
        workshop.limits[0] = Limits(hedge=True)
        self.enough_was_seen()

    def enough_was_seen(self) -> None:
        self.workshop.bench.board.latencies_ms.extend([1.0] * LEAST_OBSERVED)

    def nobody_can_say_yet(self) -> None:
        """No reply is late as long as this holds."""
        self.workshop.bench.board.latencies_ms.clear()

    async def _reply(self) -> Answer:
        mine: asyncio.Future[Callable[[], Awaitable[Answer]]] = asyncio.get_running_loop().create_future()
        self.replies.append(mine)
        return await (await mine)()

    def reply(self, number: int, script: Callable[[], Awaitable[Answer]] | None = None) -> None:
        self.replies[number].set_result(script or answers())

    async def asked(self, count: int) -> None:
        await until(lambda: len(self.replies) == count)

    def handle(self) -> "asyncio.Task[None]":
        return asyncio.create_task(Worker(self.workshop.bench).handle(self.workshop.task()))

    @property
    def outcomes(self) -> list[TaskOutcome]:
        return self.workshop.writer.outcomes


@pytest.fixture
def stragglers(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Stragglers:
    monkeypatch.setattr(hedging, "SHORTEST_PATIENCE_S", 0.01)
    monkeypatch.setattr(hedging, "_LOOK_AGAIN_S", 0.005)
    return Stragglers(workshop)


def purposes(outcome: TaskOutcome) -> list[Purpose]:
    return [attempt.purpose for attempt in outcome.attempts]


async def test_the_first_good_reply_counts_at_once_and_the_other_is_recorded_when_it_ends(
    stragglers: Stragglers,
) -> None:
    workshop, work = stragglers.workshop, stragglers.handle()
    await stragglers.asked(2)
    assert [flight.task_id for flight in read_flights(workshop.journal_path)] == [7, 7]
    assert workshop.budget.reserved > 0 and workshop.keyring.keys[0].in_flight == 2
    stragglers.reply(1)
    await until(lambda: len(stragglers.outcomes) == 1)
    (won,) = stragglers.outcomes
    assert (won.status, purposes(won), won.hedge) == (TaskStatus.DONE, [Purpose.HEDGE], None) and won.pairs
    # The task has its outcome; its slot is held until the other request has ended.
    assert not work.done() and workshop.bench.board.busy == 1
    stragglers.reply(0)
    await asyncio.wait_for(work, 20)
    late = stragglers.outcomes[1]
    assert (late.attempt_alone, purposes(late), late.pairs) == (True, [Purpose.ASK], ())
    assert [attempt.cost_nano for each in stragglers.outcomes for attempt in each.attempts] == [COST_NANO] * 2
    assert workshop.budget.spent == 2 * COST_NANO
    workshop.nothing_is_held()
    for outcome in stragglers.outcomes:
        for attempt in outcome.attempts:
            workshop.bench.journal.leave(attempt.flight)
    assert read_flights(workshop.journal_path) == []


async def test_a_straggler_that_wins_after_all_is_recorded_as_what_it_was(stragglers: Stragglers) -> None:
    work = stragglers.handle()
    await stragglers.asked(2)
    stragglers.reply(0)
    await until(lambda: len(stragglers.outcomes) == 1)
    stragglers.reply(1, fails(K.SERVER, 500))
    await asyncio.wait_for(work, 20)
    won, late = stragglers.outcomes
    assert purposes(won) == [Purpose.ASK] and purposes(late) == [Purpose.HEDGE]
    assert late.attempt is not None and late.attempt.kind == K.SERVER and late.attempt_alone


async def test_a_failure_waits_for_the_other_which_may_still_be_good(stragglers: Stragglers) -> None:
    work = stragglers.handle()
    await stragglers.asked(2)
    stragglers.reply(0, fails(K.TIMEOUT))
    await until(lambda: stragglers.workshop.bench.board.asking == 1)
    assert stragglers.outcomes == []
    stragglers.reply(1)
    await asyncio.wait_for(work, 20)
    (outcome,) = stragglers.outcomes
    assert (outcome.status, purposes(outcome)) == (TaskStatus.DONE, [Purpose.HEDGE, Purpose.ASK])
    assert outcome.hedge is not None and outcome.hedge.uncertain_nano == stragglers.workshop.budget.uncertain > 0
    stragglers.workshop.nothing_is_held()


@pytest.mark.parametrize("refused_first", [True, False])
async def test_of_two_failures_the_final_one_decides_and_one_attempt_is_spent(
    stragglers: Stragglers, refused_first: bool
) -> None:
    work = stragglers.handle()
    await stragglers.asked(2)
    stragglers.reply(0 if refused_first else 1, fails(K.REFUSED, 200))
    stragglers.reply(1 if refused_first else 0, fails(K.SERVER, 500))
    await asyncio.wait_for(work, 20)
    (outcome,) = stragglers.outcomes
    assert (outcome.status, outcome.kind, outcome.spends_attempt) == (TaskStatus.FAILED, K.REFUSED, True)
    assert sorted(attempt.kind for attempt in outcome.attempts) == [K.REFUSED, K.SERVER]
    stragglers.workshop.nothing_is_held()


async def test_cancelling_ends_both_and_counts_both_as_perhaps_billed(stragglers: Stragglers) -> None:
    work = stragglers.handle()
    await stragglers.asked(2)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    (outcome,) = stragglers.outcomes
    assert outcome.status is TaskStatus.PENDING and not outcome.spends_attempt
    assert [attempt.kind for attempt in outcome.attempts] == [K.CANCELLED] * 2
    assert sorted(purposes(outcome)) == [Purpose.ASK, Purpose.HEDGE]
    reserved = sum(attempt.reserved_nano for attempt in outcome.attempts)
    assert reserved == stragglers.workshop.budget.uncertain > 0
    stragglers.workshop.nothing_is_held()


async def test_cancelling_a_straggler_whose_task_is_done_keeps_the_reply_and_records_the_rest(
    stragglers: Stragglers,
) -> None:
    work = stragglers.handle()
    await stragglers.asked(2)
    stragglers.reply(1)
    await until(lambda: len(stragglers.outcomes) == 1)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    won, late = stragglers.outcomes
    assert won.status is TaskStatus.DONE and late.attempt_alone and late.attempt is not None
    assert late.attempt.kind == K.CANCELLED and late.attempt.uncertain_nano == stragglers.workshop.budget.uncertain > 0
    stragglers.workshop.nothing_is_held()


async def looked_often(stragglers: Stragglers) -> None:
    """Wait until the straggler has been looked at many times: a reply that comes later than all those looks."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(0.1, done.set_result, None)
    await done
    assert len(stragglers.replies) == 1


def _no_money(stragglers: Stragglers) -> None:
    stragglers.workshop.budget.cap = stragglers.workshop.budget.reserved


def _no_slot(stragglers: Stragglers) -> None:
    stragglers.workshop.keyring.set_limits(Limits(concurrency=1))


def _bad_disk(stragglers: Stragglers) -> None:
    stragglers.workshop.writer.healthy.clear()


def _not_wanted(stragglers: Stragglers) -> None:
    stragglers.workshop.limits[0] = Limits(hedge=False)


@pytest.mark.parametrize("close", [_no_money, _no_slot, _bad_disk, _not_wanted])
async def test_where_a_second_request_would_have_to_wait_none_is_sent(
    stragglers: Stragglers, close: Callable[[Stragglers], None]
) -> None:
    stragglers.nobody_can_say_yet()
    work = stragglers.handle()
    await stragglers.asked(1)
    close(stragglers)
    stragglers.enough_was_seen()
    await looked_often(stragglers)
    board = stragglers.workshop.bench.board
    assert (board.waiting_for_key, board.waiting_for_budget) == (0, 0)
    stragglers.reply(0)
    await asyncio.wait_for(work, 20)
    (outcome,) = stragglers.outcomes
    assert outcome.status is TaskStatus.DONE and purposes(outcome) == [Purpose.ASK]
    stragglers.workshop.nothing_is_held()


async def test_room_that_comes_later_is_used(stragglers: Stragglers) -> None:
    stragglers.nobody_can_say_yet()
    work = stragglers.handle()
    await stragglers.asked(1)
    _no_slot(stragglers)
    stragglers.enough_was_seen()
    await looked_often(stragglers)
    stragglers.workshop.keyring.set_limits(Limits(concurrency=16))
    await stragglers.asked(2)
    stragglers.reply(0)
    stragglers.reply(1)
    await asyncio.wait_for(work, 20)
    assert sum(len(outcome.attempts) for outcome in stragglers.outcomes) == 2


async def test_a_hedge_of_a_longer_question_asks_the_same_question(
    make_workshop: MakeWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hedging, "SHORTEST_PATIENCE_S", 0.01)
    stragglers = Stragglers(make_workshop())
    task = replace(stragglers.workshop.task(spent=1), bad_reply="no JSON", tried=frozenset({"ask"}))
    work = asyncio.create_task(Worker(stragglers.workshop.bench).handle(task))
    await stragglers.asked(2)
    stragglers.reply(1, answers(GOOD))
    stragglers.reply(0, answers(GOOD))
    await asyncio.wait_for(work, 20)
    first, second = stragglers.workshop.client.asked
    assert first == second and "no JSON" in first
    assert sorted(p for outcome in stragglers.outcomes for p in purposes(outcome)) == ["hedge", "repair"]


def test_patience_is_twice_the_99th_percentile_once_enough_was_seen_and_a_second_at_least() -> None:
    board = Board()
    board.latencies_ms.extend([100.0] * (LEAST_OBSERVED - 1))
    assert Patience(board).seconds(0.0) is None
    board.latencies_ms.append(100.0)
    patience = Patience(board)
    assert patience.seconds(10.0) == 1.0
    board.latencies_ms.extend([7000.0] * 5)
    assert patience.seconds(10.5) == 1.0 and patience.seconds(11.0) == 14.0


def test_the_journal_knows_two_flights_of_one_task_apart(workshop: Workshop) -> None:
    journal = workshop.bench.journal
    first, second = journal.enter(Flight(7, 1.0, 10, "a")), journal.enter(Flight(7, 2.0, 20, "a"))
    journal.answer(second, 5)
    assert read_flights(workshop.journal_path) == [Flight(7, 1.0, 10, "a"), Flight(7, 2.0, 5, "a", answered=True)]
    journal.leave(second)
    journal.leave(second)
    assert read_flights(workshop.journal_path) == [Flight(7, 1.0, 10, "a")]
    journal.leave(first)
    assert read_flights(workshop.journal_path) == []


async def test_room_that_only_the_reply_itself_makes_is_not_used_for_a_second_request(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hedging, "SHORTEST_PATIENCE_S", 0.0)
    monkeypatch.setattr(hedging, "_LOOK_AGAIN_S", 0.0)
    stragglers = Stragglers(workshop)
    workshop.keyring.set_limits(Limits(concurrency=1))
    for number in range(200):
        work = stragglers.handle()
        await stragglers.asked(number + 1)
        # At whatever moment between two looks the reply comes.
        for _ in range(number % 9):
            await asyncio.sleep(0)
        stragglers.reply(number)
        await asyncio.wait_for(work, 20)
    assert len(stragglers.replies) == 200
    workshop.nothing_is_held()


async def test_a_straggler_is_recorded_though_its_worker_is_cancelled_while_the_writer_has_no_room(
    stragglers: Stragglers, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, room = stragglers.workshop.writer, asyncio.Event()

    async def submit(outcome: TaskOutcome) -> None:
        writer.outcomes.append(outcome)
        await room.wait()

    monkeypatch.setattr(writer, "submit", submit)
    work = stragglers.handle()
    await stragglers.asked(2)
    stragglers.reply(1)
    await until(lambda: len(stragglers.outcomes) == 1)
    work.cancel()
    await until(lambda: len(stragglers.outcomes) == 2)
    room.set()
    await asyncio.gather(work, return_exceptions=True)
    assert sum(len(outcome.attempts) for outcome in stragglers.outcomes) == 2
    stragglers.workshop.nothing_is_held()


async def test_where_all_slots_of_the_run_are_asking_none_is_sent(stragglers: Stragglers) -> None:
    stragglers.nobody_can_say_yet()
    work = stragglers.handle()
    await stragglers.asked(1)
    # The keys would have room, as they would over several groups.
    stragglers.workshop.limits[0] = Limits(hedge=True, concurrency=1)
    stragglers.enough_was_seen()
    await looked_often(stragglers)
    stragglers.reply(0)
    await asyncio.wait_for(work, 20)
