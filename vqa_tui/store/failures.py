"""The clusters of failures of a run as faces show them: counts, trends, and what is known of one of them."""

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median_low
from typing import TypeVar

from vqa_tui.domain.clip import address
from vqa_tui.domain.failure_cluster import (
    TREND_MINUTES,
    ClusterDetail,
    Example,
    FailureCluster,
    FailureTable,
    KindCount,
    PictureSizes,
    Spread,
)
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.part import unit
from vqa_tui.store.clusters import count_ungathered
from vqa_tui.store.db import Database, Row
from vqa_tui.store.rows import PART_COLUMNS, part_from_row

_LOOKED_AT = 1_000
"""Newest failures of a cluster whose keys, statuses, models and sizes are counted: a bound that keeps a look short."""
_EXAMPLES = 3
_FACTS = "i.width, i.height, i.size_bytes"
_SAID = "a.key_name, a.http_status, a.model"

T = TypeVar("T", int, str, int | None)


async def failure_table(database: Database, run_id: int, *, now: float) -> FailureTable:
    """Return the clusters of a run; costs as much as there are clusters, however many failures they hold."""
    minute = int(now // 60)
    async with database.snapshot():
        rows = await database.read(
            "SELECT id, kind, form, attempts, tasks, first_at, last_at FROM failure_cluster WHERE run_id = ? "
            "AND (attempts > 0 OR tasks > 0) ORDER BY id",
            (run_id,),
        )
        minutes = await database.read(
            "SELECT m.cluster_id, m.minute, m.attempts, m.tasks FROM failure_cluster c "
            "JOIN failure_minute m ON m.cluster_id = c.id WHERE c.run_id = ? AND m.minute > ?",
            (run_id, minute - TREND_MINUTES),
        )
        ungathered = await count_ungathered(database, run_id)
        run = await database.read_one("SELECT parts FROM run WHERE id = ?", (run_id,))
    trends: dict[int, list[Row]] = {}
    for row in minutes:
        trends.setdefault(row["cluster_id"], []).append(row)
    # One message of two kinds is one cluster; failures that say nothing are told apart by their kind alone.
    by_form: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_form.setdefault((row["form"], "" if row["form"] else row["kind"]), []).append(row)
    word = unit(in_parts=run is not None and run["parts"] != 1)
    clusters = [
        _cluster(parts, [trend for part in parts for trend in trends.get(part["id"], ())], minute, word)
        for parts in by_form.values()
    ]
    return FailureTable(tuple(clusters), ungathered, word)


def _cluster(parts: list[Row], minutes: Sequence[Row], now: int, word: str) -> FailureCluster:
    kinds = [KindCount(part["kind"], part["tasks"], part["attempts"]) for part in parts]
    firsts = [part["first_at"] for part in parts if part["first_at"] is not None]
    lasts = [part["last_at"] for part in parts if part["last_at"] is not None]
    pictures, tries = [0] * TREND_MINUTES, [0] * TREND_MINUTES
    for row in minutes:
        # A clock that was set back leaves minutes that are yet to come.
        place = min(row["minute"] - now + TREND_MINUTES - 1, TREND_MINUTES - 1)
        pictures[place] += row["tasks"]
        tries[place] += row["attempts"]
    return FailureCluster(
        ids=tuple(part["id"] for part in parts),
        form=parts[0]["form"],
        kinds=tuple(sorted(kinds, key=lambda each: (-each.pictures, -each.tries, each.kind))),
        pictures=sum(part["tasks"] for part in parts),
        tries=sum(part["attempts"] for part in parts),
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
        pictures_by_minute=tuple(pictures),
        tries_by_minute=tuple(tries),
        unit=word,
    )


async def cluster_task_ids(database: Database, ids: Sequence[int], *, tries: bool) -> "array[int]":
    """Return the tasks that have failed for good so, in order; with `tries` all that ever had such an attempt."""
    if tries:
        sql = "SELECT DISTINCT task_id FROM attempt WHERE cluster_id IN (SELECT value FROM json_each(?)) ORDER BY 1"
    else:
        sql = (
            "SELECT id FROM task WHERE status = 'failed' AND cluster_id IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
    return await database.read_integers(sql, (json.dumps(list(ids)),))


async def cluster_detail(database: Database, run_id: int, ids: Sequence[int], *, tries: bool) -> ClusterDetail:
    """Return what is known of the failures of clusters `ids`: of their tasks, or with `tries` of their attempts."""
    async with database.snapshot():
        newest = await _newest(database, ids, tries=tries)
        answered = await database.read(
            f"SELECT {_FACTS} FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? AND t.status = 'done' "
            "ORDER BY t.id DESC LIMIT ?",
            (run_id, _LOOKED_AT),
        )
        examples = await _examples(database, ids, tries=tries)
    asked = [row for row in newest if row["key_name"] is not None]
    return ClusterDetail(
        id=ids[0],
        message=newest[0]["message"] if newest else "",
        looked_at=len(newest),
        keys=_counted(row["key_name"] for row in asked),
        statuses=_counted(row["http_status"] for row in asked),
        models=_counted(row["model"] for row in asked if row["model"]),
        # A picture that was asked several times counts once.
        sizes=_sizes({row["task_id"]: row for row in newest}.values()),
        answered_sizes=_sizes(answered),
        examples=examples,
    )


async def _newest(database: Database, ids: Sequence[int], *, tries: bool) -> list[Row]:
    """Return the newest failures: each cluster by itself, since only so its index gives them in order."""
    if tries:
        sql = (
            f"SELECT a.id, a.task_id, {_SAID}, a.message, {_FACTS} FROM (SELECT id FROM attempt WHERE cluster_id = ? "
            "ORDER BY id DESC LIMIT ?) AS newest JOIN attempt a ON a.id = newest.id JOIN task t ON t.id = a.task_id "
            "JOIN item i ON i.id = t.item_id ORDER BY a.id DESC"
        )
    else:
        sql = (
            f"SELECT t.id, t.id AS task_id, {_SAID}, coalesce(t.last_problem, '') AS message, {_FACTS} FROM (SELECT id "
            "FROM task WHERE cluster_id = ? AND status = 'failed' ORDER BY id DESC LIMIT ?) AS newest "
            "JOIN task t ON t.id = newest.id JOIN item i ON i.id = t.item_id LEFT JOIN attempt a ON a.id = (SELECT id "
            "FROM attempt WHERE task_id = t.id AND kind = t.last_kind ORDER BY number DESC LIMIT 1) ORDER BY t.id DESC"
        )
    found = [row for cluster_id in ids for row in await database.read(sql, (cluster_id, _LOOKED_AT))]
    return sorted(found, key=lambda row: row["id"], reverse=True)[:_LOOKED_AT]


async def _examples(database: Database, ids: Sequence[int], *, tries: bool) -> tuple[Example, ...]:
    """Return the first pictures: newer failures do not move them, so that they can be looked at."""
    if tries:
        first = "SELECT task_id AS id FROM attempt WHERE cluster_id = ? ORDER BY id LIMIT 60"
    else:
        first = "SELECT id FROM task WHERE cluster_id = ? AND status = 'failed' ORDER BY id LIMIT 3"
    chosen = sorted({row["id"] for cluster_id in ids for row in await database.read(first, (cluster_id,))})[:_EXAMPLES]
    rows = await database.read(
        f"SELECT t.id, i.key, i.path, i.truth, d.root, {PART_COLUMNS}, {_FACTS} FROM task t "
        "JOIN item i ON i.id = t.item_id JOIN dataset d ON d.id = i.dataset_id "
        "WHERE t.id IN (SELECT value FROM json_each(?)) ORDER BY t.id",
        (json.dumps(chosen),),
    )
    return tuple(
        Example(
            row["id"],
            row["key"],
            address(str(Path(row["root"]) / row["path"]), GroundTruth.model_validate_json(row["truth"]).clip),
            row["width"],
            row["height"],
            row["size_bytes"],
            part_from_row(row),
        )
        for row in rows
    )


def _counted(values: Iterable[T]) -> tuple[tuple[T, int], ...]:
    return tuple(Counter(values).most_common())


def _sizes(rows: Iterable[Row]) -> PictureSizes | None:
    facts = [(max(row["width"], row["height"]), row["size_bytes"]) for row in rows]
    if not facts:
        return None
    sides, sizes = zip(*facts, strict=True)
    return PictureSizes(len(facts), _spread(sides), _spread(sizes))


def _spread(values: Sequence[int]) -> Spread:
    return Spread(min(values), median_low(values), max(values))
