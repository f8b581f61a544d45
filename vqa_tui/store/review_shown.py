"""What a reviewer was shown of pairs by a command, for the command that judges them later."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from vqa_tui.domain.review import Seen
from vqa_tui.domain.sample import Sample
from vqa_tui.store.db import Database


async def note_shown(database: Database, run_id: int, samples: Iterable[Sample], *, who: str) -> None:
    """Remember how these pairs stood when they were shown to `who`; what was shown of them before is forgotten."""
    async with database.write() as transaction:
        await transaction.execute_many(
            "INSERT OR REPLACE INTO review_shown (run_id, who, sample_id, seen) VALUES (?, ?, ?, ?)",
            [(run_id, who, sample.id, json.dumps(asdict(Seen.of(sample)))) for sample in samples],
        )


async def shown_to(database: Database, run_id: int, ids: Sequence[int], *, who: str) -> dict[int, Seen]:
    """Return how those of `ids` stood, by id, that were shown to `who`."""
    rows = await database.read(
        "SELECT sample_id, seen FROM review_shown WHERE run_id = ? AND who = ? "
        "AND sample_id IN (SELECT value FROM json_each(?))",
        (run_id, who, json.dumps(list(ids))),
    )
    return {row["sample_id"]: Seen(**json.loads(row["seen"])) for row in rows}
