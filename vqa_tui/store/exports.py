"""What exports read: one moment of a run, its finished pictures page by page, and where a split falls."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from operator import itemgetter

from vqa_tui.domain.clip import VIDEO
from vqa_tui.domain.export import ExportedRun, ExportPage, ExportPair, ExportPicture, ExportSource, Reviewed
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.split_shares import ends_of_sides
from vqa_tui.store.db import Database, Row

PAGE_PICTURES = 500

# Of any status: a picture that was done and is asked again has its pairs, and a failed one may have some elsewhere. The
# unary plus makes SQLite go through the tasks by id, which is their order.
_TASKS_OF_PAGE = """
  SELECT task.id, task.item_id, task.status, task.part, task.parts, item.key, item.path, item.sha256, item.truth,
    item.split
  FROM task JOIN item ON item.id = task.item_id
  WHERE +task.run_id = :run AND task.id > :after AND task.id <= :end ORDER BY task.id LIMIT :tasks
"""

# A page ends with a whole picture: all of its requests are one picture of the export.
_REST_OF_PICTURE = _TASKS_OF_PAGE.replace("+task.run_id = :run", "task.run_id = :run AND task.item_id = :item")

_PAIR = """sample.id AS sample_id, ordinal, coalesce(edited_question, question) AS question,
    coalesce(edited_answer, answer) AS answer, question_type,
    CASE WHEN verdict = 'accepted' AND (edited_question IS NOT NULL OR edited_answer IS NOT NULL)
      THEN 'edited' ELSE coalesce(verdict, 'not reviewed') END AS verdict, flags"""
_WHICH = "{taken}"
"""Stands for the pairs that are wanted, one of _TAKEN."""
_LEFT = f"{_WHICH} AS taken, verdict IS 'rejected' AS rejected"

# Pairs of the moment at which the export began; and, where a picture that had some was asked again since, those that
# have taken their place: it would be missing otherwise.
_BELONGS = """(+sample.id <= :last OR EXISTS (SELECT 1 FROM attempt
    WHERE attempt.task_id = sample.task_id AND attempt.kind = 'ok' AND +attempt.id <= :last_attempt))"""

# The unary plus keeps SQLite from walking all samples of the run for every page: the tasks of the page select them.
_SAMPLES_OF_PAGE = f"""
  SELECT task_id, {_PAIR}, {_LEFT}
  FROM sample WHERE task_id BETWEEN :first AND :after AND +run_id = :run AND {_BELONGS}
  ORDER BY task_id, ordinal
"""

_SAMPLES_ELSEWHERE = f"""
  SELECT task.item_id, task.part, task.run_id, {_PAIR}, {_LEFT}
  FROM task JOIN sample ON sample.task_id = task.id
  WHERE task.item_id IN (SELECT value FROM json_each(:items)) AND task.run_id IN (SELECT value FROM json_each(:runs))
    AND {_BELONGS}
  ORDER BY task.item_id, task.part, task.run_id DESC, ordinal
"""

_PAIRS_OF = f"SELECT 1 FROM sample WHERE task_id = {{}} AND {_BELONGS}"
_NEWEST_ELSEWHERE = f"""SELECT other.id FROM task other WHERE other.item_id = task.item_id
    AND other.part = task.part AND other.run_id IN (SELECT value FROM json_each(:runs))
    AND EXISTS ({_PAIRS_OF.format("other.id")})
    ORDER BY other.run_id DESC LIMIT 1"""

_DISTINCT_PICTURES = f"""
  SELECT DISTINCT item.sha256 FROM task JOIN item ON item.id = task.item_id
  WHERE task.run_id = :run AND CASE WHEN EXISTS ({_PAIRS_OF.format("task.id")})
    THEN EXISTS ({_PAIRS_OF.format("task.id")} AND {_WHICH})
    ELSE EXISTS ({_PAIRS_OF.format(f"({_NEWEST_ELSEWHERE})")} AND {_WHICH}) END
"""

_FOLLOW_UPS = """
  WITH RECURSIVE later (id) AS (
    SELECT id FROM run WHERE follows = :run UNION SELECT run.id FROM run JOIN later ON run.follows = later.id)
  SELECT run.id, name, endpoint_name, model, config_sha256 FROM run JOIN later ON later.id = run.id
  WHERE run.id <> :run AND run.id NOT IN (SELECT id FROM hidden_run) ORDER BY run.id DESC
"""

_TAKEN = {
    Reviewed.NOT_REJECTED: "verdict IS NOT 'rejected'",
    Reviewed.ACCEPTED: "+verdict IS 'accepted'",
    Reviewed.ANY: "true",
}


async def exported_run(
    database: Database, run_id: int, reviewed: Reviewed = Reviewed.NOT_REJECTED
) -> ExportedRun | None:
    """Return the run and the last sample that its export may hold, as of one moment; None when there is no such run."""
    async with database.snapshot():
        run = await database.read_one(
            "SELECT run.id, run.name, run_state.phase, dataset.name AS dataset, dataset.root, run.recipe_name, "
            "run.recipe, run.endpoint_name, run.model, run.config_sha256, run.parts FROM run "
            "JOIN dataset ON dataset.id = run.dataset_id JOIN run_state ON run_state.run_id = run.id "
            "WHERE run.id = ? AND run.id NOT IN (SELECT id FROM hidden_run)",
            (run_id,),
        )
        if run is None:
            return None
        tallies = await database.read("SELECT status, n FROM tally WHERE run_id = ?", (run_id,))
        follow_ups = tuple(
            ExportSource(row["id"], row["name"], row["endpoint_name"], row["model"], row["config_sha256"])
            for row in await database.read(_FOLLOW_UPS, {"run": run_id})
        )
        last_sample_id = 0
        for each in (run_id, *(source.id for source in follow_ups)):
            last = await database.read("SELECT coalesce(max(id), 0) FROM sample WHERE run_id = ?", (each,))
            last_sample_id = max(last_sample_id, int(last[0][0]))
        attempts = await database.read("SELECT coalesce(max(id), 0) FROM attempt")
        ends = await database.read(
            "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM task WHERE run_id = ?", (run_id,)
        )
    tasks: Counter[str] = Counter()
    for tally in tallies:
        tasks[tally["status"]] += tally["n"]
    return ExportedRun(
        **{name: run[name] for name in run.keys()},  # noqa: SIM118 - iterating a Row yields its values
        tasks=dict(tasks),
        last_sample_id=last_sample_id,
        last_attempt_id=int(attempts[0][0]),
        reviewed=reviewed,
        first_task_id=int(ends[0][0]),
        last_task_id=int(ends[0][1]),
        follow_ups=follow_ups,
    )


async def hashes_of_several(database: Database, run: ExportedRun) -> AsyncIterator[tuple[str, ...]]:
    """Yield the SHA-256 of all pictures of each item of several, of the dataset of a run."""
    after = 0
    while True:
        rows = await database.read(
            "SELECT id, sha256, (SELECT json_group_array(json_extract(value, '$.facts.sha256')) "
            "FROM json_each(truth, '$.further')) AS further FROM item WHERE pictures > 1 AND id > ? "
            "AND dataset_id = (SELECT dataset_id FROM run WHERE id = ?) ORDER BY id LIMIT ?",
            (after, run.id, PAGE_PICTURES),
        )
        for row in rows:
            yield (row["sha256"], *json.loads(row["further"]))
        if len(rows) < PAGE_PICTURES:
            return
        after = rows[-1]["id"]


async def hashes_of_one_video(database: Database, run: ExportedRun) -> AsyncIterator[tuple[str, str]]:
    """Yield the SHA-256 of each clip that is a file of its own, after that of the first clip of the same video; of the
    dataset of a run."""
    first_of: dict[str, str] = {}
    after = 0
    # The unary plus makes SQLite go on by id: by the index of keys it would sort all items for every page.
    while True:
        rows = await database.read(
            "SELECT id, sha256, CAST(json_extract(truth, '$.extra.cut_from.video') AS TEXT) AS video FROM item "
            "WHERE format = ? AND video IS NOT NULL AND id > ? "
            "AND +dataset_id = (SELECT dataset_id FROM run WHERE id = ?) ORDER BY id LIMIT ?",
            (VIDEO, after, run.id, PAGE_PICTURES),
        )
        for row in rows:
            first = first_of.setdefault(row["video"], row["sha256"])
            if row["sha256"] != first:
                yield first, row["sha256"]
        if len(rows) < PAGE_PICTURES:
            return
        after = rows[-1]["id"]


async def deleted_meanwhile(database: Database, run: ExportedRun) -> str | None:
    """Return the name of the run, or of one that follows it, that was deleted since the export began; None: none was.

    A deletion marks its run before anything goes, so whatever was read before this found nothing was whole.
    """
    names = {run.id: run.name, **{source.id: source.name for source in run.follow_ups}}
    rows = await database.read(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM run) "
        "OR value IN (SELECT id FROM deleted_run)",
        (json.dumps(list(names)),),
    )
    return names[rows[0]["value"]] if rows else None


async def exported_pictures(
    database: Database, run: ExportedRun, *, page_pictures: int = PAGE_PICTURES
) -> AsyncIterator[ExportPage]:
    """Yield the pictures of `run` that have pairs which `run.reviewed` means, in the order of its tasks.

    All requests about a picture make one, with their pairs in order. One without pairs in the run itself comes with
    those of the newest follow-up that has some; one whose own are all rejected has pairs, and comes with none.
    Every page is two short reads or three, so that no transaction stays open while files are written. The engine stores
    all pairs of a picture in one transaction: a picture is exported whole or, when it came later, not at all; one that
    was asked again since the export began comes with the pairs that it has now.
    """
    after = run.first_task_id - 1
    while True:
        tasks = await _tasks_of_page(database, run, after, page_pictures)
        if not tasks:
            return
        first, after = tasks[0]["id"], tasks[-1]["id"]
        samples = await database.read(
            _SAMPLES_OF_PAGE.replace(_WHICH, _TAKEN[run.reviewed]),
            {**_moment(run), "run": run.id, "first": first, "after": after},
        )
        by_task: dict[int, list[Row]] = {}
        for sample in samples:
            by_task.setdefault(sample["task_id"], []).append(sample)
        without = [task["item_id"] for task in tasks if task["id"] not in by_task]
        elsewhere = await _pairs_elsewhere(database, run, without)
        yield _page(run, tasks, by_task, elsewhere)


async def _tasks_of_page(database: Database, run: ExportedRun, after: int, count: int) -> list[Row]:
    bounds = {"run": run.id, "end": run.last_task_id}
    tasks = await database.read(_TASKS_OF_PAGE, {**bounds, "after": after, "tasks": count})
    if tasks and tasks[-1]["part"] + 1 < tasks[-1]["parts"]:
        last = tasks[-1]
        tasks += await database.read(
            _REST_OF_PICTURE, {**bounds, "item": last["item_id"], "after": last["id"], "tasks": last["parts"]}
        )
    return tasks


def _moment(run: ExportedRun) -> dict[str, int]:
    return {"last": run.last_sample_id, "last_attempt": run.last_attempt_id}


def _page(
    run: ExportedRun,
    tasks: Sequence[Row],
    by_task: dict[int, list[Row]],
    elsewhere: dict[tuple[int, int], tuple[ExportSource, list[Row]]],
) -> ExportPage:
    pictures, left = [], []
    for _item, requests in groupby(tasks, key=itemgetter("item_id")):
        taken: list[ExportPair] = []
        statuses = []
        asked, before = None, 0
        for asked in requests:
            own = by_task.get(asked["id"])
            source, samples = (None, own) if own else elsewhere.get((asked["item_id"], asked["part"]), (None, []))
            pairs = [_pair(sample, asked["part"], source, before) for sample in samples if sample["taken"]]
            left += [sample for sample in samples if not sample["taken"]]
            before += len(samples)
            if pairs:
                taken += pairs
                statuses.append(asked["status"])
        if asked is not None and taken:
            truth = GroundTruth.model_validate_json(asked["truth"])
            pictures.append(
                ExportPicture(
                    asked["key"], asked["path"], asked["sha256"], truth, tuple(taken), tuple(statuses), asked["split"]
                )
            )
    rejected = sum(sample["rejected"] for sample in left)
    return ExportPage(tuple(pictures), rejected, len(left) - rejected)


async def _pairs_elsewhere(
    database: Database, run: ExportedRun, items: Sequence[int]
) -> dict[tuple[int, int], tuple[ExportSource, list[Row]]]:
    """Return by item and part the newest follow-up that has pairs of it, and these pairs."""
    found: dict[tuple[int, int], tuple[ExportSource, list[Row]]] = {}
    if not run.follow_ups or not items:
        return found
    sources = {source.id: source for source in run.follow_ups}
    samples = await database.read(
        _SAMPLES_ELSEWHERE.replace(_WHICH, _TAKEN[run.reviewed]),
        {**_moment(run), "items": json.dumps(sorted(set(items))), "runs": json.dumps(list(sources))},
    )
    for sample in samples:
        place = (sample["item_id"], sample["part"])
        source, pairs = found.setdefault(place, (sources[sample["run_id"]], []))
        if source.id == sample["run_id"]:
            pairs.append(sample)
    return found


def _pair(sample: Row, part: int, source: ExportSource | None, before: int) -> ExportPair:
    return ExportPair(
        before + sample["ordinal"],
        sample["question"],
        sample["answer"],
        sample["question_type"],
        sample["verdict"],
        part,
        source,
        sample["sample_id"],
        () if sample["flags"] == "[]" else tuple(json.loads(sample["flags"])),
    )


async def last_hashes(database: Database, run: ExportedRun, shares: Sequence[float]) -> tuple[str, ...]:
    """Return the greatest picture SHA-256 of each side of a split but the last, as `ends_of_sides` counts; '' when the
    run has no pictures yet.

    Splitting by the hash itself puts equal pictures on one side, and moves few pictures to another side while a run
    grows.
    """
    bounds = {
        **_moment(run),
        "run": run.id,
        "runs": json.dumps([source.id for source in run.follow_ups]),
    }
    distinct = _DISTINCT_PICTURES.replace(_WHICH, _TAKEN[run.reviewed])
    total = (await database.read(f"SELECT count(*) FROM ({distinct})", bounds))[0][0]
    found = []
    for end in ends_of_sides(total, shares):
        rows = await database.read(
            f"{distinct} ORDER BY item.sha256 LIMIT 1 OFFSET :skip", {**bounds, "skip": max(min(end, total) - 1, 0)}
        )
        found.append(str(rows[0]["sha256"]) if rows else "")
    return tuple(found)
