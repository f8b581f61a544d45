"""Verdicts on pairs: written with their history, taken back in order, counted by stratum, listed."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vqa_tui.domain.clip import address
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.review import (
    BY_HAND,
    JudgedMeanwhile,
    Judgement,
    Order,
    PairGone,
    ReviewPair,
    Stratum,
    Undone,
    Verdict,
)
from vqa_tui.domain.review_order import start_of
from vqa_tui.store.db import Database, Row, Transaction
from vqa_tui.store.rows import PART_COLUMNS, SAMPLE_COLUMNS, part_from_row, sample_from_row

PAGE = 500

_STATE = "verdict, edited_question, edited_answer, review_note, picked, reviewer, reviewed_at"
_WHAT_COUNTS = ("verdict", "edited_question", "edited_answer", "review_note")
"""The part of a pair's state that a person sees: only it has to be as it was left for a judgement to be taken back."""


async def judge(database: Database, run_id: int, judgement: Judgement, *, who: str) -> None:
    """Write one judgement and its row in the log; nothing is written where nothing changes.

    The order that brought a pair to its first verdict stays its own: deciding later on an unsure pair makes it no less
    a drawn one. Raises PairGone when the run has no such pair (any more), and JudgedMeanwhile when the parts that the
    judgement is about stand otherwise than `judgement.seen` says, and not as the judgement would leave them.
    """
    await judge_all(database, run_id, [judgement], who=who)


async def judge_all(database: Database, run_id: int, judgements: Sequence[Judgement], *, who: str) -> None:
    """Write judgements as `judge` does, in one transaction: where one is refused, none is written."""
    async with database.write() as transaction:
        for judgement in judgements:
            await _judge(transaction, run_id, judgement, who)


async def _judge(transaction: Transaction, run_id: int, judgement: Judgement, who: str) -> None:
    rows = await transaction.rows(
        f"SELECT s.question, s.answer, s.ordinal, s.stratum_id, s.draw, {_STATE}, i.key FROM sample s "
        "JOIN task t ON t.id = s.task_id JOIN item i ON i.id = t.item_id WHERE s.id = ? AND s.run_id = ?",
        (judgement.sample_id, run_id),
    )
    if not rows:
        raise PairGone(
            f"this run has no pair {judgement.sample_id} any more",
            hint="Its picture was asked again, or the number is that of another run's pair. "
            "`vqa-tui review next RUN` shows one that waits.",
        )
    pair = rows[0]
    old = _state(pair)
    wanted = await _wanted(transaction, pair, judgement, who)
    _require_as_seen(pair, judgement, wanted)
    new = old | wanted
    if all(old[name] == new[name] for name in _WHAT_COUNTS):
        return
    now = time.time()
    new |= {"reviewer": who, "reviewed_at": now}
    await transaction.execute(
        "INSERT INTO review_log (run_id, sample_id, item_key, ordinal, question, answer, at, who, old_state, "
        "new_state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, judgement.sample_id, pair["key"], pair["ordinal"], pair["question"], pair["answer"], now, who,
         json.dumps(old), json.dumps(new)),
    )  # fmt: skip
    await _set_state(transaction, judgement.sample_id, new)


def _require_as_seen(pair: Row, judgement: Judgement, wanted: dict[str, Any]) -> None:
    """Raise JudgedMeanwhile where a judgement would be written over what its author never saw."""
    seen = judgement.seen
    if seen is None:
        return
    shown = seen.question is not None
    if shown and (pair["question"], pair["answer"]) != (seen.question, seen.answer):
        raise JudgedMeanwhile(
            f"pair {pair['ordinal'] + 1} of {pair['key']} was written anew since you saw it: its picture was asked "
            "again",
            hint="Yours was not written. Look at what stands there now, and judge that.",
        )
    then: dict[str, Any] = {}
    if judgement.verdict is not None or judgement.edit is not None:
        then |= {
            "verdict": seen.verdict,
            "edited_question": seen.edited_question,
            "edited_answer": seen.edited_answer,
        }
    if judgement.note is not None:
        then["review_note"] = seen.note
    if all(pair[name] == value for name, value in then.items()):
        return
    if all(pair[name] == wanted.get(name, value) for name, value in then.items()):
        return
    if pair["reviewer"] is None:
        what = "was taken back"
    else:
        edited = pair["edited_question"] is not None or pair["edited_answer"] is not None
        verdict = " and ".join(filter(None, ("edited" if edited else "", pair["verdict"]))) or "noted on"
        what = f"was {verdict} by {pair['reviewer']}"
    raise JudgedMeanwhile(
        f"pair {pair['ordinal'] + 1} of {pair['key']} {what} {'since you saw it' if shown else 'already'}",
        hint="Yours was not written. Go back to the pair, look at what stands there now, and judge that.",
    )


async def _wanted(transaction: Transaction, pair: Row, judgement: Judgement, who: str) -> dict[str, Any]:
    """Return the parts of the state that a judgement changes."""
    new: dict[str, Any] = {}
    if judgement.verdict is not None:
        new["verdict"] = str(judgement.verdict)
        new["picked"] = (
            pair["picked"] if pair["verdict"] is not None else await _picked(transaction, pair, judgement, who)
        )
    if judgement.edit is not None:
        question, answer = judgement.edit.question, judgement.edit.answer
        new["edited_question"] = None if question == pair["question"] else question
        new["edited_answer"] = None if answer == pair["answer"] else answer
    if judgement.note is not None:
        new["review_note"] = judgement.note
    return new


async def _picked(transaction: Transaction, pair: Row, judgement: Judgement, who: str) -> str:
    """Return how the pair was come by: one named by hand that is the next of its stratum anyway counts as drawn."""
    if judgement.picked != BY_HAND or pair["stratum_id"] is None:
        return judgement.picked
    waiting = "SELECT min(draw) FROM sample WHERE stratum_id = :stratum AND verdict IS NULL AND stratum_id IS NOT NULL"
    head = await transaction.rows(
        f"SELECT coalesce(({waiting} AND draw >= :start), ({waiting}))",
        {"stratum": pair["stratum_id"], "start": start_of(who)},
    )
    return Order.STRATIFIED if head[0][0] == pair["draw"] else BY_HAND


async def undo(database: Database, run_id: int, *, who: str) -> Undone | None:
    """Take back the newest judgement that `who` made and has not taken back; None when there is none.

    Raises VqaError when somebody has judged the pair again since.
    """
    async with database.write() as transaction:
        rows = await transaction.rows(
            "SELECT * FROM review_log WHERE run_id = ? AND who = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
            (run_id, who),
        )
        if not rows:
            return None
        entry = rows[0]
        undone = Undone(entry["sample_id"], entry["item_key"], entry["ordinal"])
        found = await transaction.rows(
            f"SELECT {_STATE} FROM sample WHERE id = ? AND run_id = ?", (undone.sample_id, run_id)
        )
        left: dict[str, Any] = json.loads(entry["new_state"])
        if found and any(_state(found[0])[name] != left[name] for name in _WHAT_COUNTS):
            raise VqaError(
                f"pair {undone.ordinal + 1} of {undone.item_key} was judged again by {found[0]['reviewer']}",
                hint="Undoing yours would undo that. Look at the pair and give it a new verdict instead.",
            )
        await transaction.execute("UPDATE review_log SET undone_at = ? WHERE id = ?", (time.time(), entry["id"]))
        if not found:
            return replace(undone, gone=True)
        await _set_state(transaction, undone.sample_id, json.loads(entry["old_state"]))
    return undone


def _state(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _STATE.split(", ")}


async def _set_state(transaction: Transaction, sample_id: int, state: dict[str, Any]) -> None:
    await transaction.execute(
        "UPDATE sample SET verdict = :verdict, edited_question = :edited_question, edited_answer = :edited_answer, "
        "review_note = :review_note, picked = :picked, reviewer = :reviewer, reviewed_at = :reviewed_at WHERE id = :id",
        {**state, "id": sample_id},
    )


async def strata(database: Database, run_id: int) -> tuple[Stratum, ...]:
    """Return the strata of a run with their verdicts, from tallies: microseconds for each, at any size of the run."""
    rows = await database.read(
        "SELECT s.*, t.verdict, t.drawn, t.edited, t.n AS judged FROM review_stratum s "
        "LEFT JOIN review_tally t ON t.stratum_id = s.id WHERE s.run_id = ? ORDER BY s.id",
        (run_id,),
    )
    found: dict[int, Stratum] = {}
    for row in rows:
        if row["n"] <= 0:
            continue
        stratum = found.get(row["id"]) or Stratum(
            row["id"], row["question_type"], row["category"], bool(row["flagged"]), row["n"]
        )
        found[stratum.id] = stratum if row["verdict"] is None else _with(stratum, row)
    return tuple(found.values())


def _with(stratum: Stratum, tally: Row) -> Stratum:
    if tally["verdict"] == Verdict.UNSURE:
        return replace(stratum, unsure=stratum.unsure + tally["judged"])
    name = "rejected" if tally["verdict"] == Verdict.REJECTED else "edited" if tally["edited"] else "accepted"
    changes = {name: getattr(stratum, name) + tally["judged"]}
    if tally["drawn"]:
        changes[f"drawn_{name}"] = getattr(stratum, f"drawn_{name}") + tally["judged"]
    return replace(stratum, **changes)


async def pairs(database: Database, run_id: int, ids: Sequence[int]) -> dict[int, ReviewPair]:
    """Return those of `ids` that are pairs of the run, by id."""
    rows = await database.read(
        f"SELECT {SAMPLE_COLUMNS}, {PART_COLUMNS}, r.parts = 0 AS by_pair, i.key, i.path, i.width, i.height, "
        "i.truth, d.root "
        "FROM sample s JOIN task t ON t.id = s.task_id JOIN run r ON r.id = s.run_id "
        "JOIN item i ON i.id = t.item_id JOIN dataset d ON d.id = i.dataset_id "
        # The + keeps SQLite from an index over the run, by which it would go through all of its pairs.
        "WHERE +s.run_id = ? AND s.id IN (SELECT value FROM json_each(?))",
        (run_id, json.dumps(list(ids))),
    )
    return {row["id"]: _pair_from_row(row) for row in rows}


async def runs_of_pairs(database: Database, ids: Sequence[int]) -> dict[int, int]:
    """Return the run of each of `ids` that is a pair."""
    rows = await database.read(
        "SELECT id, run_id FROM sample WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
    )
    return {row["id"]: row["run_id"] for row in rows}


async def pair_counts(database: Database, run_id: int) -> tuple[int, int, int]:
    """Return how many pairs a run has, and how many of them are accepted and rejected."""
    row = await database.read_one(
        "SELECT count(*) AS pairs, coalesce(sum(verdict = 'accepted'), 0) AS accepted, "
        "coalesce(sum(verdict = 'rejected'), 0) AS rejected FROM sample WHERE run_id = ?",
        (run_id,),
    )
    return (row["pairs"], row["accepted"], row["rejected"]) if row else (0, 0, 0)


def _pair_from_row(row: Row) -> ReviewPair:
    truth = GroundTruth.model_validate_json(row["truth"])
    return ReviewPair(
        sample_from_row(row),
        row["key"],
        address(str(Path(row["root"]) / row["path"]), truth.clip),
        (row["width"], row["height"]),
        truth,
        part_from_row(row),
        truth.reference(row["part"], row["question"]) if row["by_pair"] else None,
        tuple(str(Path(row["root"]) / further.path) for further in truth.further),
    )


async def reviewed_ids(
    database: Database, run_id: int, verdicts: Sequence[str], *, edited: bool | None = None
) -> AsyncIterator[list[int]]:
    """Yield the pairs that have one of `verdicts`, page by page in the order of their ids within each verdict."""
    mending = "" if edited is None else f"AND (edited_question IS NOT NULL OR edited_answer IS NOT NULL) = {edited:d}"
    for verdict in verdicts:
        after = 0
        while True:
            found = await database.read_integers(
                f"SELECT id FROM sample WHERE run_id = ? AND verdict = ? AND id > ? {mending} ORDER BY id LIMIT ?",
                (run_id, verdict, after, PAGE),
            )
            if not found:
                break
            after = found[-1]
            yield list(found)
