"""The feeder claims a little ahead and gives everything back; the crew grows, shrinks and tells its faults."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from tests.engine.conftest import Collected, Workshop, until
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import ClaimedTask, TaskOutcome
from vqa_tui.engine import feeder as feeder_module
from vqa_tui.engine.crew import Crew
from vqa_tui.engine.feeder import Feeder
from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.queue import TaskQueue

FOR_EVER_S = 3600.0


class Queue(TaskQueue):
    """Stands in for the store: tasks by number, claimed once each, with trouble on demand."""

    def __init__(self, task: ClaimedTask, count: int) -> None:
        self._task = task
        self.left = list(range(count))
        self.claims: list[tuple[int, bool]] = []
        self.claimed: list[int] = []
        self.trouble_left = 0
        self.told: list[str] = []
        self.trouble: Callable[[], str] = str
        self.gate = asyncio.Event()
        self.gate.set()
        self.due: float | None = None

    async def claim(self, limit: int, *, now: float, pilot_only: bool) -> list[ClaimedTask]:
        self.claims.append((limit, pilot_only))
        self.told.append(self.trouble())
        await self.gate.wait()
        if self.trouble_left:
            self.trouble_left -= 1
            raise StoreTrouble("the disk is full")
        taken, self.left = self.left[:limit], self.left[limit:]
        self.claimed += taken
        return [replace(self._task, id=number) for number in taken]

    async def next_due(self, *, pilot_only: bool) -> float | None:
        return self.due


class Feeding:
    """A feeder at work on a queue that is played."""

    def __init__(self, task: ClaimedTask, count: int) -> None:
        self.queue = Queue(task, count)
        self.writer = Collected()
        self.feeder = Feeder(self.queue, self.writer)
        self.queue.trouble = lambda: self.feeder.trouble
        self.work = asyncio.create_task(self.feeder.work())

    async def settled(self) -> None:
        """Let every task that can go on do so; the queue that is played never really waits."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def take(self, count: int) -> list[int]:
        return [(await asyncio.wait_for(self.feeder.take(), 20)).id for _ in range(count)]

    def released(self) -> list[int]:
        assert all(outcome == TaskOutcome(outcome.task_id, TaskStatus.PENDING) for outcome in self.writer.outcomes)
        return [outcome.task_id for outcome in self.writer.outcomes]


@pytest.fixture
async def feeding(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[int], Feeding]]:
    monkeypatch.setattr(feeder_module, "_LONGEST_SLEEP_S", FOR_EVER_S)
    made: list[Feeding] = []

    def make(count: int) -> Feeding:
        made.append(Feeding(workshop.task(), count))
        return made[-1]

    yield make
    for each in made:
        each.work.cancel()
    await asyncio.gather(*(each.work for each in made), return_exceptions=True)


MakeFeeding = Callable[[int], Feeding]


async def test_every_task_is_taken_once_and_in_order(feeding: MakeFeeding) -> None:
    fed = feeding(100)
    fed.feeder.open(pilot_only=False)
    assert await fed.take(100) == list(range(100))
    await fed.settled()
    assert fed.feeder.at_rest and fed.feeder.next_due is None and fed.released() == []


async def test_nothing_is_claimed_before_it_is_opened_and_never_more_than_a_little_ahead(feeding: MakeFeeding) -> None:
    fed = feeding(1000)
    await fed.settled()
    assert fed.queue.claims == []
    fed.feeder.open(pilot_only=True)
    await fed.settled()
    assert fed.queue.claims == [(16, True)] and not fed.feeder.at_rest
    for taken in range(1, 200):
        await fed.take(1)
        await fed.settled()
        assert 16 // 2 < len(fed.queue.claimed) - taken <= 16 + 16 // 2


async def test_closing_gives_back_what_was_claimed_ahead_and_opening_goes_on(feeding: MakeFeeding) -> None:
    fed = feeding(40)
    fed.feeder.open(pilot_only=False)
    assert await fed.take(3) == [0, 1, 2]
    await fed.feeder.close()
    assert fed.released() == list(range(3, 16)) and fed.feeder.at_rest
    await fed.settled()
    assert fed.queue.claimed == list(range(16))
    fed.feeder.open(pilot_only=False)
    assert await fed.take(24) == list(range(16, 40))


async def test_a_claim_under_way_when_it_is_closed_is_given_back_too(feeding: MakeFeeding) -> None:
    fed = feeding(40)
    fed.queue.gate.clear()
    fed.feeder.open(pilot_only=False)
    waiting = asyncio.create_task(fed.feeder.take())
    await until(lambda: len(fed.queue.claims) == 1)
    await fed.feeder.close()
    assert not fed.feeder.at_rest and fed.released() == []
    fed.queue.gate.set()
    await until(lambda: fed.feeder.at_rest)
    await fed.settled()
    assert fed.released() == fed.queue.claimed == list(range(16)) and not waiting.done()
    waiting.cancel()


async def test_store_trouble_is_told_waited_out_and_forgotten(
    feeding: MakeFeeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeder_module, "_TROUBLE_SLEEP_S", 0.01)
    fed = feeding(3)
    fed.queue.trouble_left = 2
    fed.feeder.open(pilot_only=False)
    assert await fed.take(3) == [0, 1, 2]
    assert fed.queue.told[:3] == ["", "the disk is full", "the disk is full"] and fed.feeder.trouble == ""


async def test_store_trouble_does_not_make_it_hurry(feeding: MakeFeeding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder_module, "_TROUBLE_SLEEP_S", FOR_EVER_S)
    fed = feeding(3)
    fed.queue.trouble_left = 1
    fed.feeder.open(pilot_only=False)
    await fed.settled()
    assert len(fed.queue.claims) == 1 and fed.feeder.trouble == "the disk is full" and fed.feeder.at_rest


async def test_a_poke_and_a_retry_that_is_due_make_it_look_again(feeding: MakeFeeding) -> None:
    fed = feeding(0)
    fed.feeder.open(pilot_only=False)
    await fed.settled()
    assert len(fed.queue.claims) == 1 and fed.feeder.next_due is None
    fed.queue.left, fed.queue.due = [7], 1.0
    await fed.settled()
    assert len(fed.queue.claims) == 1
    fed.feeder.poke()
    assert await fed.take(1) == [7]
    # Its queue says that another one has been due for long: it looks again by itself.
    fed.queue.left = [8]
    assert await fed.take(1) == [8]


class Hands:
    """Work for a crew: each task holds its slot until it is let go."""

    def __init__(self, task: ClaimedTask) -> None:
        self._task = task
        self._waiting: asyncio.Queue[ClaimedTask] = asyncio.Queue()
        self.at_work: set[int] = set()
        self.cancelled: list[int] = []
        self.ended: list[int] = []
        self.let_go = asyncio.Event()
        self.crew = Crew(self._waiting.get, self.handle)

    def give(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._waiting.put_nowait(replace(self._task, id=number))

    async def handle(self, task: ClaimedTask) -> None:
        if task.id < 0:
            raise ZeroDivisionError("a fault of ours")
        self.at_work.add(task.id)
        try:
            await self.let_go.wait()
            self.ended.append(task.id)
        except asyncio.CancelledError:
            self.cancelled.append(task.id)
            raise
        finally:
            self.at_work.discard(task.id)

    async def settled(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
async def hands(workshop: Workshop) -> AsyncIterator[Hands]:
    made = Hands(workshop.task())
    yield made
    await made.crew.dismiss()


async def test_a_crew_grows_at_once_and_shrinks_after_the_present_tasks(hands: Hands) -> None:
    hands.give(range(20))
    hands.crew.resize(3)
    await until(lambda: hands.at_work == {0, 1, 2})
    hands.crew.resize(5)
    await until(lambda: hands.at_work == set(range(5)))
    hands.crew.resize(2)
    await hands.settled()
    assert hands.at_work == set(range(5)) and hands.cancelled == []
    hands.let_go.set()
    hands.let_go.clear()
    await until(lambda: len(hands.ended) == 5 and len(hands.at_work) == 2)
    await hands.settled()
    assert len(hands.at_work) == 2


async def test_idle_slots_beyond_the_size_end_at_once(hands: Hands) -> None:
    hands.crew.resize(4)
    await hands.settled()
    hands.crew.resize(1)
    hands.give(range(4))
    await until(lambda: bool(hands.at_work))
    await hands.settled()
    assert hands.at_work == {0}
    hands.crew.resize(2)
    await until(lambda: hands.at_work == {0, 1})


async def test_cancelling_ends_what_is_at_work_and_resize_fills_the_slots_again(hands: Hands) -> None:
    hands.give(range(2))
    hands.crew.resize(3)
    await until(lambda: hands.at_work == {0, 1})
    hands.crew.cancel_tasks_at_work()
    await until(lambda: not hands.at_work)
    assert sorted(hands.cancelled) == [0, 1] and hands.ended == [] and hands.crew.fault is None
    hands.give([9])
    await until(lambda: hands.at_work == {9})
    hands.crew.resize(3)
    hands.give(range(10, 15))
    await until(lambda: hands.at_work == {9, 10, 11})
    await hands.settled()
    assert hands.at_work == {9, 10, 11}


async def test_a_fault_of_ours_is_kept_and_the_other_slots_go_on(hands: Hands) -> None:
    hands.give([1, -1])
    hands.crew.resize(2)
    await until(lambda: hands.crew.fault is not None)
    assert isinstance(hands.crew.fault, ZeroDivisionError) and hands.at_work == {1}


async def test_dismissing_cancels_and_waits_for_all(hands: Hands) -> None:
    hands.give(range(2))
    hands.crew.resize(4)
    await until(lambda: hands.at_work == {0, 1})
    await hands.crew.dismiss()
    assert sorted(hands.cancelled) == [0, 1] and not hands.at_work
    hands.give(range(5, 9))
    await hands.settled()
    assert not hands.at_work
