"""What earlier runs of the same recipe and model really took: the measure of an estimate."""

from dataclasses import dataclass

from vqa_tui.store.db import Database

_NEWEST = 5


@dataclass(frozen=True, slots=True)
class EarlierRuns:
    """Sums over the newest runs that asked the same recipe of the same model by the same picture rule."""

    runs: int
    pictures: int
    """Answered."""
    billed: int
    """Requests whose usage was reported."""
    compared: int
    """Those of them that were also estimated; the next three are of these."""
    estimated_input: int
    billed_input: int
    billed_output: int
    mean_latency_ms: float | None
    """Of answered requests at this endpoint."""


async def earlier_runs(
    db: Database, *, recipe: str, model: str, endpoint_name: str, image_tokens: str
) -> EarlierRuns | None:
    """Return what the newest runs of the frozen `recipe` on `model` took; None when none was answered.

    `image_tokens` is the JSON of the endpoint's image-token rule as `freeze` writes it: an estimate by another rule
    says nothing about this one.
    """
    row = await db.read_one(
        """
        WITH like_it AS (
          SELECT id, endpoint_name FROM run
          WHERE recipe = :recipe AND model = :model
            AND json_extract(endpoint, '$.image_tokens') = json(:image_tokens)
            AND EXISTS (SELECT 1 FROM attempt_tally WHERE run_id = run.id AND compared_n > 0)
          ORDER BY id DESC LIMIT :newest)
        SELECT count(DISTINCT run_id) AS runs,
          coalesce(sum(CASE WHEN input_tokens > 0 THEN n END), 0) AS billed,
          coalesce(sum(compared_n), 0) AS compared,
          coalesce(sum(estimated_input_tokens), 0) AS estimated_input,
          coalesce(sum(compared_input_tokens), 0) AS billed_input,
          coalesce(sum(compared_output_tokens), 0) AS billed_output,
          sum(CASE WHEN kind = 'ok' AND endpoint_name = :endpoint THEN latency_ms END)
            / sum(CASE WHEN kind = 'ok' AND endpoint_name = :endpoint THEN n END) AS mean_latency_ms,
          (SELECT coalesce(sum(n), 0) FROM tally WHERE status = 'done' AND run_id IN (SELECT id FROM like_it))
            AS pictures
        FROM attempt_tally JOIN like_it ON like_it.id = attempt_tally.run_id
        """,
        {
            "recipe": recipe,
            "model": model,
            "endpoint": endpoint_name,
            "image_tokens": image_tokens,
            "newest": _NEWEST,
        },
    )
    if row is None or not row["compared"] or not row["pictures"]:
        return None
    return EarlierRuns(
        row["runs"], row["pictures"], row["billed"], row["compared"], row["estimated_input"], row["billed_input"],
        row["billed_output"], row["mean_latency_ms"],
    )  # fmt: skip
