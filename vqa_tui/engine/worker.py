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
from vqa_tui.domain.cost import Usage, to_dollars
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
_LONG_REPLY = 20_000
"""Characters above which a reply is read in a thread, so that the others go on meanwhile."""

_MAY_BE_BILLED = frozenset({200, 201, 202, 502, 504, 524})
"""HTTP statuses after which the model may have worked although no usage came back: success, and gateways giving up."""

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
            await bench.writer.healthy.wait()
            estimate = bench.estimator.request(
                task.item, prompt, max_side=self._max_side, max_tokens=bench.recipe.generation.max_tokens
            )
            admission = await bench.gatekeeper.admit(estimate.upper_bound_nano, estimate.size)
        except BadPicture as problem:
            return self._without_picture(task, problem)
        except VqaError as problem:
            self._note_failure(FailureKind.REJECTED)
            reason = f"its prompt cannot be rendered: {problem.message}"
            return TaskOutcome(task.id, TaskStatus.FAILED, kind=FailureKind.REJECTED, problem=reason)
        except NotNow:
            return released
        except NoKeyLeft as problem:
            bench.halt(Halt(problem.reason))
            return released
        except BudgetReached as reached:
            needed, left = to_dollars(reached.needed), to_dollars(reached.left)
            bench.halt(Halt(f"one more request may cost ${needed:.6f} and ${left:.6f} is left", by_budget=True))
            return released
        except asyncio.CancelledError:
            await bench.writer.submit(released)
            raise
        return await self._ask(task, bench.body.build(prompt.system, prompt.user, picture), admission)

    def _without_picture(self, task: ClaimedTask, problem: BadPicture) -> TaskOutcome:
        """Fail the task, unless it is this machine that is in trouble and not the picture."""
        bench = self._bench
        if not bench.dataset_root.is_dir():
            bench.halt(Halt(f"the folder of the dataset is gone: {bench.dataset_root}"))
            return TaskOutcome(task.id, TaskStatus.PENDING)
        if problem.passing:
            self._note_failure(FailureKind.BAD_IMAGE)
            return TaskOutcome(task.id, TaskStatus.PENDING, not_before=time.time() + random.uniform(1, 5))
        return TaskOutcome(task.id, TaskStatus.FAILED, kind=FailureKind.BAD_IMAGE, problem=problem.reason)

    def _prompt(self, task: ClaimedTask) -> RenderedPrompt:
        if task.last_kind == FailureKind.BAD_REPLY and task.last_problem:
            return self._bench.template.render_repair(task.item, task.last_problem)
        return self._bench.template.render(task.item)

    @property
    def _max_side(self) -> int | None:
        """The longest side in pixels at which pictures are sent now; None is as they are."""
        wanted = self._bench.limits().max_side
        if wanted is None:
            return self._bench.recipe.picture.max_side
        return wanted if isinstance(wanted, int) else None

    async def _prepare(self, task: ClaimedTask) -> PreparedPicture:
        bench = self._bench
        rules, limits, max_side = bench.recipe.picture, bench.endpoint.picture, self._max_side
        bench.board.preparing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                bench.threads,
                lambda: prepare_picture(
                    bench.dataset_root / task.item.path,
                    task.item.facts,
                    max_side=max_side,
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
        except Exception as fault:
            # Whatever a client may raise, the request may have been paid for: it is recorded, and the run goes on.
            log.exception("a request could not be made")
            failed = AskFailed(Failure(FailureKind.NETWORK, f"the request could not be made: {fault!r}"))
        finally:
            bench.board.asking -= 1
        if failed is not None:
            return self._failed(task, admission, started, failed)
        if len(answer.text) <= _LONG_REPLY:
            return await self._answered(task, admission, started, answer)
        answered = asyncio.ensure_future(self._answered(task, admission, started, answer))
        try:
            return await asyncio.shield(answered)
        except asyncio.CancelledError:
            # The reply is here and paid for: it is read and stored before this worker goes.
            await bench.writer.submit(await answered)
            raise

    def _cancelled(self, task: ClaimedTask, admission: Admission, started: float) -> TaskOutcome:
        bench = self._bench
        self._settle(task, admission, 0, admission.reserved)
        bench.gatekeeper.keyring.used(admission.loan, None)
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
        may_be_billed = policy.may_be_billed or failed.http_status in _MAY_BE_BILLED
        unbilled = failed.usage is not None or failure.never_sent or not may_be_billed
        uncertain = 0 if unbilled else admission.reserved
        self._settle(task, admission, cost, uncertain)
        if told := bench.gatekeeper.keyring.used(
            admission.loan, failure, usage=failed.usage, allowances=failed.allowances
        ):
            bench.tell("warning", told)
        if policy.counts_for_breaker:
            self._note_failure(failure.kind)
        if policy.pauses_run:
            bench.halt(Halt(failure.message))
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
            reserved_nano=admission.reserved,
            request_id=failed.request_id,
            raw_reply=failed.raw_body or None,
        )
        return self._after_failure(task, failure, attempt)

    async def _answered(self, task: ClaimedTask, admission: Admission, started: float, answer: Answer) -> TaskOutcome:
        bench = self._bench
        cost = self._cost(answer.usage)
        # Without a usage report the price is not known: what was set aside may have been billed.
        uncertain = 0 if answer.usage_reported or self._prices is None else admission.reserved
        self._settle(task, admission, cost, uncertain)
        usage = answer.usage if answer.usage_reported else None
        bench.gatekeeper.keyring.used(admission.loan, None, usage=usage, allowances=answer.allowances)
        bench.board.latencies_ms.append(answer.latency_ms)
        pairs, problem = await self._read(task, answer)
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
            reserved_nano=admission.reserved,
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

    async def _read(self, task: ClaimedTask, answer: Answer) -> tuple[tuple[Pair, ...], str]:
        """Return the pairs of a reply and '', or no pairs and what is wrong with it."""
        arguments = (self._bench.recipe, task.item, answer.text, answer.finish_reason)
        try:
            if len(answer.text) <= _LONG_REPLY:
                return read_pairs(*arguments), ""
            return await asyncio.get_running_loop().run_in_executor(self._bench.threads, read_pairs, *arguments), ""
        except UnreadableReply as unreadable:
            return (), unreadable.reason
        except Exception as fault:
            # The reply is paid for: whatever it does to our reader, it is kept and its task fails alone.
            log.exception("a reply broke its reader")
            return (), f"a fault of the program while reading it: {fault!r}"

    def _after_failure(self, task: ClaimedTask, failure: Failure, attempt: AttemptRecord) -> TaskOutcome:
        policy = POLICY[failure.kind]
        spends = policy.spends_attempt and not failure.never_sent
        spent = task.attempts_spent + spends
        final = policy.final or (spends and spent >= self._bench.limits().max_attempts)
        backoff = random.uniform(0.2, min(2.0**spent, LONGEST_BACKOFF_S)) if policy.spends_attempt else 0.0
        if policy.spends_attempt and failure.retry_after_s is not None:
            backoff = max(backoff, failure.retry_after_s)
        told = final or policy.spends_attempt
        return TaskOutcome(
            task.id,
            TaskStatus.FAILED if final else TaskStatus.PENDING,
            attempt,
            spends_attempt=spends,
            not_before=time.time() + backoff if backoff and not final else 0.0,
            # A key that had to wait says nothing about the task: what was wrong with it before still stands.
            kind=failure.kind if told else None,
            problem=failure.message if told else None,
        )

    def _note_failure(self, kind: FailureKind) -> None:
        breaker = self._bench.breaker
        breaker.note(kind)
        if verdict := breaker.verdict():
            self._bench.halt(Halt(verdict))

    def _settle(self, task: ClaimedTask, admission: Admission, cost: int, uncertain: int) -> None:
        # The journal first: after a kill it must not claim more money than the budget would.
        self._bench.journal.answer(task.id, cost + uncertain)
        self._bench.gatekeeper.settle(admission, actual=cost, uncertain=uncertain)

    def _cost(self, usage: Usage) -> int:
        return self._prices.cost_nano(usage) if self._prices else 0
