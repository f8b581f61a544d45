"""After a reply that could not be used: asked once to mend it, once with more room, then plainly; all is counted."""

from dataclasses import replace

import pytest

from tests.engine.conftest import COST_NANO, GOOD, MakeWorkshop, Script, Workshop, answers, fails
from vqa_tui.config.recipe import Generation, ReplyFormat
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.sample import SampleFlag
from vqa_tui.domain.work import CUT, AttemptRecord, ClaimedTask, Purpose, TaskOutcome
from vqa_tui.endpoints.client import Answer

LONGER = Generation(max_tokens=100, longer_max_tokens=300)
TEXT = ReplyFormat(kind="text", question="What is shown?")


def cut(text: str) -> Script:
    async def answer() -> Answer:
        return Answer(text, CUT, Usage(900, 100), True, "m", "id-1", 200, 12.5)

    return answer


def made(outcome: TaskOutcome) -> AttemptRecord:
    assert outcome.attempt is not None
    return outcome.attempt


def again(task: ClaimedTask, outcome: TaskOutcome) -> ClaimedTask:
    """The task as the queue hands it out after `outcome`."""
    attempt = made(outcome)
    assert outcome.status is TaskStatus.PENDING
    if attempt.kind != FailureKind.BAD_REPLY:
        return replace(task, attempts_spent=task.attempts_spent + outcome.spends_attempt)
    return replace(
        task,
        attempts_spent=task.attempts_spent + 1,
        tried=task.tried | {attempt.purpose},
        bad_reply=attempt.message,
        cut=attempt.finish_reason == CUT,
    )


async def test_a_bad_reply_is_asked_to_be_mended_once_and_later_attempts_ask_plainly(workshop: Workshop) -> None:
    workshop.limits[0] = Limits(max_attempts=4)
    workshop.client.script = answers("no list")
    task, purposes = workshop.task(), []
    for spent in range(4):
        outcome = await workshop.outcome(task)
        purposes.append(made(outcome).purpose)
        assert made(outcome).cost_nano == COST_NANO and workshop.budget.spent == COST_NANO * (spent + 1)
        if spent < 3:
            task = again(task, outcome)
    assert (outcome.status, outcome.kind) == (TaskStatus.FAILED, FailureKind.BAD_REPLY)
    assert purposes == [Purpose.ASK, Purpose.REPAIR, Purpose.ASK, Purpose.ASK]
    plain = "What is it?"
    assert workshop.client.asked == [plain, f"{plain}\n\nIt was wrong: {task.bad_reply}", plain, plain]
    assert outcome.problem == task.bad_reply == "the reply holds no JSON"


async def test_what_a_key_or_the_endpoint_did_in_between_leaves_the_repair_to_be_tried(workshop: Workshop) -> None:
    workshop.client.script = answers("no list")
    task = again(workshop.task(), await workshop.outcome())
    for trouble in (fails(FailureKind.RATE_LIMITED, 429, retry_after_s=0.0), fails(FailureKind.SERVER, 500)):
        workshop.client.script = trouble
        outcome = await workshop.outcome(task)
        assert made(outcome).purpose is Purpose.REPAIR
        task = again(task, outcome)
    workshop.client.script = answers()
    done = await workshop.outcome(task)
    assert (done.status, made(done).purpose) == (TaskStatus.DONE, Purpose.REPAIR)
    assert workshop.client.asked[-1].endswith("It was wrong: the reply holds no JSON")


@pytest.mark.parametrize(
    "script",
    [cut('[{"question": "What'), fails(FailureKind.BAD_REPLY, 200, usage=Usage(900, 100), finish_reason=CUT)],
    ids=["cut before the first pair", "cut before any text"],
)
async def test_a_reply_cut_into_uselessness_is_asked_for_once_with_more_room(
    make_workshop: MakeWorkshop, script: Script
) -> None:
    workshop = make_workshop(generation=LONGER)
    workshop.client.script = script
    first = await workshop.outcome()
    task = again(workshop.task(), first)
    second = await workshop.outcome(task)
    third = await workshop.outcome(again(task, second))
    assert [made(each).purpose for each in (first, second, third)] == [Purpose.ASK, Purpose.LONGER, Purpose.REPAIR]
    assert workshop.client.max_tokens == [100, 300, 100]
    # 200 tokens of output more are set aside, at a dollar a million.
    assert made(second).reserved_nano - made(first).reserved_nano == 200_000
    assert workshop.client.asked[1] == workshop.client.asked[0]


async def test_where_more_room_is_not_allowed_the_failure_names_the_setting_and_the_model_is_not_told_of_it(
    workshop: Workshop,
) -> None:
    workshop.client.script = cut('[{"question": "What')
    first = await workshop.outcome()
    task = again(workshop.task(), first)
    assert made(await workshop.outcome(task)).purpose is Purpose.REPAIR
    assert "generation" not in workshop.client.asked[-1] and workshop.client.max_tokens == [100, 100]
    last = await workshop.outcome(replace(task, attempts_spent=3, tried=frozenset({"ask", "repair"})))
    assert last.status is TaskStatus.FAILED and last.problem
    assert "cut off" in last.problem and "generation.longer_max_tokens" in last.problem
    assert "generation.max_tokens is 100" in last.problem


async def test_a_cut_reply_with_whole_pairs_is_kept_and_flagged_whatever_else_is_allowed(
    make_workshop: MakeWorkshop,
) -> None:
    workshop = make_workshop(generation=LONGER, pairs=3)
    workshop.client.script = cut(GOOD[:-1] + ', {"question": "And th')
    outcome = await workshop.outcome()
    assert outcome.status is TaskStatus.DONE
    assert [pair.flags for pair in outcome.pairs] == [(SampleFlag.CUT_REPLY, SampleFlag.FEWER_PAIRS)]
    assert made(outcome).finish_reason == CUT and made(outcome).kind == "ok"


async def test_a_whole_reply_with_fewer_pairs_than_asked_is_kept_and_flagged(make_workshop: MakeWorkshop) -> None:
    workshop = make_workshop(pairs=2)
    outcome = await workshop.outcome()
    assert outcome.status is TaskStatus.DONE and len(workshop.client.asked) == 1
    assert [pair.flags for pair in outcome.pairs] == [(SampleFlag.FEWER_PAIRS,)]


async def test_a_cut_text_is_asked_for_once_with_more_room_and_then_kept_and_flagged(
    make_workshop: MakeWorkshop,
) -> None:
    workshop = make_workshop(generation=LONGER, reply=TEXT)
    workshop.client.script = cut("A red square on a")
    first = await workshop.outcome()
    assert (first.status, first.kind) == (TaskStatus.PENDING, FailureKind.BAD_REPLY)
    second = await workshop.outcome(again(workshop.task(), first))
    assert (second.status, made(second).purpose) == (TaskStatus.DONE, Purpose.LONGER)
    assert [pair.flags for pair in second.pairs] == [(SampleFlag.CUT_REPLY,)]
    assert workshop.client.max_tokens == [100, 300]


async def test_a_cut_text_is_kept_at_once_where_more_room_is_not_allowed_or_no_attempt_is_left(
    make_workshop: MakeWorkshop,
) -> None:
    plain, last = make_workshop(reply=TEXT), make_workshop(generation=LONGER, reply=TEXT)
    for workshop, task in ((plain, plain.task()), (last, last.task(spent=3))):
        workshop.client.script = cut("A red square on a")
        outcome = await workshop.outcome(task)
        assert outcome.status is TaskStatus.DONE
        assert [pair.flags for pair in outcome.pairs] == [(SampleFlag.CUT_REPLY,)]


async def test_the_estimate_is_kept_beside_what_was_billed_and_only_there(workshop: Workshop) -> None:
    reported = made(await workshop.outcome())
    workshop.client.script = answers(reported=False)
    unreported = made(await workshop.outcome())
    workshop.client.script = fails(FailureKind.SERVER, 500)
    failed = made(await workshop.outcome())
    assert reported.estimated_input_tokens > 0 == unreported.estimated_input_tokens == failed.estimated_input_tokens
    assert workshop.bench.board.sent_bytes > 3 * 100
