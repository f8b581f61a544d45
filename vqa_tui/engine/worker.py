"""One task from the picture to its outcome: prepare, be admitted, ask, judge."""

import asyncio
import random
import threading
from dataclasses import dataclass, replace

from vqa_tui.config.templates import LacksTruth, RenderedPrompt
from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.domain.part import unit
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import ClaimedTask, Purpose, TaskOutcome
from vqa_tui.endpoints.pictures import BadPicture
from vqa_tui.engine.admission import Admission, BudgetReached
from vqa_tui.engine.asking import Asked, Asker, Question
from vqa_tui.engine.bench import Bench
from vqa_tui.engine.clock import steady_time
from vqa_tui.engine.estimate import RequestEstimate
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.hedging import Patience, Race
from vqa_tui.engine.keyring import NoKeyLeft, NotNow
from vqa_tui.engine.outcomes import after_failure, after_rate_limit, after_reply, max_tokens_for, next_purpose
from vqa_tui.engine.shown import media_of
from vqa_tui.engine.turned_away import TurnedAway
from vqa_tui.video.leave import CalledOff, Leave


@dataclass(frozen=True, slots=True)
class _Admitted:
    """Leave to ask: `probe` tells whether it is the one try that an outage allows."""

    question: Question
    admission: Admission
    probe: bool


class Worker:
    """Works off tasks one at a time; many run side by side."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._asker = Asker(bench)
        self._patience = Patience(bench.board)
        self._turned_away = TurnedAway(unit(in_parts=bench.recipe.in_parts))

    async def handle(self, task: ClaimedTask) -> None:
        """Work off one leased task. Whatever happens, an outcome is handed to the writer."""
        bench = self._bench
        bench.board.busy += 1
        try:
            ready = await self._admitted(task)
            if isinstance(ready, TaskOutcome):
                await bench.writer.submit(ready)
            elif bench.may_hedge():
                await self._race(task, ready)
            else:
                asked = await self._asker.ask(ready.question, ready.admission, probe=ready.probe)
                await bench.writer.submit(self._outcome(task, asked))
                if asked.cancelled:
                    raise asyncio.CancelledError
        finally:
            bench.board.busy -= 1

    async def _race(self, task: ClaimedTask, ready: _Admitted) -> None:
        race = Race(self._bench, self._asker, self._patience, ready.question)
        decided = await race.decided(ready.admission, probe=ready.probe)
        outcome = self._outcome(task, *decided) if decided else TaskOutcome(task.id, TaskStatus.PENDING)
        try:
            await self._bench.writer.submit(outcome)
        except asyncio.CancelledError:
            race.cancel()
            raise
        finally:
            # Even where the writer has no room and this worker has to go: the second request may have been paid.
            if (late := await race.straggler()) is not None:
                alone = TaskOutcome(task.id, TaskStatus.DONE, late.attempt, attempt_alone=True)
                await self._bench.writer.submit(alone)
        if race.cancelled:
            raise asyncio.CancelledError

    def _outcome(self, task: ClaimedTask, asked: Asked, other: Asked | None = None) -> TaskOutcome:
        hedge = other.attempt if other is not None else None
        if asked.failure is None:
            self._turned_away.answered(task.id)
            return after_reply(task, asked.attempt, asked.pairs, hedge)
        if asked.again:
            return TaskOutcome(task.id, TaskStatus.PENDING, asked.attempt, hedge=hedge)
        if asked.failure.kind is FailureKind.RATE_LIMITED:
            verdict = self._turned_away.rate_limited(task.id)
            if verdict.notice:
                self._bench.tell("warning", verdict.notice)
            return after_rate_limit(task, asked.attempt, hedge, wait_s=verdict.wait_s, given_up=verdict.given_up)
        return after_failure(
            task,
            asked.failure,
            asked.attempt,
            hedge,
            spared=asked.spared,
            recipe=self._bench.recipe,
            max_attempts=self._bench.limits().max_attempts,
        )

    async def _admitted(self, task: ClaimedTask) -> _Admitted | TaskOutcome:
        """Make all ready and wait for leave to ask; an outcome when it does not come to that."""
        bench = self._bench
        released = TaskOutcome(task.id, TaskStatus.PENDING)
        purpose = next_purpose(task, bench.recipe)
        most = max_tokens_for(task, purpose, bench.recipe.generation)
        # A person may change it at any moment: the estimate is of the picture that is sent.
        max_side = bench.endpoint.picture.side(task.changes.side(self._max_side))
        try:
            prompt = self._prompt(task, purpose)
            other = most if most != bench.recipe.generation.max_tokens else None
            body = await self._prepare(task, prompt, max_side, other)
            await bench.writer.healthy.wait()
            estimate = bench.estimator.request(task.item, prompt, max_side=max_side, max_tokens=most)
            admission, probe = await self._admission(estimate)
        except BadPicture as problem:
            return self._without_picture(task, problem)
        except VqaError as problem:
            if not isinstance(problem, LacksTruth):
                bench.note_failure(FailureKind.REJECTED)
            reason = f"its prompt cannot be rendered: {problem.message}"
            return TaskOutcome(task.id, TaskStatus.FAILED, kind=FailureKind.REJECTED, problem=reason)
        except (NotNow, CalledOff):
            return released
        except NoKeyLeft as problem:
            bench.halt(Halt(problem.reason))
            return released
        except BudgetReached as reached:
            # What is left is not said yet: requests in flight take from it until they have settled.
            needed = to_dollars(reached.needed)
            bench.halt(Halt(f"one more request may cost ${needed:.6f}, and no room is left for it", by_budget=True))
            return released
        except asyncio.CancelledError:
            await bench.writer.submit(released)
            raise
        told = task.changes if most == task.changes.max_tokens else replace(task.changes, max_tokens=None)
        return _Admitted(Question(task, purpose, body, estimate, told), admission, probe)

    async def _admission(self, estimate: RequestEstimate) -> tuple[Admission, bool]:
        """Wait until the request may be sent; True beside it means as the probe of an outage."""
        bench = self._bench
        while True:
            probe = bench.outage.active and await bench.outage.turn()
            try:
                admission = await bench.gatekeeper.admit(estimate.upper_bound_nano, estimate.size)
            except BaseException:
                if probe:
                    bench.outage.pass_on()
                raise
            if probe or not bench.outage.active:
                return admission, probe
            # The outage began while this request waited for its key.
            bench.gatekeeper.give_back(admission)

    def _without_picture(self, task: ClaimedTask, problem: BadPicture) -> TaskOutcome:
        """Fail the task, unless it is this machine that is in trouble and not the picture."""
        bench = self._bench
        if not bench.dataset_root.is_dir():
            bench.halt(Halt(f"the folder of the dataset is gone: {bench.dataset_root}"))
            return TaskOutcome(task.id, TaskStatus.PENDING)
        if problem.passing:
            bench.note_failure(FailureKind.BAD_IMAGE)
            return TaskOutcome(task.id, TaskStatus.PENDING, not_before=steady_time() + random.uniform(1, 5))
        return TaskOutcome(task.id, TaskStatus.FAILED, kind=FailureKind.BAD_IMAGE, problem=problem.reason)

    def _prompt(self, task: ClaimedTask, purpose: Purpose) -> RenderedPrompt:
        if purpose is Purpose.REPAIR:
            return self._bench.template.render_repair(task.item, task.bad_reply, task.part)
        return self._bench.template.render(task.item, task.part)

    @property
    def _max_side(self) -> int | None:
        """The longest side in pixels at which pictures are sent now; None is as they are."""
        wanted = self._bench.limits().max_side
        if wanted is None:
            return self._bench.recipe.picture.max_side
        return wanted if isinstance(wanted, int) else None

    async def _prepare(
        self, task: ClaimedTask, prompt: RenderedPrompt, max_side: int | None, max_tokens: int | None
    ) -> bytes:
        """Return the body of the request. What is prepared in a thread is encoded there too: megabytes would hold up
        all others, and so only one copy of the picture stays in memory."""
        bench = self._bench
        body = bench.body_of(task.part)
        if bench.recipe.modality == "text":
            return body.build(prompt.system, prompt.user, None, max_tokens=max_tokens)
        item, limits = task.item, bench.endpoint.picture
        ready = None
        if item.truth.clip is None and not item.truth.further:
            ready = await bench.at_hand.fetch(
                bench.dataset_root / item.path,
                item.facts,
                max_side=max_side,
                max_bytes=limits.max_bytes,
                formats=limits.formats,
            )
        if ready is not None:
            return body.build(prompt.system, prompt.user, ready, max_tokens=max_tokens)

        # A video may take minutes; one that nobody asks about any more holds up neither a pause nor the engine's end.
        over = threading.Event()

        def prepared() -> bytes:
            # Made here, so that its time runs from the moment when a thread is free for it.
            leave = Leave(called_off=lambda: over.is_set() or bench.gatekeeper.closed)
            shown = media_of(bench.recipe, bench.endpoint, bench.dataset_root, item, max_side, bench.pictures, leave)
            return body.build(prompt.system, prompt.user, shown, max_tokens=max_tokens)

        bench.board.preparing += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(bench.threads, prepared)
        finally:
            over.set()
            bench.board.preparing -= 1
