"""Reviewing the pairs of a run: what comes next, verdicts and edits, undoing, and what the verdicts say of the rest."""

import asyncio
import difflib
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from vqa_tui.domain.defect_rate import DEFAULT_TARGET, DefectRate, defect_rate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import (
    BY_HAND,
    Edit,
    Judgement,
    Order,
    ReviewFilter,
    ReviewPair,
    Seen,
    Stratum,
    Undone,
    Verdict,
)
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import review_draw, reviewing

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

    Raises VqaError for a question type that no pair has, naming the nearest one.
    """
    chosen = chosen or ReviewFilter()
    strata = await reviewing.strata(workspace.db, run_id)
    _require_type(strata, chosen.question_type)
    return await review_draw.next_ids(
        workspace.db, run_id, strata, order, chosen, count=count, skipped=skipped, after=after
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
    edit, note = judgement.edit, judgement.note
    if edit is not None:
        edit = Edit(_text("question", edit.question), _text("answer", edit.answer))
    if note is not None:
        note = _bounded("note", note)
    await reviewing.judge(workspace.db, run_id, replace(judgement, edit=edit, note=note), who=operator())


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


async def judge_many(workspace: Workspace, run_id: int, ids: Sequence[int], wanted: Judgement) -> None:
    """Do as `wanted` says with every pair of `ids`. Raises VqaError when one is unknown; nothing is written then."""
    await place_pairs(workspace, run_id)
    known = await reviewing.pairs(workspace.db, run_id, ids)
    unknown = [str(sample_id) for sample_id in ids if sample_id not in known]
    if unknown:
        raise VqaError(
            f"this run has no pair {', '.join(unknown[:5])}",
            hint="`vqa-tui review next RUN` and `vqa-tui item show RUN ITEM --json` tell the numbers of pairs.",
        )
    for sample_id in ids:
        await judge(workspace, run_id, replace(wanted, sample_id=sample_id))


async def edit_pair(
    workspace: Workspace, run_id: int, sample_id: int, question: str | None, answer: str | None, note: str | None = None
) -> None:
    """Accept a pair with another question, another answer or both; what is None stays as it stands now."""
    await place_pairs(workspace, run_id)
    pair = (await reviewing.pairs(workspace.db, run_id, [sample_id])).get(sample_id)
    if pair is None:
        raise VqaError(f"this run has no pair {sample_id}", hint="`vqa-tui review next RUN` shows one that waits.")
    edit = Edit(
        pair.sample.final_question if question is None else question,
        pair.sample.final_answer if answer is None else answer,
    )
    await judge(workspace, run_id, Judgement(sample_id, Verdict.ACCEPTED, edit, note, BY_HAND, Seen.of(pair.sample)))


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
