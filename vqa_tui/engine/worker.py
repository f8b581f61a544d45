"""One task from the picture to its outcome: prepare, be admitted, ask, read, judge."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate, RenderedPrompt
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import POLICY, Failure, FailureKind, VqaError
from vqa_tui.domain.reply import UnreadableReply
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import AttemptRecord, ClaimedTask, Flight, TaskOutcome
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.client import Answer, AskFailed, VisionClient
from vqa_tui.endpoints.pictures import BadPicture, PreparedPicture, prepare_picture
from vqa_tui.engine.admission import Admission, BudgetReached, Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.breaker import Breaker
from vqa_tui.engine.estimate import Estimator, prices_of
from vqa_tui.engine.keyring import NoKeyLeft, NotNow
from vqa_tui.engine.reading import read_pairs
from vqa_tui.engine.writer import Writer
from vqa_tui.store.inflight import FlightJournal

LONGEST_BACKOFF_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the run should pause itself."""

    reason: str
    by_budget: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """What every worker of a run shares."""

    recipe: Recipe
    endpoint: Endpoint
    dataset_root: Path
    template: PromptTemplate
    estimator: Estimator
    body: RequestBody
    client: VisionClient
    gatekeeper: Gatekeeper
    breaker: Breaker
    board: Board
    journal: FlightJournal
    writer: Writer
    threads: Executor
    limits: Callable[[], Limits]
    halt: Callable[[Halt], None]
    tell: Callable[[str, str], None]
    """Record an event: level and message."""


class Worker:
    """Works off tasks one at a time; many run side by side."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._prices = prices_of(bench.endpoint)

    async def handle(self, task: ClaimedTask) -> None:
        """Work off one leased task. Whatever happens, an outcome is handed to the writer."""
        bench = self._bench
        bench.board.busy += 1
        try:
            outcome = await self._outcome(task)
            await bench.writer.submit(outcome)
        finally:
            bench.board.busy -= 1

    async def _outcome(self, task: ClaimedTask) -> TaskOutcome:
        bench = self._bench
        released = TaskOutcome(task.id, TaskStatus.PENDING)
        try:
            prompt = self._prompt(task)
            picture = await self._prepare(task)
        except BadPicture as problem:
            return TaskOutcome(task.id, TaskStatus.FAILED, kind=FailureKind.BAD_IMAGE, problem=problem.reason)
        except VqaError as problem:
            bench.halt(Halt(f"the prompt of {task.item.key} cannot be rendered: {problem.message}"))
            return released
        except asyncio.CancelledError:
            await bench.writer.submit(released)
            raise
        try:
            admission = await bench.gatekeeper.admit(bench.estimator.upper_bound_nano(task.item, prompt))
        except NotNow:
            return released
        except NoKeyLeft as problem:
            bench.halt(Halt(problem.reason))
            return released
        except BudgetReached:
            bench.halt(Halt("the budget is reached", by_budget=True))
            return released
        except asyncio.CancelledError:
            await bench.writer.submit(released)
            raise
        return await self._ask(task, bench.body.build(prompt.system, prompt.user, picture), admission)

    def _prompt(self, task: ClaimedTask) -> RenderedPrompt:
        if task.last_kind == FailureKind.BAD_REPLY and task.last_problem:
            return self._bench.template.render_repair(task.item, task.last_problem)
        return self._bench.template.render(task.item)

    async def _prepare(self, task: ClaimedTask) -> PreparedPicture:
        bench = self._bench
        rules, limits = bench.recipe.picture, bench.endpoint.picture
        bench.board.preparing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                bench.threads,
                lambda: prepare_picture(
                    bench.dataset_root / task.item.path,
                    task.item.facts,
                    max_side=rules.max_side,
                    jpeg_quality=rules.jpeg_quality,
                    max_bytes=limits.max_bytes,
                    formats=limits.formats,
                ),
            )
        finally:
            bench.board.preparing -= 1

    async def _ask(self, task: ClaimedTask, body: bytes, admission: Admission) -> TaskOutcome:
        bench = self._bench
        key = admission.loan.key
        started = time.time()
        bench.journal.enter(Flight(task.id, started, admission.reserved, key.name))
        bench.board.asking += 1
        failed: AskFailed | None = None
        try:
            answer = await bench.client.ask(body, key.value)
        except AskFailed as error:
            failed = error
        except asyncio.CancelledError:
            await bench.writer.submit(self._cancelled(task, admission, started))
            raise
        finally:
            bench.board.asking -= 1
            bench.journal.answer(task.id)
        if failed is not None:
            return self._failed(task, admission, started, failed)
        return self._answered(task, admission, started, answer)

    def _cancelled(self, task: ClaimedTask, admission: Admission, started: float) -> TaskOutcome:
        bench = self._bench
        bench.gatekeeper.settle(admission, actual=0, uncertain=admission.reserved)
        bench.gatekeeper.keyring.used(admission.loan.key, None)
        attempt = AttemptRecord(
            key_name=admission.loan.key.name,
            started_at=started,
            latency_ms=(time.time() - started) * 1000,
            kind=FailureKind.CANCELLED,
            message=POLICY[FailureKind.CANCELLED].in_words,
            uncertain_nano=admission.reserved,
        )
        return TaskOutcome(task.id, TaskStatus.PENDING, attempt)

    def _failed(self, task: ClaimedTask, admission: Admission, started: float, failed: AskFailed) -> TaskOutcome:
        bench, failure = self._bench, failed.failure
        policy = POLICY[failure.kind]
        cost = self._cost(failed.usage or Usage())
        unbilled = failed.usage is not None or failure.never_sent or not policy.may_be_billed
        uncertain = 0 if unbilled else admission.reserved
        bench.gatekeeper.settle(admission, actual=cost, uncertain=uncertain)
        if told := bench.gatekeeper.keyring.used(admission.loan.key, failure):
            bench.tell("warning", told)
        if policy.counts_for_breaker:
            self._note_failure(failure.kind)
        if policy.pauses_run:
            bench.halt(Halt(f"{policy.in_words}: {failure.message}"))
        attempt = AttemptRecord(
            key_name=admission.loan.key.name,
            started_at=started,
            latency_ms=failed.latency_ms,
            kind=failure.kind,
            http_status=failed.http_status,
            message=failure.message,
            usage=failed.usage or Usage(),
            cost_nano=cost,
            uncertain_nano=uncertain,
            request_id=failed.request_id,
            raw_reply=failed.raw_body or None,
        )
        return self._after_failure(task, failure, attempt)

    def _answered(self, task: ClaimedTask, admission: Admission, started: float, answer: Answer) -> TaskOutcome:
        bench = self._bench
        cost = self._cost(answer.usage)
        # Without a usage report the price is not known: what was set aside may have been billed.
        uncertain = 0 if answer.usage_reported or self._prices is None else admission.reserved
        bench.gatekeeper.settle(admission, actual=cost, uncertain=uncertain)
        bench.gatekeeper.keyring.used(admission.loan.key, None)
        bench.board.latencies_ms.append(answer.latency_ms)
        problem = ""
        pairs: tuple[Pair, ...] = ()
        try:
            pairs = read_pairs(bench.recipe, task.item, answer.text, answer.finish_reason)
        except UnreadableReply as unreadable:
            problem = unreadable.reason
        attempt = AttemptRecord(
            key_name=admission.loan.key.name,
            started_at=started,
            latency_ms=answer.latency_ms,
            kind=FailureKind.BAD_REPLY if problem else "ok",
            http_status=answer.http_status,
            message=problem,
            usage=answer.usage,
            cost_nano=cost,
            uncertain_nano=uncertain,
            finish_reason=answer.finish_reason,
            model=answer.model,
            request_id=answer.request_id,
            raw_reply=answer.text,
        )
        if problem:
            self._note_failure(FailureKind.BAD_REPLY)
            return self._after_failure(task, Failure(FailureKind.BAD_REPLY, problem), attempt)
        bench.breaker.note("")
        return TaskOutcome(task.id, TaskStatus.DONE, attempt, spends_attempt=True, pairs=pairs)

    def _after_failure(self, task: ClaimedTask, failure: Failure, attempt: AttemptRecord) -> TaskOutcome:
        policy = POLICY[failure.kind]
        spends = policy.spends_attempt and not failure.never_sent
        spent = task.attempts_spent + spends
        final = policy.final or (spends and spent >= self._bench.limits().max_attempts)
        key_is_to_blame = not policy.spends_attempt
        backoff = 0.0 if final or key_is_to_blame else random.uniform(0.2, min(2.0**spent, LONGEST_BACKOFF_S))
        return TaskOutcome(
            task.id,
            TaskStatus.FAILED if final else TaskStatus.PENDING,
            attempt,
            spends_attempt=spends,
            not_before=time.time() + backoff if backoff else 0.0,
            kind=failure.kind,
            problem=failure.message,
        )

    def _note_failure(self, kind: FailureKind) -> None:
        breaker = self._bench.breaker
        breaker.note(kind)
        if verdict := breaker.verdict():
            self._bench.halt(Halt(verdict))

    def _cost(self, usage: Usage) -> int:
        return self._prices.cost_nano(usage) if self._prices else 0
