"""Datasets, their items, and what could not be imported."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.clip import VIDEO
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, ImportProblem, Item, PictureFacts
from vqa_tui.store.asked_items import asked_keys
from vqa_tui.store.db import Database
from vqa_tui.store.drawing import DRAWN, SPREAD
from vqa_tui.store.parts import asked_of
from vqa_tui.store.rows import ITEM_COLUMNS, item_from_row


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One imported dataset. Times are Unix seconds."""

    id: int
    name: str
    kind: str
    root: str
    """Absolute path of the folder that item paths are relative to."""
    source: str
    """Absolute path that was given to the import."""
    created_at: float
    imported_at: float
    items: int = 0
    size_bytes: int = 0
    problems: int = 0
    unfinished: str | None = None
    """A source whose import was begun and has not reached its end; None where there is none."""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One item as it is to be written, or as it was found. `truth` is the canonical JSON of a GroundTruth."""

    key: str
    path: str
    facts: PictureFacts
    split: str | None
    truth: str
    pictures: int = 1
    """How many it is made of."""
    further_bytes: int = 0
    """Of the files of its pictures beside its own."""


@dataclass(frozen=True, slots=True)
class CategoryCount:
    name: str
    pictures: int
    instances: int


@dataclass(frozen=True, slots=True)
class SizeGroup:
    """Pictures of one size in pixels, or of nearly one."""

    width: int
    height: int
    pictures: int
    size_bytes: int
    """Of all their files together."""
    seconds: float = 0.0
    """Length of each, where they are clips of videos, at most 0.1 s too long, never too short; 0 of still pictures."""
    further: bool = False
    """They are shown beside the own pictures of their items, and are no requests of their own."""


@dataclass(frozen=True, slots=True)
class PictureSizes:
    groups: tuple[SizeGroup, ...]
    step: int
    """Sides within so many pixels were put together, and stand for their mean; 1 is exact. Where it is not 1, lengths
    of clips are at most so many seconds too long, never too short."""
    most_in_one: int = 1
    """Pictures of the item that has most of them."""

    @property
    def requests(self) -> int:
        """How many requests the pictures are."""
        return sum(group.pictures for group in self.groups if not group.further)


def truth_json(truth: GroundTruth) -> str:
    """Return the canonical JSON of a ground truth: equal truths give equal text, and empty fields are left out."""
    return truth.model_dump_json(exclude_defaults=True)


CLIP_SECONDS = f"""
  CASE WHEN format = '{VIDEO}' THEN max(1, CAST(
    (json_extract(truth, '$.clip.end_s') - json_extract(truth, '$.clip.start_s')) * 10 / :tenths + 0.999999 AS INTEGER
  )) * :tenths / 10.0 ELSE 0 END
"""
"""Of a clip, rounded up to `:tenths` of a second, so that no plan understates it; the JSON of still pictures is not
read for it. SQLite is often built without ceil(); less than a millionth is what floating point adds to a whole number.
"""
_STEPS = ((1, 1), (8, 10), (64, 100), (512, 1_000), (1 << 30, 36_000))
"""Pixels within which sides are put together, with the tenths of a second within which lengths are."""

_DATASET_COLUMNS = """
  dataset.id, name, kind, root, source, created_at, imported_at, coalesce(item_tally.n, 0) AS items,
  coalesce(item_tally.size_bytes, 0) AS size_bytes,
  (SELECT count(*) FROM import_problem WHERE dataset_id = dataset.id) AS problems,
  (SELECT min(unfinished_import.source) FROM unfinished_import WHERE dataset_id = dataset.id) AS unfinished
  FROM dataset LEFT JOIN item_tally ON item_tally.dataset_id = dataset.id
"""


async def list_datasets(db: Database) -> list[DatasetRow]:
    """Return every dataset, the most recently imported first."""
    rows = await db.read(
        f"SELECT {_DATASET_COLUMNS} WHERE deleted_at IS NULL ORDER BY imported_at DESC, dataset.id DESC"
    )
    return [DatasetRow(**dict(row)) for row in rows]


async def dataset_named(db: Database, name: str) -> DatasetRow | None:
    row = await db.read_one(f"SELECT {_DATASET_COLUMNS} WHERE name = ? AND deleted_at IS NULL", (name,))
    return DatasetRow(**dict(row)) if row else None


async def dataset_names(db: Database) -> list[str]:
    """Return the name of every dataset, sorted."""
    return [row["name"] for row in await db.read("SELECT name FROM dataset WHERE deleted_at IS NULL ORDER BY name")]


async def ensure_dataset(db: Database, *, name: str, kind: str, root: str, source: str, at: float) -> DatasetRow:
    """Return the dataset of that name, inserting it when there is none; an existing one is returned as it is."""
    async with db.write() as transaction:
        await transaction.execute(
            "INSERT INTO dataset (name, kind, root, source, created_at, imported_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO NOTHING",
            (name, kind, root, source, at, at),
        )
        rows = await transaction.rows(f"SELECT {_DATASET_COLUMNS} WHERE name = ?", (name,))
    return DatasetRow(**dict(rows[0]))


async def stored_items(db: Database, dataset_id: int, keys: Sequence[str]) -> dict[str, StoredItem]:
    """Return those of `keys` that the dataset already holds."""
    rows = await db.read(
        "SELECT key, path, split, truth, pictures, further_bytes, format, width, height, size_bytes, sha256, "
        "orientation, modified_ns FROM item WHERE dataset_id = ? AND key IN (SELECT value FROM json_each(?))",
        (dataset_id, json.dumps(keys)),
    )
    # Unpacking takes a quarter of the time of looking each column up by its name.
    return {
        key: StoredItem(key, path, PictureFacts(*facts), split, truth, pictures, further_bytes)
        for key, path, split, truth, pictures, further_bytes, *facts in rows
    }


async def write_batch(
    db: Database,
    dataset_id: int,
    *,
    items: Iterable[StoredItem],
    healed: Sequence[str],
    problems: Iterable[ImportProblem],
    at: float,
    unless_asked: Mapping[str, ImportProblem] | None = None,
) -> frozenset[str]:
    """Commit one batch of an import: new and changed items, problems met, and problems of `healed` keys forgotten.

    Items whose keys are in `unless_asked` stay as they were where a run asks about them, with that problem; the keys of
    those are returned. Raises VqaError when the dataset was deleted.
    """
    unless_asked = unless_asked or {}
    async with db.write() as transaction:
        if not await transaction.rows("SELECT 1 FROM dataset WHERE id = ? AND deleted_at IS NULL", (dataset_id,)):
            raise VqaError("the dataset was deleted while it was being imported", hint="Import it again.")
        # Within the transaction: a run that is made at this moment comes before it or after it.
        asked = await asked_keys(transaction, dataset_id, list(unless_asked)) if unless_asked else frozenset[str]()
        told = [*problems, *(unless_asked[key] for key in asked)]
        await transaction.execute_many(
            """
            INSERT INTO item (dataset_id, key, path, format, width, height, size_bytes, sha256, orientation,
              modified_ns, split, truth, pictures, further_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (dataset_id, key) DO UPDATE SET path = excluded.path, format = excluded.format,
              width = excluded.width, height = excluded.height, size_bytes = excluded.size_bytes,
              sha256 = excluded.sha256, orientation = excluded.orientation, modified_ns = excluded.modified_ns,
              split = excluded.split, truth = excluded.truth, pictures = excluded.pictures,
              further_bytes = excluded.further_bytes
            """,
            [(dataset_id, *_item_values(item)) for item in items if item.key not in asked],
        )
        await transaction.execute(
            "DELETE FROM import_problem WHERE dataset_id = ? AND key IN (SELECT value FROM json_each(?))",
            (dataset_id, json.dumps([key for key in healed if key not in asked])),
        )
        await transaction.execute_many(
            """
            INSERT INTO import_problem (dataset_id, key, place, reason, seen_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (dataset_id, key) DO UPDATE SET place = excluded.place, reason = excluded.reason,
              seen_at = excluded.seen_at
            """,
            [(dataset_id, each.key, each.where, each.reason, at) for each in told],
        )
    return asked


async def begin_import(db: Database, dataset_id: int, *, source: str, at: float) -> None:
    """Note that an import of `source` works and has not reached its end; only `finish_import` takes that back."""
    async with db.write() as transaction:
        await transaction.execute(
            "INSERT INTO unfinished_import (dataset_id, source, began_at) VALUES (?, ?, ?) "
            "ON CONFLICT (dataset_id, source) DO UPDATE SET began_at = excluded.began_at",
            (dataset_id, source, at),
        )


async def finish_import(db: Database, dataset_id: int, *, source: str, at: float, complete: bool) -> None:
    """Note the time of the import; after a complete one, forget the problems that `write_batch` did not stamp `at`."""
    async with db.write() as transaction:
        await transaction.execute(
            "DELETE FROM unfinished_import WHERE dataset_id = ? AND source = ?", (dataset_id, source)
        )
        await transaction.execute("UPDATE dataset SET imported_at = ? WHERE id = ?", (at, dataset_id))
        if complete:
            await transaction.execute(
                "DELETE FROM import_problem WHERE dataset_id = ? AND seen_at <> ?", (dataset_id, at)
            )


async def drop_if_empty(db: Database, dataset_id: int) -> None:
    """Delete a dataset that holds no picture, with its problems; one that holds any stays."""
    async with db.write() as transaction:
        await transaction.execute(
            "DELETE FROM dataset WHERE id = ? AND NOT EXISTS (SELECT 1 FROM item WHERE dataset_id = dataset.id) "
            "AND NOT EXISTS (SELECT 1 FROM run WHERE dataset_id = dataset.id)",
            (dataset_id,),
        )


async def item_page(db: Database, dataset_id: int, *, after_key: str = "", size: int = 500) -> list[Item]:
    """Return up to `size` items whose key is above `after_key`, by rising key: each page starts after the last key."""
    rows = await db.read(
        f"SELECT {ITEM_COLUMNS} FROM item i WHERE dataset_id = ? AND key > ? ORDER BY key LIMIT ?",
        (dataset_id, after_key, size),
    )
    return [item_from_row(row) for row in rows]


async def askable_pictures(db: Database, dataset_id: int, parts: int) -> int:
    """Return how many pictures a run with so many requests for each, or BY_PAIR, asks about at most."""
    row = await db.read_one(
        f"SELECT count(*) AS n FROM item WHERE dataset_id = ? {asked_of(parts).only}", (dataset_id,)
    )
    return row["n"] if row else 0


async def spread_items(db: Database, dataset_id: int, count: int, *, parts: int = 1) -> list[Item]:
    """Return up to `count` items at even distances through the dataset in the order of keys, of those that a run with
    so many requests for each, or BY_PAIR, asks about."""
    rows = await db.read(
        f"""
        WITH placed AS (
          SELECT id, row_number() OVER (ORDER BY key) AS place, count(*) OVER () AS total
          FROM item WHERE dataset_id = :dataset {asked_of(parts).only})
        SELECT {ITEM_COLUMNS} FROM item i JOIN placed ON placed.id = i.id
        WHERE (place * :count) / total > ((place - 1) * :count) / total
        ORDER BY place
        """,
        {"dataset": dataset_id, "count": count},
    )
    return [item_from_row(row) for row in rows]


async def picture_sizes(
    db: Database,
    dataset_id: int,
    *,
    chosen: int,
    total: int,
    parts: int = 1,
    seed: int | None = None,
    most_groups: int = 20_000,
) -> PictureSizes:
    """Return the sizes of the `chosen` of `total` pictures that a run with such a limit and seed asks about.

    Each counts as often as it is a request, `parts` times or BY_PAIR; further pictures of an item count beside it.
    Where there are more than `most_groups` sizes, sides that are alike are put together, the finer the better.
    """
    asked = asked_of(parts)
    wanted = f"id, width, height, size_bytes, pictures, {CLIP_SECONDS} AS seconds, {asked.count} AS requests"
    picked = f"SELECT {wanted} FROM item WHERE dataset_id = :dataset {asked.only}"
    if seed is not None:
        drawn = f"SELECT id FROM item WHERE dataset_id = :dataset {asked.only} {DRAWN}"
        picked = f"SELECT {wanted} FROM item WHERE id IN ({drawn})"
    elif chosen < total:
        # The same choice as `run_creation.create_run` makes.
        picked = f"""
        SELECT id, width, height, size_bytes, pictures, seconds, requests
        FROM (SELECT {wanted}, row_number() OVER (ORDER BY id) AS place
              FROM item WHERE dataset_id = :dataset {asked.only})
        WHERE {SPREAD}
        """
    for step, tenths in _STEPS:
        if chosen > most_groups:
            # A look at the first few saves reading a million in vain.
            first = await db.read_one(
                "SELECT count(*) AS n FROM (SELECT DISTINCT width / :step, height / :step FROM "
                "(SELECT width, height FROM item WHERE dataset_id = :dataset LIMIT :first))",
                {"dataset": dataset_id, "step": step, "first": 2 * most_groups},
            )
            if first is not None and first["n"] > most_groups:
                continue
        values = {
            "dataset": dataset_id,
            "chosen": chosen,
            "total": max(total, 1),
            "step": step,
            "tenths": tenths,
            "most": most_groups + 1,
            "seed": seed,
        }
        rows = await db.read(
            f"""
            SELECT round(avg(width)) AS width, round(avg(height)) AS height, sum(requests) AS n,
              sum(size_bytes * requests) AS size, seconds
            FROM ({picked}) GROUP BY width / :step, height / :step, seconds LIMIT :most
            """,
            values,
        )
        if len(rows) <= most_groups:
            break
    groups = [
        SizeGroup(int(row["width"]), int(row["height"]), row["n"], row["size"], float(row["seconds"])) for row in rows
    ]
    if not await db.read_one("SELECT 1 FROM item WHERE dataset_id = ? AND pictures > 1 LIMIT 1", (dataset_id,)):
        return PictureSizes(tuple(groups), step)
    of_further = await further_sizes(db, picked, values)
    return PictureSizes((*groups, *of_further.groups), step, of_further.most_in_one)


async def further_sizes(db: Database, picked: str, values: dict[str, Any]) -> PictureSizes:
    """Return the sizes of the further pictures of items.

    `picked` is a query that yields their `id` with `pictures` and `requests`; `values` are its, with `step`.
    """
    rows = await db.read(
        f"""
        SELECT round(avg(width)) AS width, round(avg(height)) AS height, sum(requests) AS n,
          sum(size_bytes * requests) AS size, max(pictures) AS most
        FROM (SELECT json_extract(shown.value, '$.facts.width') AS width,
                json_extract(shown.value, '$.facts.height') AS height,
                json_extract(shown.value, '$.facts.size_bytes') AS size_bytes, asked.requests, asked.pictures
              FROM ({picked}) asked JOIN item ON item.id = asked.id CROSS JOIN json_each(item.truth, '$.further') shown
              WHERE asked.pictures > 1)
        GROUP BY width / :step, height / :step
        """,
        values,
    )
    groups = (SizeGroup(int(row["width"]), int(row["height"]), row["n"], row["size"], further=True) for row in rows)
    return PictureSizes(tuple(groups), values["step"], max((row["most"] for row in rows), default=1))


async def split_counts(db: Database, dataset_id: int) -> dict[str | None, int]:
    """Return how many pictures each split holds, by name; None is the pictures without one."""
    rows = await db.read(
        "SELECT split, count(*) AS n FROM item WHERE dataset_id = ? GROUP BY split ORDER BY split", (dataset_id,)
    )
    return {row["split"]: row["n"] for row in rows}


async def category_counts(db: Database, dataset_id: int) -> list[CategoryCount]:
    """Return each category with its pictures and instances, the most frequent first. Reads every item once."""
    rows = await db.read(
        """
        SELECT category.value AS name, count(DISTINCT item.id) AS pictures, count(*) AS instances
        FROM item, json_each(item.truth, '$.categories') AS category
        WHERE item.dataset_id = ? GROUP BY category.value ORDER BY pictures DESC, name
        """,
        (dataset_id,),
    )
    return [CategoryCount(row["name"], row["pictures"], row["instances"]) for row in rows]


async def problem_page(db: Database, dataset_id: int, *, after_key: str = "", size: int = 100) -> list[ImportProblem]:
    """Return up to `size` problems whose key is above `after_key`, by rising key."""
    rows = await db.read(
        "SELECT key, place, reason FROM import_problem WHERE dataset_id = ? AND key > ? ORDER BY key LIMIT ?",
        (dataset_id, after_key, size),
    )
    return [ImportProblem(row["key"], row["place"], row["reason"]) for row in rows]


def _item_values(item: StoredItem) -> tuple[str | int | None, ...]:
    facts = item.facts
    return (
        item.key, item.path, facts.format, facts.width, facts.height, facts.size_bytes, facts.sha256,
        facts.orientation, facts.modified_ns, item.split, item.truth, item.pictures, item.further_bytes,
    )  # fmt: skip
