"""What exports read: one moment of a run, its finished pictures page by page, and where a split falls."""

from collections import Counter
from collections.abc import AsyncIterator

from vqa_tui.domain.export import ExportedRun, ExportPair, ExportPicture
from vqa_tui.domain.item import GroundTruth
from vqa_tui.store.db import Database, Row

PAGE_PICTURES = 500

_TASKS_OF_PAGE = """
  SELECT task.id, item.key, item.path, item.sha256, item.truth FROM task JOIN item ON item.id = task.item_id
  WHERE task.run_id = :run AND task.status = 'done' AND task.id > :after ORDER BY task.id LIMIT :pictures
"""

# The unary plus keeps SQLite from walking all samples of the run for every page: the tasks of the page select them.
_SAMPLES_OF_PAGE = """
  SELECT task_id, ordinal, question, answer, question_type FROM sample
  WHERE task_id BETWEEN :first AND :after AND +run_id = :run AND +id <= :last AND verdict IS NOT 'rejected'
  ORDER BY task_id, ordinal
"""

_DISTINCT_PICTURES = """
  SELECT DISTINCT item.sha256 FROM task JOIN item ON item.id = task.item_id
  WHERE task.run_id = :run AND task.status = 'done' AND EXISTS (
    SELECT 1 FROM sample WHERE task_id = task.id AND +sample.id <= :last AND verdict IS NOT 'rejected')
"""


async def exported_run(database: Database, run_id: int) -> ExportedRun | None:
    """Return the run and the last sample that its export may hold, as of one moment; None when there is no such run."""
    async with database.snapshot():
        run = await database.read_one(
            "SELECT run.id, run.name, run_state.phase, dataset.name AS dataset, dataset.root, run.recipe_name, "
            "run.recipe, run.endpoint_name, run.model, run.config_sha256 FROM run "
            "JOIN dataset ON dataset.id = run.dataset_id JOIN run_state ON run_state.run_id = run.id WHERE run.id = ?",
            (run_id,),
        )
        if run is None:
            return None
        tallies = await database.read("SELECT status, n FROM tally WHERE run_id = ?", (run_id,))
        last = await database.read("SELECT coalesce(max(id), 0) FROM sample WHERE run_id = ?", (run_id,))
    last_sample_id = int(last[0][0])
    rejected = await database.read(
        "SELECT count(*) FROM sample WHERE run_id = ? AND id <= ? AND verdict = 'rejected'", (run_id, last_sample_id)
    )
    tasks: Counter[str] = Counter()
    for tally in tallies:
        tasks[tally["status"]] += tally["n"]
    return ExportedRun(
        **{name: run[name] for name in run.keys()},  # noqa: SIM118 - iterating a Row yields its values
        tasks=dict(tasks),
        rejected_pairs=rejected[0][0],
        last_sample_id=last_sample_id,
    )


async def exported_pictures(
    database: Database, run: ExportedRun, *, page_pictures: int = PAGE_PICTURES
) -> AsyncIterator[list[ExportPicture]]:
    """Yield the finished pictures of `run` in the order of its tasks, each with its pairs that were not rejected.

    Every page is two short reads, so that no transaction stays open while files are written. The engine stores all
    pairs of a picture in one transaction: a picture is exported whole or, when it came later, not at all.
    """
    after = 0
    while True:
        tasks = await database.read(_TASKS_OF_PAGE, {"run": run.id, "after": after, "pictures": page_pictures})
        if not tasks:
            return
        first, after = tasks[0]["id"], tasks[-1]["id"]
        samples = await database.read(
            _SAMPLES_OF_PAGE, {"run": run.id, "last": run.last_sample_id, "first": first, "after": after}
        )
        by_task: dict[int, list[ExportPair]] = {}
        for sample in samples:
            by_task.setdefault(sample["task_id"], []).append(
                ExportPair(sample["ordinal"], sample["question"], sample["answer"], sample["question_type"])
            )
        page = [_picture(task, by_task[task["id"]]) for task in tasks if task["id"] in by_task]
        if page:
            yield page


async def last_training_hash(database: Database, run: ExportedRun, training_share: float) -> str:
    """Return the greatest picture SHA-256 of the training side; what is greater belongs to validation.

    Splitting by the hash itself puts equal pictures on one side, and moves few pictures to the other side while a run
    grows. The share of distinct pictures is met as nearly as possible, with at least one on each side where there are
    two; '' when the run has no pictures yet.
    """
    bounds = {"run": run.id, "last": run.last_sample_id}
    total = (await database.read(f"SELECT count(*) FROM ({_DISTINCT_PICTURES})", bounds))[0][0]
    if total == 0:
        return ""
    training = min(max(round(total * training_share), 1), max(total - 1, 1))
    rows = await database.read(
        f"{_DISTINCT_PICTURES} ORDER BY item.sha256 LIMIT 1 OFFSET :skip", {**bounds, "skip": training - 1}
    )
    return str(rows[0]["sha256"]) if rows else ""


def _picture(task: Row, pairs: list[ExportPair]) -> ExportPicture:
    return ExportPicture(
        task["key"], task["path"], task["sha256"], GroundTruth.model_validate_json(task["truth"]), tuple(pairs)
    )
