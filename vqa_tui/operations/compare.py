"""Comparing two runs of one dataset: figures, settings that differ, and how far their answers agree."""

import asyncio
import heapq
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vqa_tui.domain.agreement import PictureAgreement, agreement
from vqa_tui.domain.comparison import (
    MOST_SAMPLED,
    ComparedPicture,
    Comparison,
    RunAgreement,
    RunFigures,
    SampledFigures,
    Spread,
    differences,
    percentile,
)
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import ONLY, Part
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store import compare

LEAST_SHOWN = 50
"""Pictures that agree least, of which a comparison tells."""
_PAGE = 200
"""Pictures that are read and compared at once."""


async def compare_runs(workspace: Workspace, first_id: int, second_id: int) -> Comparison:
    """Return two runs side by side. What is known of single pictures only is looked at in MOST_SAMPLED.

    Raises VqaError when one is gone, both are the same, or they are not of one dataset.
    """
    if first_id == second_id:
        raise VqaError("a run cannot be compared with itself", hint="Choose another run of the same dataset.")
    (first, first_made), (second, second_made) = [await _figures(workspace, each) for each in (first_id, second_id)]
    if first.dataset != second.dataset:
        raise VqaError(
            f"run {first.name} is of the dataset {first.dataset}, run {second.name} of {second.dataset}",
            hint="Only runs of one dataset can be compared: they must have answered the same pictures.",
        )
    return Comparison(
        first=replace(first, sampled=await _sampled(workspace, first_id)),
        second=replace(second, sampled=await _sampled(workspace, second_id)),
        differences=differences(_settings(first, first_made), _settings(second, second_made)),
        agreement=await _agreement(workspace, first_id, second_id),
    )


async def _figures(workspace: Workspace, run_id: int) -> tuple[RunFigures, compare.MadeOf]:
    found = await compare.run_figures(workspace.db, run_id)
    if found is None:
        raise VqaError(f"there is no run {run_id}")
    return found


def _settings(run: RunFigures, made: compare.MadeOf) -> dict[str, Any]:
    return {
        "recipe": {**json.loads(made.recipe), "name": run.recipe},
        "endpoint": {**json.loads(made.endpoint), "name": run.endpoint, "model": run.model},
        "limits": json.loads(made.limits),
    }


async def _sampled(workspace: Workspace, run_id: int) -> SampledFigures:
    chosen = (await compare.done_tasks(workspace.db, run_id, MOST_SAMPLED)).tasks
    latencies: list[float] = []
    lengths: list[float] = []
    flags: Counter[str] = Counter()
    for tasks in _pages(chosen):
        page = [task for task, _none in tasks]
        latencies += await compare.latencies_of_tasks(workspace.db, page)
        for pairs in (await compare.pairs_of_tasks(workspace.db, page)).values():
            for pair in pairs:
                lengths.append(len(pair.answer))
                flags.update(set(pair.flags))
    latencies.sort()
    lengths.sort()
    return SampledFigures(
        pictures=len(chosen),
        pairs=len(lengths),
        latency_p50_ms=percentile(latencies, 0.5) if latencies else None,
        latency_p95_ms=percentile(latencies, 0.95) if latencies else None,
        answer_length=Spread(*(percentile(lengths, share) for share in (0.1, 0.5, 0.9))) if lengths else None,
        flags=dict(flags),
    )


async def _agreement(workspace: Workspace, first_id: int, second_id: int) -> RunAgreement:
    found_by_both = await compare.tasks_of_both(workspace.db, first_id, second_id, MOST_SAMPLED)
    scored: list[tuple[float, int, int]] = []
    same = equal = 0
    for tasks in _pages(found_by_both.tasks):
        answers = await compare.pairs_of_tasks(workspace.db, [task for both in tasks for task in both])
        for both, found in zip(tasks, await asyncio.to_thread(_compare_page, tasks, answers), strict=True):
            if found is not None:
                scored.append((found.score, *both))
                same += found.same_questions
                equal += found.equal_answers
    least = heapq.nsmallest(LEAST_SHOWN, (each for each in scored if each[0] < 1))
    named = await compare.names_of_tasks(workspace.db, [first for _score, first, _second in least])
    return RunAgreement(
        both=found_by_both.number,
        sampled=len(scored),
        score=sum(score for score, _first, _second in scored) / len(scored) if scored else None,
        same_questions=same,
        equal_answers=equal,
        least=tuple(_compared(named, *each) for each in least),
    )


def _compared(named: dict[int, tuple[str, Part]], score: float, first: int, second: int) -> ComparedPicture:
    key, part = named.get(first, ("", ONLY))
    return ComparedPicture(key, first, second, score, part)


def _compare_page(
    tasks: Sequence[tuple[int, int]], answers: dict[int, list[compare.StoredPair]]
) -> list[PictureAgreement | None]:
    def texts(task: int) -> list[tuple[str, str]]:
        return [(pair.question, pair.answer) for pair in answers.get(task, ())]

    return [agreement(texts(first), texts(second)) for first, second in tasks]


def _pages(chosen: Sequence[tuple[int, int]]) -> list[Sequence[tuple[int, int]]]:
    return [chosen[start : start + _PAGE] for start in range(0, len(chosen), _PAGE)]
