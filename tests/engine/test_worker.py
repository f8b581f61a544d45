"""One task from the picture to its outcome: who pays for each failure, and nothing paid for is ever lost."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.engine.conftest import COST_NANO, GOOD, MakeWorkshop, Script, Workshop, answers, fails, until
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.endpoints.at_hand import PicturesAtHand
from vqa_tui.endpoints.client import Answer
from vqa_tui.engine import asking
from vqa_tui.engine.breaker import LEAST_OUTCOMES
from vqa_tui.engine.clock import steady_time
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.reading import read_pairs
from vqa_tui.engine.worker import Worker
from vqa_tui.store.inflight import read_flights
from vqa_tui.video.leave import PATIENCE_S, Leave

K = FailureKind


def made(outcome: TaskOutcome) -> AttemptRecord:
    assert outcome.attempt is not None
    return outcome.attempt


async def test_a_good_reply_is_stored_with_its_pairs_cost_and_text(workshop: Workshop) -> None:
    outcome = await workshop.outcome()
    assert (outcome.status, outcome.spends_attempt) == (TaskStatus.DONE, True)
    assert [(pair.question, pair.answer) for pair in outcome.pairs] == [("What is it?", "A red square.")]
    attempt = made(outcome)
    assert (attempt.kind, attempt.cost_nano, attempt.uncertain_nano) == ("ok", COST_NANO, 0)
    assert (attempt.raw_reply, attempt.key_name, attempt.request_id) == (GOOD, "a", "id-1")
    assert attempt.reserved_nano > 0 and workshop.budget.spent == COST_NANO
    assert [flight.task_id for flight in read_flights(workshop.journal_path) if flight.answered] == [7]


class Rule(NamedTuple):
    """What must follow from one kind of failure of a first attempt."""

    status: int | None
    final: bool
    spends: bool
    backs_off: bool
    uncertain: bool
    key: str = "ok"
    halts: bool = False


RULES = {
    K.RATE_LIMITED: Rule(429, False, False, False, False, "cooling"),
    K.QUOTA_EXHAUSTED: Rule(429, False, False, False, False, "parked"),
    K.AUTH: Rule(401, False, False, False, False, "off"),
    K.SERVER: Rule(500, False, True, True, False),
    K.NETWORK: Rule(None, False, True, True, True),
    K.TIMEOUT: Rule(None, False, True, True, True),
    K.BAD_REPLY: Rule(200, False, True, True, True),
    K.REFUSED: Rule(200, True, True, False, True),
    K.REJECTED: Rule(400, True, True, False, False),
    K.MODEL_NOT_FOUND: Rule(404, True, False, False, False, halts=True),
    K.BAD_IMAGE: Rule(None, True, False, False, False),
    K.LOST: Rule(None, False, False, False, True),
    K.CANCELLED: Rule(None, False, False, False, True),
}


@pytest.mark.parametrize("kind", list(FailureKind))
async def test_every_kind_of_failure_costs_whom_it_should(workshop: Workshop, kind: FailureKind) -> None:
    rule = RULES[kind]
    workshop.client.script = fails(kind, rule.status)
    before = steady_time()
    outcome = await workshop.outcome()
    attempt = made(outcome)
    assert outcome.status is (TaskStatus.FAILED if rule.final else TaskStatus.PENDING)
    assert outcome.spends_attempt is rule.spends
    if rule.backs_off:
        assert before + 0.2 <= outcome.not_before <= steady_time() + 2
    else:
        assert outcome.not_before == 0
    told = rule.final or rule.spends
    assert (outcome.kind, outcome.problem) == ((kind, "the problem") if told else (None, None))
    assert (attempt.kind, attempt.http_status, attempt.message, attempt.raw_reply) == (
        kind,
        rule.status,
        "the problem",
        "raw",
    )
    assert attempt.uncertain_nano == workshop.budget.uncertain == (attempt.reserved_nano if rule.uncertain else 0)
    assert attempt.cost_nano == workshop.budget.spent == 0 and attempt.reserved_nano > 0
    assert workshop.keyring.published()[0]["state"] == rule.key
    assert bool(workshop.told) == (rule.key in ("parked", "off"))
    assert bool(workshop.halts) == rule.halts


async def test_a_missing_model_halts_and_a_refused_key_is_told_in_words(workshop: Workshop) -> None:
    workshop.client.script = fails(K.MODEL_NOT_FOUND, 404)
    await workshop.outcome()
    assert workshop.halts == [Halt("the problem")]
    workshop.client.script = fails(K.AUTH, 401)
    await workshop.outcome()
    assert workshop.told == ["warning: key a is off: the problem"]


@pytest.mark.parametrize(
    ("script", "uncertain"),
    [
        (fails(K.NETWORK), True),
        (fails(K.NETWORK, never_sent=True), False),
        (fails(K.TIMEOUT, never_sent=True), False),
        (fails(K.SERVER, 500), False),
        (fails(K.SERVER, 503), False),
        (fails(K.SERVER, 502), True),
        (fails(K.SERVER, 504), True),
        (fails(K.SERVER, 524), True),
        (fails(K.RATE_LIMITED, 200), True),
        (answers(reported=False), True),
        (answers("no list", reported=False), True),
        (answers("no list"), False),
    ],
)
async def test_money_is_uncertain_where_a_model_may_have_worked_unreported(
    workshop: Workshop, script: Script, uncertain: bool
) -> None:
    workshop.client.script = script
    attempt = made(await workshop.outcome())
    assert attempt.uncertain_nano == workshop.budget.uncertain == (attempt.reserved_nano if uncertain else 0)


async def test_a_refusal_that_reports_its_usage_is_paid_and_certain(workshop: Workshop) -> None:
    workshop.client.script = fails(K.REFUSED, 200, usage=Usage(900, 30))
    attempt = made(await workshop.outcome())
    assert (attempt.cost_nano, attempt.uncertain_nano, attempt.usage) == (COST_NANO, 0, Usage(900, 30))
    assert (workshop.budget.spent, workshop.budget.uncertain) == (COST_NANO, 0)


async def test_what_was_never_sent_spends_no_attempt(workshop: Workshop) -> None:
    workshop.client.script = fails(K.NETWORK, never_sent=True)
    outcome = await workshop.outcome(workshop.task(spent=99))
    assert (outcome.status, outcome.spends_attempt) == (
        TaskStatus.PENDING,
        False,
    ) and outcome.not_before > steady_time()


@pytest.mark.parametrize("kind", [K.SERVER, K.NETWORK, K.TIMEOUT, K.BAD_REPLY])
async def test_the_last_allowed_attempt_is_final_and_a_raised_limit_counts_at_once(
    workshop: Workshop, kind: FailureKind
) -> None:
    workshop.client.script = fails(kind, RULES[kind].status)
    workshop.limits[0] = Limits(max_attempts=3)
    assert (await workshop.outcome(workshop.task(spent=1))).status is TaskStatus.PENDING
    last = await workshop.outcome(workshop.task(spent=2))
    assert (last.status, last.kind, last.problem, last.not_before) == (TaskStatus.FAILED, kind, "the problem", 0)
    workshop.limits[0] = Limits(max_attempts=4)
    assert (await workshop.outcome(workshop.task(spent=2))).status is TaskStatus.PENDING


async def test_backoff_never_is_shorter_than_what_the_endpoint_asks_nor_longer_than_a_minute(
    workshop: Workshop,
) -> None:
    workshop.limits[0] = Limits(max_attempts=100)
    workshop.client.script = fails(K.SERVER, 503, retry_after_s=500.0)
    before = steady_time()
    assert before + 500 <= (await workshop.outcome()).not_before <= steady_time() + 500
    workshop.client.script = fails(K.SERVER, 503)
    for _ in range(20):
        assert (await workshop.outcome(workshop.task(spent=50))).not_before <= steady_time() + 60


@pytest.mark.parametrize("text", [GOOD, GOOD + " " * 30_000], ids=["here", "in a thread"])
async def test_a_reply_that_breaks_its_reader_keeps_its_cost_and_text(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    def broken(*_arguments: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(asking, "read_pairs", broken)
    workshop.client.script = answers(text)
    outcome = await workshop.outcome()
    attempt = made(outcome)
    assert (outcome.status, outcome.kind, outcome.spends_attempt) == (TaskStatus.PENDING, K.BAD_REPLY, True)
    assert (attempt.raw_reply, attempt.cost_nano) == (text, COST_NANO) and "too deep" in attempt.message


async def test_whatever_a_client_raises_is_recorded_and_the_next_task_goes_on(workshop: Workshop) -> None:
    async def broken() -> Answer:
        raise ZeroDivisionError("a fault of the client")

    workshop.client.script = broken
    outcome = await workshop.outcome()
    attempt = made(outcome)
    assert (outcome.status, outcome.kind, outcome.spends_attempt) == (TaskStatus.PENDING, K.NETWORK, True)
    assert "a fault of the client" in attempt.message and attempt.uncertain_nano == attempt.reserved_nano > 0
    workshop.client.script = answers()
    assert (await workshop.outcome(workshop.task(number=8))).status is TaskStatus.DONE


async def test_a_cancelled_request_is_recorded_as_perhaps_billed_and_its_task_put_back(workshop: Workshop) -> None:
    asking = asyncio.Event()

    async def hang() -> Answer:
        asking.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")

    workshop.client.script = hang
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    await asyncio.wait_for(asking.wait(), 20)
    assert [(flight.task_id, flight.answered) for flight in read_flights(workshop.journal_path)] == [(7, False)]
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    outcome = workshop.only_outcome()
    attempt = made(outcome)
    assert (outcome.status, outcome.spends_attempt, outcome.kind) == (TaskStatus.PENDING, False, None)
    assert attempt.kind == K.CANCELLED and attempt.uncertain_nano == workshop.budget.uncertain > 0


async def test_a_long_reply_is_stored_although_its_worker_is_cancelled_while_it_is_read(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slowly(*arguments: Any) -> Any:
        reading.set()
        go_on.wait(10)
        return read_pairs(*arguments)

    monkeypatch.setattr("vqa_tui.engine.asking.read_pairs", slowly)
    workshop.client.script = answers(GOOD + " " * 30_000)
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    assert await asyncio.to_thread(reading.wait, 10)
    work.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await work
    outcome = workshop.only_outcome()
    assert outcome.status is TaskStatus.DONE and outcome.pairs
    assert made(outcome).cost_nano == workshop.budget.spent > 0


async def test_a_task_cancelled_before_it_is_asked_is_put_back_without_an_attempt(workshop: Workshop) -> None:
    workshop.bench = replace(workshop.bench, at_hand=PicturesAtHand(trusted=False))
    workshop.writer.healthy.clear()
    work = asyncio.create_task(Worker(workshop.bench).handle(workshop.task()))
    await until(lambda: workshop.bench.board.preparing == 1)
    await until(lambda: workshop.bench.board.preparing == 0)
    assert workshop.client.asked == []
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert workshop.only_outcome() == TaskOutcome(7, TaskStatus.PENDING)


def _damaged(root: Path) -> None:
    (root / "red.png").write_bytes(b"something else")


def _deleted(root: Path) -> None:
    (root / "red.png").unlink()


@pytest.mark.parametrize(("spoil", "words"), [(_damaged, "has changed since import"), (_deleted, "is missing")])
async def test_a_bad_picture_fails_without_an_attempt(
    workshop: Workshop, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(workshop.root)
    outcome = await workshop.outcome()
    assert (outcome.status, outcome.kind, outcome.attempt) == (TaskStatus.FAILED, K.BAD_IMAGE, None)
    assert outcome.problem and words in outcome.problem and workshop.client.asked == [] and not workshop.halts


class _Endless:
    """Reads videos that have no end."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def frames(self, _path: Path, _times: object, _side: object, *, leave: Leave) -> None:
        while True:
            self.begun.set()
            leave.require()


@pytest.mark.parametrize("how", ["pause", "cancel"])
async def test_a_video_without_end_holds_up_neither_a_pause_nor_the_end(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    reader = _Endless()
    monkeypatch.setattr("vqa_tui.endpoints.clips.video_reader", lambda: reader)
    clip = GroundTruth(clip=Clip(start_s=0, end_s=2))
    work = asyncio.create_task(
        Worker(workshop.bench).handle(replace(workshop.task(), item=replace(workshop.item, truth=clip)))
    )
    assert await asyncio.to_thread(reader.begun.wait, 10)
    if how == "pause":
        workshop.bench.gatekeeper.close()
        await work
    else:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert workshop.only_outcome() == TaskOutcome(7, TaskStatus.PENDING)
    # The only thread is free again.
    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(workshop.bench.threads, bool), 10)


class _Quick:
    """Reads videos, as long as there is leave."""

    def frames(self, _path: Path, times: Sequence[float], _side: object, *, leave: Leave) -> list[Image.Image]:
        leave.require()
        return [Image.new("RGB", (24, 16)) for _ in times]


async def test_the_time_of_a_video_runs_from_the_moment_when_a_thread_is_free(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("vqa_tui.video.leave.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("vqa_tui.endpoints.clips.video_reader", _Quick)
    free = threading.Event()
    workshop.bench.threads.submit(free.wait, 10)
    clip = GroundTruth(clip=Clip(start_s=0, end_s=2))
    work = asyncio.create_task(
        Worker(workshop.bench).handle(replace(workshop.task(), item=replace(workshop.item, truth=clip)))
    )
    await until(lambda: workshop.bench.board.preparing == 1)
    now[0] += PATIENCE_S + 1
    free.set()
    await work
    outcome = workshop.only_outcome()
    assert (outcome.status, outcome.problem) == (TaskStatus.DONE, None)


async def test_trouble_of_this_machine_puts_the_task_off_and_opens_the_breaker_in_the_end(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object, **_more: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", refused)
    before = steady_time()
    outcome = await workshop.outcome()
    assert (outcome.status, outcome.kind, outcome.attempt) == (TaskStatus.PENDING, None, None)
    assert before + 1 <= outcome.not_before <= steady_time() + 5
    for _ in range(LEAST_OUTCOMES):
        await workshop.outcome()
    assert "requests failed" in workshop.halts[0].reason


async def test_a_dataset_that_is_gone_halts_the_run_and_fails_nothing(workshop: Workshop) -> None:
    workshop.root.rename(workshop.root.with_name("away"))
    assert await workshop.outcome() == TaskOutcome(7, TaskStatus.PENDING)
    assert workshop.halts == [Halt(f"the folder of the dataset is gone: {workshop.root}")]


async def test_a_prompt_that_cannot_be_rendered_fails_its_task_without_an_attempt(make_workshop: MakeWorkshop) -> None:
    workshop = make_workshop("Is it a {{ places[0].label }}?")
    outcome = await workshop.outcome()
    assert (outcome.status, outcome.kind, outcome.attempt) == (TaskStatus.FAILED, K.REJECTED, None)
    assert outcome.problem and "its prompt cannot be rendered" in outcome.problem and workshop.client.asked == []


async def test_a_used_up_budget_and_the_last_key_halt_and_put_the_task_back(make_workshop: MakeWorkshop) -> None:
    poor = make_workshop(cap=5)
    assert await poor.outcome() == TaskOutcome(7, TaskStatus.PENDING)
    (halt,) = poor.halts
    # While others may be in flight nobody knows what is left.
    assert halt.by_budget and "is left for it" in halt.reason and poor.client.asked == []
    keyless = make_workshop()
    keyless.client.script = fails(K.AUTH, 401)
    await keyless.outcome()
    assert await keyless.outcome() == TaskOutcome(7, TaskStatus.PENDING)
    assert keyless.halts == [Halt("no key is left: a is off: the problem")] and len(keyless.client.asked) == 1


async def test_failures_that_count_open_the_breaker(workshop: Workshop) -> None:
    workshop.client.script = fails(K.SERVER, 500)
    for _ in range(LEAST_OUTCOMES):
        await workshop.outcome()
    assert workshop.halts == [
        Halt(f"{LEAST_OUTCOMES} of the last {LEAST_OUTCOMES} requests failed, 50 of them as server")
    ]
