"""Reviewing the pairs of a run: what comes next, verdicts and edits, undoing, and what the verdicts say of the rest."""

import asyncio
import difflib
from array import array
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from vqa_tui.domain.defect_rate import DEFAULT_TARGET, DefectRate, defect_rate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import (
    BY_HAND,
    NEVER_SHOWN,
    Edit,
    JudgedMeanwhile,
    Judgement,
    Order,
    ReviewFilter,
    ReviewPair,
    Seen,
    Stratum,
    Undone,
    Verdict,
)
from vqa_tui.domain.review_order import start_of
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import review_draw, review_shown, reviewing

LONGEST_EDIT = 100_000
"""Characters of an edited question, answer or note."""


@dataclass(frozen=True, slots=True)
class ReviewStatus:
    """How far the review of a run is."""

    pairs: int
    accepted: int
    """Accepted as they were written."""
    edited: int
    """Accepted with an edit."""
    rejected: int
    unsure: int
    estimate: DefectRate | None
    """What the drawn ones say about all pairs; None as long as none was judged."""
    question_types: tuple[str, ...]

    @property
    def reviewed(self) -> int:
        return self.accepted + self.edited + self.rejected + self.unsure


async def place_pairs(workspace: Workspace, run_id: int, told: Callable[[int], None] = lambda left: None) -> None:
    """Give every pair that has none its place in the drawn order; `told` hears how many are left.

    Quick unless a run is reviewed for the first time (half a minute for a million pairs, in short transactions).
    """
    while left := await review_draw.unplaced(workspace.db, run_id):
        told(left)
        if not await review_draw.place_batch(workspace.db, run_id):
            return
        await asyncio.sleep(0)


async def next_ids(
    workspace: Workspace,
    run_id: int,
    order: Order = Order.STRATIFIED,
    chosen: ReviewFilter | None = None,
    *,
    count: int = 1,
    skipped: Sequence[int] = (),
    after: int = 0,
) -> "array[int]":
    """Return the next `count` pairs to review; see store.review_draw. Only pairs that have their place are found.

    Every person starts at a place of their own, so that two do not judge the same pairs at once.
    Raises VqaError for a question type that no pair has, naming the nearest one.
    """
    chosen = chosen or ReviewFilter()
    strata = await reviewing.strata(workspace.db, run_id)
    _require_type(strata, chosen.question_type)
    return await review_draw.next_ids(
        workspace.db,
        run_id,
        strata,
        order,
        chosen,
        count=count,
        skipped=skipped,
        after=after,
        start=start_of(operator()),
    )


def _require_type(strata: Sequence[Stratum], wanted: str | None) -> None:
    known = _types(strata)
    if wanted is None or wanted in known:
        return
    near = difflib.get_close_matches(wanted, known, 1)
    listed = ", ".join(name or "(none)" for name in known[:12])
    raise VqaError(
        f"no pair of this run has the question type {wanted!r}",
        hint=f"Did you mean {near[0]}?" if near else f"There are: {listed}." if known else "There are no pairs yet.",
    )


def _types(strata: Sequence[Stratum]) -> tuple[str, ...]:
    return tuple(sorted({stratum.question_type for stratum in strata}))


async def review_pairs(workspace: Workspace, run_id: int, ids: Sequence[int]) -> dict[int, ReviewPair]:
    """Return those of `ids` that are pairs of the run, by id; replaced ones are left out."""
    return await reviewing.pairs(workspace.db, run_id, ids)


async def judge(workspace: Workspace, run_id: int, judgement: Judgement) -> None:
    """Write a verdict, an edit, a note, or several of them; every one can be undone, and none shows in the action log,
    since they have one of their own.

    Raises VqaError for an edit without a question or an answer, and when the pair is gone or was judged since it was
    seen.
    """
    await reviewing.judge(workspace.db, run_id, _checked(judgement), who=operator())


def _checked(judgement: Judgement) -> Judgement:
    edit, note = judgement.edit, judgement.note
    if edit is not None:
        edit = Edit(_text("question", edit.question), _text("answer", edit.answer))
    if note is not None:
        note = _bounded("note", note)
    return replace(judgement, edit=edit, note=note)


def _text(what: str, typed: str) -> str:
    if not typed.strip():
        raise VqaError(
            f"the {what} is empty", hint=f"A pair needs both. Write the {what}, or reject the pair if it is no use."
        )
    return _bounded(what, typed)


def _bounded(what: str, typed: str) -> str:
    text = typed.strip().encode("utf-8", "replace").decode("utf-8")
    if len(text) > LONGEST_EDIT:
        raise VqaError(f"the {what} is too long: {len(text):,} characters", hint=f"At most {LONGEST_EDIT:,} are kept.")
    return text


async def note_shown(workspace: Workspace, run_id: int, pairs: Sequence[ReviewPair]) -> None:
    """Remember what a person is shown of these pairs: that is what they judge later by their numbers."""
    await review_shown.note_shown(workspace.db, run_id, [pair.sample for pair in pairs], who=operator())


async def judge_many(
    workspace: Workspace, run_id: int, ids: Sequence[int], wanted: Judgement, *, anyway: bool = False
) -> None:
    """Do as `wanted` says with every pair of `ids`, or with none.

    Raises VqaError when one is unknown, and, unless they are to be judged `anyway`, when somebody else has judged one,
    or its text is another one, since `note_shown`; a pair that was never shown must not have been judged by others.
    """
    known = await _known(workspace, run_id, ids)
    seen = {} if anyway else await _seen(workspace, run_id, known)
    judgements = [_checked(replace(wanted, sample_id=each, seen=seen.get(each))) for each in ids]
    await _judge_as_named(workspace, run_id, judgements)


async def _judge_as_named(workspace: Workspace, run_id: int, judgements: Sequence[Judgement]) -> None:
    try:
        await reviewing.judge_all(workspace.db, run_id, judgements, who=operator())
    except JudgedMeanwhile as error:
        raise JudgedMeanwhile(
            error.message,
            hint="Nothing was written. Look at what stands there now (`vqa-tui item show RUN ITEM`, or `vqa-tui review "
            "list RUN`); with --anyway it is judged all the same.",
        ) from error


async def _known(workspace: Workspace, run_id: int, ids: Sequence[int]) -> dict[int, ReviewPair]:
    await place_pairs(workspace, run_id)
    known = await reviewing.pairs(workspace.db, run_id, ids)
    unknown = [str(sample_id) for sample_id in ids if sample_id not in known]
    if unknown:
        raise VqaError(
            f"this run has no pair {', '.join(unknown[:5])}",
            hint="`vqa-tui review next RUN` and `vqa-tui item show RUN ITEM --json` tell the numbers of pairs.",
        )
    return known


async def _seen(workspace: Workspace, run_id: int, pairs: Mapping[int, ReviewPair]) -> dict[int, Seen]:
    """Return what a person judges by who names pairs by their numbers; what they have done themselves they know."""
    shown = await review_shown.shown_to(workspace.db, run_id, list(pairs), who=operator())
    seen = {}
    for sample_id, pair in pairs.items():
        then = shown.get(sample_id, NEVER_SHOWN)
        if pair.sample.reviewer == operator():
            then = replace(Seen.of(pair.sample), question=then.question, answer=then.answer)
        seen[sample_id] = then
    return seen


async def edit_pair(
    workspace: Workspace,
    run_id: int,
    sample_id: int,
    question: str | None,
    answer: str | None,
    note: str | None = None,
    *,
    anyway: bool = False,
) -> None:
    """Accept a pair with another question, another answer or both; what is None stays as it stands now.

    Raises VqaError as `judge_many` does.
    """
    pair = (await _known(workspace, run_id, [sample_id]))[sample_id]
    edit = Edit(
        pair.sample.final_question if question is None else question,
        pair.sample.final_answer if answer is None else answer,
    )
    seen = Seen.of(pair.sample) if anyway else (await _seen(workspace, run_id, {sample_id: pair}))[sample_id]
    wanted = Judgement(sample_id, Verdict.ACCEPTED, edit, note, BY_HAND, seen)
    await _judge_as_named(workspace, run_id, [_checked(wanted)])


async def undo(workspace: Workspace, run_id: int) -> Undone | None:
    """Take back your newest judgement in this run, of any session; None when there is none left.

    Raises VqaError when another person judged the pair since.
    """
    return await reviewing.undo(workspace.db, run_id, who=operator())


async def review_status(workspace: Workspace, run_id: int, *, target: float = DEFAULT_TARGET) -> ReviewStatus:
    """Return counts and the estimate; `target` is the half-width (a share) at which it is enough.

    Pairs that have no place yet are not in it: call `place_pairs` first.
    """
    strata = await reviewing.strata(workspace.db, run_id)
    return ReviewStatus(
        pairs=sum(each.size for each in strata),
        accepted=sum(each.accepted for each in strata),
        edited=sum(each.edited for each in strata),
        rejected=sum(each.rejected for each in strata),
        unsure=sum(each.unsure for each in strata),
        estimate=defect_rate(strata, target),
        question_types=_types(strata),
    )


async def reviewed_pairs(workspace: Workspace, run_id: int, verdict: str | None = None) -> AsyncIterator[ReviewPair]:
    """Give the reviewed pairs of a run, page by page: accepted, edited, rejected or unsure ones, or all of them."""
    verdicts = [str(each) for each in Verdict] if verdict is None else [verdict]
    edited = None
    if verdict in ("accepted", "edited"):
        verdicts, edited = ["accepted"], verdict == "edited"
    async for ids in reviewing.reviewed_ids(workspace.db, run_id, verdicts, edited=edited):
        found = await reviewing.pairs(workspace.db, run_id, ids)
        for sample_id in ids:
            if sample_id in found:
                yield found[sample_id]
