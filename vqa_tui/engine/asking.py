"""One request, from its admission to its record: sent, settled with money and key, and read."""

import asyncio
import logging
import re
import time
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from vqa_tui.config.google_tokens import TokenTrouble
from vqa_tui.domain.changes import UNCHANGED, TaskChanges
from vqa_tui.domain.cost import Usage, to_dollars
from vqa_tui.domain.failure import POLICY, Failure, FailureKind
from vqa_tui.domain.part import with_part
from vqa_tui.domain.reply import UnreadableReply
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.domain.work import AttemptRecord, ClaimedTask, Flight, Purpose
from vqa_tui.endpoints.client import Answer, AskFailed
from vqa_tui.engine.admission import Admission
from vqa_tui.engine.bench import Bench
from vqa_tui.engine.clock import elapsed_time
from vqa_tui.engine.estimate import RequestEstimate, prices_of
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.outcomes import deserves_longer
from vqa_tui.engine.quota_group import Key
from vqa_tui.engine.reading import WHOLE_KINDS, read_pairs

_LONG_REPLY = 20_000
"""Characters above which a reply is read in a thread, so that the others go on meanwhile."""

_MAY_BE_BILLED = frozenset({200, 201, 202, 502, 504, 524})
"""HTTP statuses after which the model may have worked although no usage came back: success, and gateways giving up."""

_SCHEMA_WORDS = re.compile(r"response_?format|json_?schema|structured.outputs?|guided.(?:decoding|json)", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it is sent, however often."""

    task: ClaimedTask
    purpose: Purpose
    body: bytes
    estimate: RequestEstimate
    changes: TaskChanges = UNCHANGED
    """What it asks with otherwise than recipe and limits say."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a request ended: with pairs, or with a failure."""

    attempt: AttemptRecord
    failure: Failure | None = None
    pairs: tuple[Pair, ...] = ()
    spared: bool = False
    """Whether the failure has nothing to do with the task: the endpoint was gone, or the computer slept."""
    again: bool = False
    """Whether the endpoint refused nothing but the JSON schema, which is left out when the task is asked again."""
    cancelled: bool = False
    """Whether the one who asked was cancelled meanwhile; he must end, with this in the store."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request under way."""

    question: Question
    admission: Admission
    purpose: Purpose
    probe: bool
    flight: int
    started_at: float
    """Unix time."""
    clock: float
    """The same moment of elapsed_time."""


class Asker:
    """Sends requests. Whatever happens to one, its money is settled, its key is back, and a record of it exists."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._prices = prices_of(bench.endpoint)

    async def ask(
        self, question: Question, admission: Admission, *, probe: bool = False, purpose: Purpose | None = None
    ) -> Asked:
        """Send a request and return how it ended; never raises, not even when cancelled, for it may have been paid.

        `probe`: it holds the turn of the outage. `purpose` replaces that of the question in the record.
        """
        bench = self._bench
        started = time.time()
        loan = admission.loan
        flight = bench.journal.enter(
            Flight(question.task.id, started, admission.reserved, loan.key.name, size=loan.expected)
        )
        sent = _Sent(question, admission, purpose or question.purpose, probe, flight, started, elapsed_time())
        if probe:
            bench.outage.probe_sent()
        bench.board.asking += 1
        bench.board.sent_bytes += len(question.body)
        failed: AskFailed | None = None
        try:
            answer = await bench.client.ask(question.body, await _value_of(admission.loan.key))
        except AskFailed as error:
            # Its traceback would keep this frame, and with it the request, alive until the next garbage collection.
            failed = error.with_traceback(None)
        except asyncio.CancelledError:
            return self._cancelled(sent)
        except Exception as fault:
            # Whatever a client may raise, the request may have been paid for: it is recorded, and the run goes on.
            log.exception("a request could not be made")
            failed = AskFailed(Failure(FailureKind.NETWORK, f"the request could not be made: {fault!r}"))
        finally:
            bench.board.asking -= 1
        return self._failed(sent, failed) if failed is not None else await self._answered(sent, answer)

    def _cancelled(self, sent: _Sent) -> Asked:
        bench, reserved = self._bench, sent.admission.reserved
        self._settle(sent, 0, reserved, answered=False)
        failure = Failure(FailureKind.CANCELLED, POLICY[FailureKind.CANCELLED].in_words)
        bench.gatekeeper.keyring.used(sent.admission.loan, failure)
        if sent.probe:
            bench.outage.pass_on()
        attempt = AttemptRecord(
            key_name=sent.admission.loan.key.name,
            started_at=sent.started_at,
            latency_ms=(elapsed_time() - sent.clock) * 1000,
            kind=failure.kind,
            message=failure.message,
            uncertain_nano=reserved,
            reserved_nano=reserved,
            purpose=sent.purpose,
            question=sent.question.purpose,
            bound_nano=sent.question.estimate.upper_bound_nano,
            expected=sent.admission.loan.expected,
            changes=sent.question.changes,
            flight=sent.flight,
        )
        return Asked(attempt, failure, cancelled=True)

    def _failed(self, sent: _Sent, failed: AskFailed) -> Asked:
        bench, failure = self._bench, failed.failure
        policy = POLICY[failure.kind]
        cost = self._cost(failed.usage or Usage())
        may_be_billed = policy.may_be_billed or failed.http_status in _MAY_BE_BILLED
        unbilled = failed.usage is not None or failure.never_sent or not may_be_billed
        reserved = sent.admission.reserved
        uncertain = 0 if unbilled else reserved
        self._settle(sent, cost, uncertain, answered=failed.usage is not None)
        if told := bench.gatekeeper.keyring.used(
            sent.admission.loan, failure, usage=failed.usage, allowances=failed.allowances
        ):
            bench.tell("warning", told)
        was_gone = bench.outage.active
        spared, slept = self._spared(sent, failure)
        again = self._refused_schema(sent, failed)
        if policy.counts_for_breaker and not again and not slept and not (was_gone and spared):
            bench.note_failure(failure.kind)
        if policy.pauses_run and not again:
            bench.halt(Halt(failure.message))
        attempt = AttemptRecord(
            key_name=sent.admission.loan.key.name,
            started_at=sent.started_at,
            latency_ms=failed.latency_ms,
            kind=failure.kind,
            http_status=failed.http_status,
            message=failure.message,
            usage=failed.usage or Usage(),
            cost_nano=cost,
            uncertain_nano=uncertain,
            reserved_nano=reserved,
            finish_reason=failed.finish_reason,
            request_id=failed.request_id,
            raw_reply=failed.raw_body or None,
            purpose=sent.purpose,
            question=sent.question.purpose,
            bound_nano=sent.question.estimate.upper_bound_nano,
            estimated_input_tokens=sent.question.estimate.size.input_tokens if failed.usage else 0,
            expected=sent.admission.loan.expected,
            never_sent=failure.never_sent,
            changes=sent.question.changes,
            flight=sent.flight,
        )
        return Asked(attempt, failure, spared=spared, again=again)

    def _refused_schema(self, sent: _Sent, failed: AskFailed) -> bool:
        """Tell whether the endpoint refused the JSON schema of the reply; if so, it is left out from here on."""
        body = self._bench.body_of(sent.question.task.part)
        if failed.http_status not in (400, 422) or not body.asks_for_schema(sent.question.body):
            return False
        if not _SCHEMA_WORDS.search(f"{failed.failure.message}\n{failed.raw_body}"):
            return False
        if any([each.leave_schema_out() for each in self._bench.bodies]):
            self._bench.tell(
                "warning",
                "the endpoint takes no JSON schema for its replies: it is asked without; `json_schema: false` in its "
                "file spares the refused requests",
            )
        return True

    def _spared(self, sent: _Sent, failure: Failure) -> tuple[bool, bool]:
        """Tell the outage how the request ended; return whether the task is spared, and whether it is because the
        computer slept."""
        bench = self._bench
        connection_lost = failure.kind in (FailureKind.NETWORK, FailureKind.TIMEOUT) and not failure.never_sent
        if connection_lost and bench.standstill.fell_into(sent.clock):
            if sent.probe:
                bench.outage.pass_on()
            return True, True
        return bench.outage.missed(sent.question.task.id, failure, probe=sent.probe), False

    async def _answered(self, sent: _Sent, answer: Answer) -> Asked:
        bench = self._bench
        cost, reserved = self._cost(answer.usage), sent.admission.reserved
        # Without a usage report the price is not known: what was set aside may have been billed.
        uncertain = 0 if answer.usage_reported or self._prices is None else reserved
        self._settle(sent, cost, uncertain, answered=True)
        usage = answer.usage if answer.usage_reported else None
        bench.gatekeeper.keyring.used(sent.admission.loan, None, usage=usage, allowances=answer.allowances)
        bench.outage.reached()
        bench.board.latencies_ms.append(answer.latency_ms)
        pairs, problem, cancelled = await self._read(sent, answer)
        attempt = AttemptRecord(
            key_name=sent.admission.loan.key.name,
            started_at=sent.started_at,
            latency_ms=answer.latency_ms,
            kind=FailureKind.BAD_REPLY if problem else "ok",
            http_status=answer.http_status,
            message=problem,
            usage=answer.usage,
            cost_nano=cost,
            uncertain_nano=uncertain,
            reserved_nano=reserved,
            finish_reason=answer.finish_reason,
            model=answer.model,
            request_id=answer.request_id,
            raw_reply=answer.text,
            purpose=sent.purpose,
            question=sent.question.purpose,
            bound_nano=sent.question.estimate.upper_bound_nano,
            estimated_input_tokens=sent.question.estimate.size.input_tokens if answer.usage_reported else 0,
            expected=sent.admission.loan.expected,
            changes=sent.question.changes,
            flight=sent.flight,
        )
        if problem:
            bench.note_failure(FailureKind.BAD_REPLY)
            return Asked(attempt, Failure(FailureKind.BAD_REPLY, problem), cancelled=cancelled)
        bench.breaker.note("")
        return Asked(attempt, pairs=pairs, cancelled=cancelled)

    async def _read(self, sent: _Sent, answer: Answer) -> tuple[tuple[Pair, ...], str, bool]:
        """Return the pairs of a reply and '', or no pairs and what is wrong with it; and whether we were cancelled."""
        if len(answer.text) <= _LONG_REPLY:
            return *self._understand(sent, answer), False
        reading = asyncio.get_running_loop().run_in_executor(self._bench.threads, self._understand, sent, answer)
        # The reply is here and paid for: it is read to its end even if this worker has to go.
        cancelled = await _wait_for(reading)
        return *reading.result(), cancelled

    def _understand(self, sent: _Sent, answer: Answer) -> tuple[tuple[Pair, ...], str]:
        task = sent.question.task
        recipe = self._bench.template.recipe_of(task.part)
        try:
            texts = self._bench.template.reply_texts(task.item, task.part)
            pairs = read_pairs(recipe, task.item, answer.text, answer.finish_reason, texts)
        except UnreadableReply as unreadable:
            return (), unreadable.reason
        except Exception as fault:
            # The reply is paid for: whatever it does to our reader, it is kept and its task fails alone.
            log.exception("a reply broke its reader")
            return (), f"a fault of the program while reading it: {fault!r}"
        whole_is_cut = recipe.reply.kind in WHOLE_KINDS and SampleFlag.CUT_REPLY in pairs[0].flags
        most = self._bench.limits().max_attempts
        if whole_is_cut and deserves_longer(task, sent.question.purpose, recipe, max_attempts=most):
            return (), "the reply was cut off in the middle of its text"
        return pairs, ""

    def _settle(self, sent: _Sent, cost: int, uncertain: int, *, answered: bool) -> None:
        # The journal first: after a kill it must not claim more money than the budget would.
        self._bench.journal.answer(sent.flight, cost + uncertain)
        set_aside = sent.admission.reserved
        settled = self._bench.gatekeeper.settle(sent.admission, actual=cost, uncertain=uncertain, answered=answered)
        if not settled:
            task = sent.question.task
            self._bench.tell(
                "warning",
                f"{with_part(task.item.key, task.part)}: the endpoint reports usage of ${to_dollars(cost):.4f}, "
                f"{cost // set_aside:,} times the most that was expected; booked, and no other estimate is raised",
            )

    def _cost(self, usage: Usage) -> int:
        return self._prices.cost_nano(usage) if self._prices else 0


async def _value_of(key: Key) -> SecretStr:
    """Return the value of `key` at this moment. Raises AskFailed where it changes and no new one can be had."""
    if key.fresh is None:
        return key.value
    try:
        return await key.fresh()
    except TokenTrouble as trouble:
        kind = FailureKind.NETWORK if trouble.passing else FailureKind.AUTH
        failure = Failure(kind, trouble.message, never_sent=True)
    raise AskFailed(failure)


async def _wait_for(future: "asyncio.Future[Any]") -> bool:
    """Wait until it has ended, even when cancelled meanwhile; return whether we were."""
    cancelled = False
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
