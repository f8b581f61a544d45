"""What is said of asking again: who, what becomes of their pairs, what it costs, and what was done."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tui.test_hostile_text import HOSTILE, RAW
from vqa_tui.cli.item_text import detail_text
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.run import EngineState, Phase, TaskStatus
from vqa_tui.domain.task import TaskDetail, TaskRow
from vqa_tui.operations.asking_again import AskedAgain, Chosen
from vqa_tui.operations.follow_ups import FollowUp
from vqa_tui.operations.plan import RunPlan
from vqa_tui.tui.present.again import chosen_text, plan_text
from vqa_tui.tui.present.again_words import (
    asked_words,
    chosen_words,
    cost_words,
    cut_words,
    follow_up_words,
    left_words,
    pairs_words,
)
from vqa_tui.tui.present.attempts import attempt_blocks
from vqa_tui.tui.present.inspect import headline

CHOSEN = Chosen(10, 2, 0, 0, 6, 0, 7, 0, 1000, 1024, "own", "m")
PLAN = RunPlan(12, 500.0, 1000.0, 300.0, None, None, None, (), max_side=512)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (CHOSEN, "12 pictures: 10 failed, 2 done"),
        (replace(CHOSEN, done=0), "10 pictures failed"),
        (replace(CHOSEN, failed=0, done=1), "1 picture done"),
        (
            replace(CHOSEN, skipped=1, waiting=1200),
            "1 213 pictures: 10 failed, 2 done, 1 skipped, 1 200 still being asked",
        ),
        (replace(CHOSEN, failed=0, done=0), "0 pictures"),
        (replace(CHOSEN, unit="request"), "12 requests: 10 failed, 2 done"),
        (replace(CHOSEN, unit="request", done=0), "10 requests failed"),
    ],
)
def test_who_is_chosen(chosen: Chosen, words: str) -> None:
    assert chosen_words(chosen).replace("\u202f", " ").replace("\xa0", " ") == words


def test_a_hint_where_replies_were_cut() -> None:
    assert cut_words(CHOSEN).startswith("7 were cut at max_tokens")
    assert cut_words(replace(CHOSEN, cut=1)).startswith("1 was cut")
    assert cut_words(replace(CHOSEN, cut=1, failed=1, done=0)).startswith("the reply was cut")
    assert cut_words(replace(CHOSEN, cut=0)) == ""


def test_what_becomes_of_pairs_and_of_who_is_left_out() -> None:
    assert pairs_words(CHOSEN, elsewhere=False) == (
        "Their 6 pairs will be replaced, each when its new reply is stored."
    )
    assert "6 pairs, 4 of them judged, will be replaced" in pairs_words(replace(CHOSEN, judged=4), elsewhere=False)
    assert "stay" in pairs_words(CHOSEN, elsewhere=True)
    assert pairs_words(replace(CHOSEN, pairs=0), elsewhere=False) == ""
    some = replace(CHOSEN, skipped=2, waiting=3)
    assert left_words(some, elsewhere=False) == "5 pictures left out: still being asked, or skipped"
    assert left_words(some, elsewhere=True) == "3 pictures left out: still being asked"
    assert left_words(CHOSEN, elsewhere=True) == ""


@pytest.mark.parametrize(
    ("phase", "engine", "words"),
    [
        (Phase.DONE, EngineState.NONE, "2 pictures will be asked again; 1 left out."),
        (Phase.RUNNING, EngineState.ALIVE, "2 pictures will be asked again; 1 left out."),
        (
            Phase.STOPPED,
            EngineState.NONE,
            "2 pictures will be asked again; 1 left out. The run r is stopped: resume it.",
        ),
        (
            Phase.RUNNING,
            EngineState.LOST,
            "2 pictures will be asked again; 1 left out. The engine of r is lost: resume it.",
        ),
        (
            Phase.AWAITING_APPROVAL,
            EngineState.ALIVE,
            "2 pictures will be asked again; 1 left out. The run r waits for its pilot to be approved.",
        ),
    ],
)
def test_what_was_done_says_what_a_run_at_rest_needs(phase: Phase, engine: EngineState, words: str) -> None:
    assert asked_words(AskedAgain(2, 0, 1, phase, engine), "r") == words


def test_a_follow_up_is_told_with_its_name() -> None:
    assert follow_up_words(FollowUp(4, "r-other", 1, 0), "other") == "The run r-other asks 1 picture at other."
    assert follow_up_words(FollowUp(4, "r-other", 3, 2), "other").endswith("at other; 2 left out.")
    assert "is not at work: resume it" in follow_up_words(FollowUp(4, "r-other", 3, 2), "other", started=False)
    assert chosen_text(replace(CHOSEN, changed=3)).plain.endswith(
        "3 changed before: what you leave as it is here stays so for them"
    )


def test_an_unknown_price_is_said_and_what_others_wrote_is_safe() -> None:
    assert cost_words(PLAN) == "an unknown price: nothing is counted"
    shown = plan_text(replace(PLAN, warnings=(HOSTILE,)), CHOSEN, elsewhere=True).plain
    assert "at 512 px" in shown and RAW.search(shown.replace("\n", "")) is None
    assert "at the original size" in plan_text(replace(PLAN, max_side=None), CHOSEN, elsewhere=False).plain


def test_the_inspector_shows_what_each_attempt_and_the_next_one_is_asked_with(
    make_row: Callable[..., TaskRow], make_detail: Callable[..., TaskDetail]
) -> None:
    detail = make_detail(make_row(3, TaskStatus.FAILED), "x.jpg")
    plain = [block.plain for block in attempt_blocks(detail.attempts)]
    assert "asked with" not in "".join(plain)
    asked = replace(detail.attempts[-1], changes=TaskChanges(4000, "original"))
    changed = replace(detail, attempts=(*detail.attempts, asked), changes=TaskChanges(max_side=512))
    newest, *rest = [block.plain for block in attempt_blocks(changed.attempts)]
    assert rest == plain and "asked with max_tokens 4000, longest side original" in newest
    assert headline(changed).plain.endswith("↻ is asked again with longest side 512 px")
    assert "asked again" not in headline(detail).plain
    said = detail_text(changed)
    assert "asked with max_tokens 4000, longest side original" in said and "is asked again with longest side" in said
