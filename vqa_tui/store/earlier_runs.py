"""What earlier runs of the same recipe and model really took: the measure of an estimate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.work import Purpose
from vqa_tui.store.db import Database

_NEWEST = 5
_SAMPLE_TASKS = 400
"""Finished pictures, of each run, that are looked at one by one."""
_SAME = ("kind", "base_url", "extra_body", "max_tokens_field", "image_tokens", "video.tokens_per_second")
"""Fields of an endpoint that decide how many tokens are read, written or expected, beside its model."""


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """Sums over the newest runs that asked the same recipe of the same model in the same way."""

    runs: int
    pictures: int
    """Finished, well or badly, with at least one request."""
    billed: int
    """Requests that were paid, without those that asked a straggler a second time."""
    compared: int
    """Requests that were estimated and whose usage was reported; the next three are of these."""
    estimated_input: int
    billed_input: int
    billed_output: int
    mean_latency_ms: float | None
    """Of answered requests at this endpoint."""
    hedges: int = 0
    """Requests that asked a straggler a second time."""
    output_spread: float | None = None
    """Standard deviation ÷ mean of the output of one request, in a sample; None where there are too few."""
    input_spread: float | None = None
    """The same of billed ÷ estimated input."""
    told_image_tokens: bool = False
    """Whether any report told a picture's tokens apart."""


async def earlier_runs(db: Database, *, recipe: str, endpoint: str, endpoint_name: str) -> EarlierRuns | None:
    """Return what the newest runs of the frozen `recipe` took; None when none was answered.

    `endpoint` is the frozen endpoint that shall be asked. Runs count only where theirs had the same model, kind,
    address, free fields (thinking is one), field of the token limit, image-token rule and tokens of a second of video:
    a rehearsal says nothing about a paid model, nor does one way of asking, or of expecting, about another.
    """
    same = " AND ".join(
        f"json_extract(endpoint, '$.{field}') IS json_extract(:endpoint, '$.{field}')" for field in _SAME
    )
    like_it = [
        row["id"]
        for row in await db.read(
            "SELECT id FROM run WHERE recipe = :recipe AND model = json_extract(:endpoint, '$.model') "
            f"AND {same} AND EXISTS (SELECT 1 FROM attempt_tally WHERE run_id = run.id AND compared_n > 0) "
            "ORDER BY id DESC LIMIT :newest",
            {"recipe": recipe, "endpoint": endpoint, "newest": _NEWEST},
        )
    ]
    if not like_it:
        return None
    marks = ", ".join("?" for _ in like_it)
    (sums,) = await db.read(
        f"""
        SELECT coalesce(sum(compared_n), 0) AS compared,
          coalesce(sum(estimated_input_tokens), 0) AS estimated_input,
          coalesce(sum(compared_input_tokens), 0) AS billed_input,
          coalesce(sum(compared_output_tokens), 0) AS billed_output,
          coalesce(sum(image_tokens), 0) AS image_tokens,
          sum(CASE WHEN kind = 'ok' AND endpoint_name = ? THEN latency_ms END)
            / sum(CASE WHEN kind = 'ok' AND endpoint_name = ? THEN n END) AS mean_latency_ms
        FROM attempt_tally JOIN run ON run.id = attempt_tally.run_id WHERE run_id IN ({marks})
        """,
        (endpoint_name, endpoint_name, *like_it),
    )
    # A picture that could not be read failed without a request.
    (finished,) = await db.read(
        f"""
        SELECT (SELECT coalesce(sum(n), 0) FROM tally WHERE status = 'done' AND run_id IN ({marks}))
          + (SELECT count(*) FROM task WHERE status = 'failed' AND attempts > 0 AND run_id IN ({marks})) AS pictures
        """,
        (*like_it, *like_it),
    )
    if not finished["pictures"]:
        return None
    sample = [row for run_id in like_it for row in await _sample(db, run_id)]
    compared = [row for row in sample if row["estimated_input_tokens"]]
    hedged, abandoned = _hedges(sample)
    share = 1 / max(len({row["task_id"] for row in sample}), 1)
    # Of two requests for one picture, one would have been paid without hedging; the other may have no report.
    billed = sums["compared"] - (hedged - abandoned) * share * finished["pictures"]
    return EarlierRuns(
        len(like_it),
        finished["pictures"],
        max(round(billed), 0),
        sums["compared"],
        sums["estimated_input"],
        sums["billed_input"],
        sums["billed_output"],
        sums["mean_latency_ms"],
        hedges=round(hedged * share * finished["pictures"]),
        output_spread=_spread([row["output_tokens"] for row in compared]),
        input_spread=_spread([row["input_tokens"] / row["estimated_input_tokens"] for row in compared]),
        told_image_tokens=sums["image_tokens"] > 0,
    )


async def _sample(db: Database, run_id: int) -> Sequence[Any]:
    """Return the requests of some finished pictures of a run, the last in its order."""
    return await db.read(
        """
        WITH done AS (SELECT id FROM task WHERE run_id = :run AND status = 'done' ORDER BY id DESC LIMIT :most),
        failed AS (
          SELECT id FROM task WHERE run_id = :run AND status = 'failed' AND attempts > 0 ORDER BY id DESC LIMIT :most),
        finished AS (SELECT id FROM (SELECT id FROM done UNION ALL SELECT id FROM failed) ORDER BY id DESC LIMIT :most)
        SELECT task_id, kind, purpose, input_tokens, output_tokens, estimated_input_tokens
        FROM finished JOIN attempt ON attempt.task_id = finished.id
        """,
        {"run": run_id, "most": _SAMPLE_TASKS},
    )


def _hedges(sample: Iterable[Any]) -> tuple[int, int]:
    """Return how many second requests there were, and how many requests beside them were given up without a report."""
    rows = list(sample)
    hedged = {row["task_id"] for row in rows if row["purpose"] == Purpose.HEDGE}
    given_up = sum(
        row["task_id"] in hedged and row["kind"] == FailureKind.CANCELLED and not row["estimated_input_tokens"]
        for row in rows
    )
    seconds = sum(row["purpose"] == Purpose.HEDGE for row in rows)
    return seconds, min(given_up, seconds)


def _spread(values: Sequence[float]) -> float | None:
    """Return the standard deviation ÷ mean; None for fewer than two values or a mean of zero."""
    if len(values) < 2 or not (mean := sum(values) / len(values)):
        return None
    return sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) / mean
