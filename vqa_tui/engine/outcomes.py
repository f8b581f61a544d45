"""What becomes of a task after a request: kept, asked again in which way and when, or failed for good."""

import random

from vqa_tui.config.recipe import Generation, Recipe
from vqa_tui.domain.failure import POLICY, Failure, FailureKind
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.work import CUT, LONGEST_WAIT_S, AttemptRecord, ClaimedTask, Purpose, TaskOutcome
from vqa_tui.engine.clock import steady_time

LONGEST_BACKOFF_S = 60.0


def next_purpose(task: ClaimedTask, recipe: Recipe) -> Purpose:
    """Return how to ask: plainly, unless the newest reply was of no use and what helps has not been tried yet."""
    if not task.bad_reply:
        return Purpose.ASK
    if task.cut and longer_for(task, recipe.generation) is not None and Purpose.LONGER not in task.tried:
        return Purpose.LONGER
    return Purpose.REPAIR if Purpose.REPAIR not in task.tried else Purpose.ASK


def plain_max_tokens(task: ClaimedTask, generation: Generation) -> int:
    """Return the most output tokens of a request that asks plainly: the task's own, else the recipe's."""
    return generation.max_tokens if task.changes.max_tokens is None else task.changes.max_tokens


def longer_for(task: ClaimedTask, generation: Generation) -> int | None:
    """Return the output tokens of a request with more room; None where the recipe allows none or the task has it."""
    longer = generation.longer_max_tokens
    return longer if longer is not None and longer > plain_max_tokens(task, generation) else None


def max_tokens_for(task: ClaimedTask, purpose: Purpose, generation: Generation) -> int:
    """Return the most output tokens of a request."""
    longer = longer_for(task, generation) if purpose is Purpose.LONGER else None
    return plain_max_tokens(task, generation) if longer is None else longer


def deserves_longer(task: ClaimedTask, purpose: Purpose, recipe: Recipe, *, max_attempts: int) -> bool:
    """Tell whether a reply that is usable but was cut should be asked for once more, with more room."""
    tried = purpose is Purpose.LONGER or Purpose.LONGER in task.tried
    return longer_for(task, recipe.generation) is not None and not tried and task.attempts_spent + 1 < max_attempts


def after_reply(
    task: ClaimedTask, attempt: AttemptRecord, pairs: tuple[Pair, ...], hedge: AttemptRecord | None = None
) -> TaskOutcome:
    """Return the outcome of a good reply."""
    return TaskOutcome(task.id, TaskStatus.DONE, attempt, spends_attempt=True, pairs=pairs, hedge=hedge)


def after_rate_limit(
    task: ClaimedTask, attempt: AttemptRecord, hedge: AttemptRecord | None = None, *, wait_s: float, given_up: str
) -> TaskOutcome:
    """Return the outcome of a rate limit: put off for `wait_s`, or failed where `given_up` says why."""
    if given_up:
        kind = FailureKind.RATE_LIMITED
        return TaskOutcome(task.id, TaskStatus.FAILED, attempt, kind=kind, problem=given_up, hedge=hedge)
    not_before = steady_time() + wait_s * random.uniform(0.5, 1.0) if wait_s else 0.0
    # A key that had to wait says nothing about the task: what was wrong with it before still stands.
    return TaskOutcome(task.id, TaskStatus.PENDING, attempt, not_before=not_before, hedge=hedge)


def after_failure(
    task: ClaimedTask,
    failure: Failure,
    attempt: AttemptRecord,
    hedge: AttemptRecord | None = None,
    *,
    spared: bool,
    recipe: Recipe,
    max_attempts: int,
) -> TaskOutcome:
    """Return the outcome of a failed request; `spared` says that the failure has nothing to do with the task."""
    policy = POLICY[failure.kind]
    spends = policy.spends_attempt and not failure.never_sent and not spared
    spent = task.attempts_spent + spends
    final = policy.final or (spends and spent >= max_attempts)
    told = final or policy.spends_attempt
    problem = failure.message
    if final and failure.kind is FailureKind.BAD_REPLY and attempt.finish_reason == CUT:
        problem += _where_to_allow_longer(task, recipe.generation)
    return TaskOutcome(
        task.id,
        TaskStatus.FAILED if final else TaskStatus.PENDING,
        attempt,
        spends_attempt=spends,
        not_before=0.0 if final else _not_before(failure, spent),
        # A key that had to wait says nothing about the task: what was wrong with it before still stands.
        kind=failure.kind if told else None,
        problem=problem if told else None,
        hedge=hedge,
    )


def _not_before(failure: Failure, spent: int) -> float:
    """Return when a task may be asked again, 0 for at once: full jitter over 2 to the power of the attempts spent."""
    if not POLICY[failure.kind].spends_attempt:
        return 0.0
    backoff = random.uniform(0.2, min(2.0**spent, LONGEST_BACKOFF_S))
    return steady_time() + max(backoff, min(failure.retry_after_s or 0.0, LONGEST_WAIT_S))


def _where_to_allow_longer(task: ClaimedTask, generation: Generation) -> str:
    if task.changes.max_tokens is not None:
        most = max(task.changes.max_tokens, longer_for(task, generation) or 0)
        return f"; it was asked with max_tokens {most}, so ask it again with more"
    if generation.longer_max_tokens is not None:
        return f"; it was also asked with generation.longer_max_tokens, {generation.longer_max_tokens}"
    return (
        f"; generation.max_tokens is {generation.max_tokens}, and generation.longer_max_tokens in the recipe "
        "would allow asking once more with room"
    )
