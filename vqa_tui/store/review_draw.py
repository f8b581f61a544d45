"""Which pairs are reviewed next: every pair gets its place in the drawn order once, and is found by an index then."""

import heapq
import json
import sqlite3
from array import array
from collections.abc import Sequence

from vqa_tui.domain.review import Order, ReviewFilter, Stratum, Verdict
from vqa_tui.domain.review_order import draw_number, from_start, in_turn, next_strata
from vqa_tui.store.db import Database, Transaction

BATCH = 8_000
"""Pairs that get their place in one transaction: an engine waits for some 0.2 s."""
MOST_TYPES, MOST_CATEGORIES = 24, 100
"""Question types and categories of a run that make strata of their own; what comes later counts as `other`. A model
may invent a type for every pair."""
OTHER = "(other)"

_UNPLACED = """
  SELECT s.id, s.question_type, s.flags <> '[]' AS flagged,
    CASE WHEN json_valid(i.truth) THEN json_extract(i.truth, '$.categories[0]') END AS category
  FROM sample s JOIN task t ON t.id = s.task_id JOIN item i ON i.id = t.item_id
  WHERE s.run_id = ? AND s.id > ? ORDER BY s.id LIMIT ?
"""

_WAITING = """
    SELECT id FROM (SELECT x.id FROM sample x WHERE x.stratum_id = g.value AND x.verdict IS NULL
      AND x.stratum_id IS NOT NULL AND x.id NOT IN (SELECT value FROM json_each(:skipped)) AND x.draw {} :start
      ORDER BY x.draw LIMIT :most)
"""
_HEADS = f"""
  SELECT g.value AS stratum_id, s.id, s.draw FROM json_each(:strata) g JOIN sample s ON s.id IN (
    {_WAITING.format(">=")} UNION ALL {_WAITING.format("<")})
"""


async def unplaced(database: Database, run_id: int) -> int:
    """Return about how many pairs have no place yet; 0 only when all have one."""
    row = await database.read_one(
        "SELECT coalesce((SELECT placed_to FROM review_progress WHERE run_id = :run), 0) AS placed_to, "
        "coalesce((SELECT max(id) FROM sample WHERE run_id = :run), 0) AS newest, "
        "coalesce((SELECT n FROM sample_tally WHERE run_id = :run), 0) AS pairs, "
        "coalesce((SELECT sum(n) FROM review_stratum WHERE run_id = :run), 0) AS placed",
        {"run": run_id},
    )
    if row is None or row["newest"] <= row["placed_to"]:
        return 0
    return max(int(row["pairs"] - row["placed"]), 1)


async def place_batch(database: Database, run_id: int) -> int:
    """Give the next BATCH pairs of a run their stratum and their draw number; return how many got them."""
    async with database.write() as transaction:
        found = await transaction.rows("SELECT placed_to FROM review_progress WHERE run_id = ?", (run_id,))
        rows = await transaction.rows(_UNPLACED, (run_id, found[0][0] if found else 0, BATCH))
        if not rows:
            return 0
        strata = _Strata(await transaction.rows("SELECT * FROM review_stratum WHERE run_id = ?", (run_id,)))
        places = []
        for row in rows:
            kind = strata.kind_of(row["question_type"], _category(row["category"]), bool(row["flagged"]))
            places.append((await strata.id_of(transaction, run_id, kind), draw_number(row["id"]), row["id"]))
        places.sort()  # the index is then gone through once, and not at random: twice as fast at a million
        await transaction.execute_many("UPDATE sample SET stratum_id = ?, draw = ? WHERE id = ?", places)
        await transaction.execute_many(
            "UPDATE review_stratum SET n = n + ? WHERE id = ?",
            [(n, stratum_id) for stratum_id, n in strata.added.items()],
        )
        await transaction.execute(
            "INSERT INTO review_progress VALUES (?, ?) ON CONFLICT DO UPDATE SET placed_to = excluded.placed_to",
            (run_id, rows[-1]["id"]),
        )
    return len(rows)


def _category(value: object) -> str:
    return "" if value is None else str(value)


class _Strata:
    """The strata of a run while pairs are put into them."""

    def __init__(self, rows: Sequence[sqlite3.Row]) -> None:
        self.added: dict[int, int] = {}
        self._ids: dict[tuple[str, str, bool], int] = {}
        self._types: set[str] = set()
        self._categories: set[str] = set()
        for row in rows:
            self._know((row["question_type"], row["category"], bool(row["flagged"])), row["id"])

    def kind_of(self, question_type: str, category: str, flagged: bool) -> tuple[str, str, bool]:
        return (
            _among(self._types, question_type, MOST_TYPES),
            _among(self._categories, category, MOST_CATEGORIES),
            flagged,
        )

    async def id_of(self, transaction: Transaction, run_id: int, kind: tuple[str, str, bool]) -> int:
        """Return the id of a stratum, which is made when it is new, and count one pair more in it."""
        if kind not in self._ids:
            self._know(
                kind,
                await transaction.insert(
                    "INSERT INTO review_stratum (run_id, question_type, category, flagged, n) VALUES (?, ?, ?, ?, 0)",
                    (run_id, *kind),
                ),
            )
        found = self._ids[kind]
        self.added[found] = self.added.get(found, 0) + 1
        return found

    def _know(self, kind: tuple[str, str, bool], stratum_id: int) -> None:
        self._ids[kind] = stratum_id
        self._types.add(kind[0])
        self._categories.add(kind[1])


def _among(known: set[str], value: str, most: int) -> str:
    return value if value in known or len(known - {OTHER}) < most else OTHER


async def next_ids(
    database: Database,
    run_id: int,
    strata: Sequence[Stratum],
    order: Order,
    chosen: ReviewFilter,
    *,
    count: int,
    skipped: Sequence[int] = (),
    after: int = 0,
    start: int = 0,
) -> "array[int]":
    """Return the next `count` pairs to look at, without `skipped`; those in the order of ids come `after` an id.

    Of each stratum the pairs come from the draw number `start` on, and then those before.
    Only pairs that have their place are found. Memory and time follow `count` and the number of strata, not the run.
    """
    held = [each for each in strata if _holds(each, chosen)]
    if chosen.verdict is not None or order is Order.IN_ORDER:
        narrow = held if len(held) < len(strata) else None
        return await _by_id(database, run_id, chosen.verdict, narrow, count, skipped, after)
    if order is Order.STRATIFIED:
        most = count + len(skipped)  # turns that fall on a skipped pair bring none
        turns = next_strata(held, most, start)
        heads = await _heads(database, list(turns), max(turns.values(), default=0), skipped, start)
        ids_of = {stratum_id: [sample_id for _far, sample_id in head] for stratum_id, head in heads.items()}
        return array("q", in_turn(held, ids_of, most, start)[:count])
    tiers = [[each for each in held if each.flagged], [each for each in held if not each.flagged]]
    found = array("q")
    for tier in tiers if order is Order.FLAGGED_FIRST else [held]:
        open_ids = [each.id for each in tier if each.reviewed < each.size]
        heads = await _heads(database, open_ids, count - len(found), skipped, start)
        found.extend(sample_id for _far, sample_id in heapq.merge(*heads.values()))
        if len(found) >= count:
            break
    return found[:count]


def _holds(stratum: Stratum, chosen: ReviewFilter) -> bool:
    return (not chosen.flagged or stratum.flagged) and chosen.question_type in (None, stratum.question_type)


async def _heads(
    database: Database, strata: Sequence[int], most: int, skipped: Sequence[int], start: int
) -> dict[int, list[tuple[int, int]]]:
    """Return the next pairs of each stratum as (how far from the start, id), at most `most` of each."""
    parameters = {"strata": json.dumps(list(strata)), "skipped": json.dumps(list(skipped)), "most": most}
    parameters["start"] = start
    heads: dict[int, list[tuple[int, int]]] = {}
    for row in await database.read(_HEADS, parameters):
        heads.setdefault(row["stratum_id"], []).append((from_start(row["draw"], start), row["id"]))
    return {stratum_id: sorted(found)[:most] for stratum_id, found in heads.items()}


async def _by_id(
    database: Database,
    run_id: int,
    verdict: Verdict | None,
    strata: Sequence[Stratum] | None,
    count: int,
    skipped: Sequence[int],
    after: int,
) -> "array[int]":
    which = "verdict IS NULL AND stratum_id IS NOT NULL" if verdict is None else "verdict = :verdict"
    if strata is not None:
        which += " AND stratum_id IN (SELECT value FROM json_each(:strata))"
    return await database.read_integers(
        f"SELECT id FROM sample WHERE run_id = :run AND {which} AND id > :after "
        "AND id NOT IN (SELECT value FROM json_each(:skipped)) ORDER BY id LIMIT :count",
        {
            "run": run_id,
            "verdict": verdict,
            "strata": json.dumps([each.id for each in strata or ()]),
            "after": after,
            "skipped": json.dumps(list(skipped)),
            "count": count,
        },
    )
