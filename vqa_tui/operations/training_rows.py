"""The rows behind a step of a training, and rejecting the pairs that they were made of."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import BY_HAND, Judgement, ReviewPair, Seen, Verdict
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import reviewing

_ID = b'{"id":'


@dataclass(frozen=True, slots=True)
class PairOfRow:
    """A question-answer pair of the workspace that a row was made of."""

    run_id: int
    pair: ReviewPair


async def training_rows(workspace: Workspace, training_id: int, ids: Sequence[int]) -> dict[int, TrainingRow]:
    """Return those of `ids` that are rows of the training, held-out ones too, by id.

    Raises VqaError when its data cannot be read.
    """
    folder = workspace.paths.training_folder(training_id)
    try:
        return await asyncio.to_thread(_rows_of, (folder / ROWS, folder / HELD_OUT), frozenset(ids))
    except OSError as error:
        raise VqaError(f"the data of the training cannot be read: {error.strerror or error}") from error


async def pairs_of_row(workspace: Workspace, row: TrainingRow) -> tuple[PairOfRow, ...]:
    """Return the pairs that a row was made of and that are still there; none where it names none."""
    if not row.pairs:
        return ()
    found: list[PairOfRow] = []
    runs = await reviewing.runs_of_pairs(workspace.db, row.pairs)
    for run_id in sorted(set(runs.values())):
        for pair in (await reviewing.pairs(workspace.db, run_id, row.pairs)).values():
            found.append(PairOfRow(run_id, pair))
    return tuple(found)


async def reject_pairs(workspace: Workspace, pairs: Iterable[PairOfRow]) -> int:
    """Reject pairs as a reviewer would, so that exports leave them out; return how many.

    Raises VqaError when one is gone, or was judged by somebody since it was read.
    """
    rejected = 0
    for each in pairs:
        sample = each.pair.sample
        judgement = Judgement(sample.id, Verdict.REJECTED, None, None, BY_HAND, Seen.of(sample))
        await reviewing.judge(workspace.db, each.run_id, judgement, who=operator())
        rejected += 1
    return rejected


def _rows_of(files: Sequence[Path], wanted: frozenset[int]) -> dict[int, TrainingRow]:
    found: dict[int, TrainingRow] = {}
    for file in files:
        if not file.exists():
            continue
        with file.open("rb") as lines:
            for line in lines:
                if len(found) == len(wanted):
                    return found
                number = line[len(_ID) : line.find(b",")] if line.startswith(_ID) else b""
                if number.isdigit() and int(number) in wanted:
                    row = TrainingRow.of_json(line.decode("utf-8", "replace"))
                    found[row.id] = row
    return found
