"""A dataset of any size and a run over it that is partly worked off: rows made inside SQLite, files shared."""

import asyncio
import json
import time
from dataclasses import dataclass

from _stage import Stage

from vqa_tui.domain.normal_form import normal_form
from vqa_tui.domain.run import Phase
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import runs
from vqa_tui.store.db import Transaction

PAIRS = 2
"""Pairs of each answered picture."""
_SHARE_DONE, _SHARE_FAILED = 0.20, 0.05
_AT_ONCE = 20_000
"""Tasks that are settled in one transaction."""
_PAST_S = 3 * 3600
"""Seconds over which the settled part was worked off."""
_FAILURES = (
    ("bad_reply", "the reply is not JSON: expected value at line 1, column {}"),
    ("bad_reply", "the reply has {} pairs, 10 were wanted"),
    ("server", "HTTP 503: upstream connect error, request {} was not served"),
    ("refused", "I cannot help with picture {}."),
    ("bad_image", "HTTP 400: image {} exceeds 10 MB"),
)
_CAPTION = "A grey square of noise without any object in it, evenly lit, with no text and nothing that stands out."


@dataclass(frozen=True, slots=True)
class Settled:
    """How many tasks of a run were settled."""

    done: int
    failed: int


async def multiply_items(workspace: Workspace, items: int) -> None:
    """Copy the imported pictures until the dataset has `items`: keys of their own, paths shared, a category each."""
    (row,) = await workspace.db.read("SELECT max(id) AS drawn, min(id) AS first FROM item")
    drawn = row["drawn"] - row["first"] + 1
    async with workspace.db.write() as transaction:
        await transaction.execute(
            "WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < :copies) "
            "INSERT INTO item (dataset_id, key, path, format, width, height, size_bytes, sha256, orientation, "
            "modified_ns, split, truth) SELECT dataset_id, printf('%04d/%s', n, key), path, format, width, height, "
            "size_bytes, sha256, orientation, modified_ns, iif(id % 10, 'train', 'val'), "
            "json_object('categories', json_array(iif(id % 2, 'noise', 'speck'))) "
            "FROM copy CROSS JOIN (SELECT * FROM item ORDER BY id LIMIT :drawn) "
            "WHERE n * :drawn + id - :first < :items",
            {"copies": items // drawn, "drawn": drawn, "first": row["first"], "items": items},
        )


async def settle_share(workspace: Workspace, run_id: int) -> Settled:
    """Settle the first quarter of a run as an engine would in three hours: four of five answered, one failed."""
    (row,) = await workspace.db.read("SELECT min(id) AS low, count(*) AS n FROM task WHERE run_id = ?", (run_id,))
    low, settled = row["low"], int(row["n"] * (_SHARE_DONE + _SHARE_FAILED))
    session = await runs.begin_session(workspace.db, run_id, 1)
    began = time.time() - _PAST_S
    await _settle_tasks(workspace, run_id, session, low, settled, began)
    async with workspace.db.write() as transaction:
        await transaction.execute(
            "WITH RECURSIVE second(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM second WHERE n < :past - 1) "
            "INSERT INTO metric (run_id, at, session_id, done, failed, in_flight, slots, rate_limited, input_tokens, "
            "output_tokens, spent_nano, p50_ms, p95_ms) SELECT :run, :began + n, :session, :done * n / :past, "
            ":failed * n / :past, 64, 64, 0, 0, 0, 0, 800 + n % 90, 1900 + n % 170 FROM second",
            {"run": run_id, "session": session, "began": int(began), "past": _PAST_S,
             "done": settled * 4 // 5, "failed": settled // 5},
        )  # fmt: skip
    await runs.set_phase(workspace.db, run_id, Phase.STOPPED, "benchmark")
    await runs.end_session(workspace.db, run_id, session, "benchmark")
    counts = await workspace.db.read("SELECT status, sum(n) AS n FROM tally WHERE run_id = ? GROUP BY 1", (run_id,))
    found = {row["status"]: row["n"] for row in counts}
    return Settled(found["done"], found["failed"])


async def _settle_tasks(workspace: Workspace, run_id: int, session: int, low: int, settled: int, began: float) -> None:
    for start in range(0, settled, _AT_ONCE):
        end = min(start + _AT_ONCE, settled)
        facts = {
            "run": run_id, "session": session, "low": low + start, "high": low + end - 1,
            "began": began + _PAST_S * start / settled, "step": _PAST_S / settled,
        }  # fmt: skip
        async with workspace.db.write() as transaction:
            await _answer(transaction, facts)
            for number, (kind, message) in enumerate(_FAILURES):
                await _fail(transaction, facts, number, kind, message)


# Of five tasks in a row the first has failed; which message it met follows from its id.
_ANSWERED = "task.id BETWEEN :low AND :high AND task.id % 5 <> 0"
_FAILED = f"task.id BETWEEN :low AND :high AND task.id % 5 = 0 AND task.id / 5 % {len(_FAILURES)} = :number"


async def _answer(transaction: Transaction, facts: dict[str, object]) -> None:
    await transaction.execute(
        "INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, latency_ms, http_status, "
        "kind, input_tokens, output_tokens, cost_nano, finish_reason, model, raw_reply) "
        "SELECT :run, task.id, 1, :session, 'main', :began + (task.id - :low) * :step, 200 + task.id * 7919 % 1800, "
        "200, 'ok', 1000, 40, 90000 + task.id * 7919 % 60000, "
        f"'stop', 'bench', :reply FROM task WHERE {_ANSWERED} ORDER BY task.id",
        {**facts, "reply": json.dumps({"caption": _CAPTION * 3})},
    )
    await transaction.execute(
        "INSERT INTO sample (run_id, task_id, ordinal, question, answer, question_type, flags) "
        "SELECT :run, task.id, n.value, "
        "'What is in part ' || n.value || ' of picture ' || task.id || '?', :caption, "
        'json_extract(\'["description", "count", "colour", "place"]\', \'$[\' || ((task.id + n.value) % 4) || \']\'), '
        "iif(task.id % 20 = 1, '[\"short\"]', '[]') FROM task CROSS JOIN json_each(:ordinals) n "
        f"WHERE {_ANSWERED} ORDER BY task.id, n.value",
        {**facts, "caption": _CAPTION, "ordinals": json.dumps(list(range(PAIRS)))},
    )
    await transaction.execute(
        "UPDATE task SET status = 'done', attempts = 1, attempts_spent = 1, "
        f"finished_at = :began + (task.id - :low) * :step + 1 WHERE {_ANSWERED}",
        facts,
    )


async def _fail(transaction: Transaction, facts: dict[str, object], number: int, kind: str, message: str) -> None:
    failure = {"run": facts["run"], "kind": kind, "form": normal_form(message.format(7))}
    await transaction.execute(
        "INSERT INTO failure_cluster (run_id, kind, form) VALUES (:run, :kind, :form) ON CONFLICT DO NOTHING", failure
    )
    (row,) = await transaction.rows(
        "SELECT id FROM failure_cluster WHERE run_id = :run AND kind = :kind AND form = :form", failure
    )
    facts = {**facts, "number": number, "kind": kind, "cluster": row["id"], "message": message.replace("{}", "%d")}
    await transaction.execute(
        "INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, latency_ms, kind, message, "
        "cost_nano, cluster_id) SELECT :run, task.id, n.value, :session, 'main', "
        ":began + (task.id - :low) * :step + n.value, 450, :kind, printf(:message, task.id), 30000, :cluster "
        "FROM task CROSS JOIN json_each('[1, 2]') n "
        f"WHERE {_FAILED} ORDER BY task.id, n.value",
        facts,
    )
    await transaction.execute(
        "UPDATE task SET status = 'failed', attempts = 2, attempts_spent = 2, last_kind = :kind, "
        "last_problem = printf(:message, task.id), cluster_id = :cluster, "
        f"finished_at = :began + (task.id - :low) * :step + 3 WHERE {_FAILED}",
        facts,
    )


def crowded_run(stage: Stage, url: str, items: int, in_flight: int) -> tuple[int, Settled]:
    """Give a stage whose dataset is loaded `items` pictures and a run over them, a quarter of it settled."""

    async def multiply() -> None:
        async with open_workspace(stage.folder) as workspace:
            await multiply_items(workspace, items)

    async def settle(run_id: int) -> Settled:
        async with open_workspace(stage.folder) as workspace:
            return await settle_share(workspace, run_id)

    asyncio.run(multiply())
    run_id = stage.create(url, in_flight)
    return run_id, asyncio.run(settle(run_id))
