"""What earlier runs took: only of runs that asked in the same way, and counted by finished picture."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, Purpose, TaskOutcome
from vqa_tui.store.earlier_runs import EarlierRuns, earlier_runs
from vqa_tui.store.queue import TaskQueue

ENDPOINT: dict[str, Any] = {
    "name": "embedded",
    "kind": "openai-compatible",
    "base_url": "https://models.example.com/v1",
    "model": "m",
    "extra_body": {"reasoning_effort": "none"},
    "max_tokens_field": "max_tokens",
    "image_tokens": {"rule": "qwen", "factor": 28},
    "video": {"takes": ["data"], "tokens_per_second": 300},
}
DONE, FAILED, PENDING = TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.PENDING


def frozen(**changes: Any) -> str:
    return json.dumps(ENDPOINT | changes, sort_keys=True, separators=(",", ":"))


def record(
    kind: str = "ok",
    *,
    read: int = 1200,
    written: int = 80,
    estimated: int = 1000,
    image: int = 0,
    purpose: Purpose = Purpose.ASK,
) -> AttemptRecord:
    usage = Usage(read, written, image_tokens=image)
    return AttemptRecord("a", 1.0, 500.0, kind, usage=usage, estimated_input_tokens=estimated, purpose=purpose)


CANCELLED = AttemptRecord("a", 1.0, 500.0, "cancelled")


async def asked(
    builder: Builder, run_id: int, tasks: Sequence[tuple[TaskStatus, Sequence[AttemptRecord], AttemptRecord | None]]
) -> None:
    """Record for each task its attempts, the last of which brings the status, with a second request beside it."""
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    claimed = await queue.claim(len(tasks), now=0, pilot_only=False)
    for task, (status, attempts, hedge) in zip(claimed, tasks, strict=True):
        for attempt in attempts[:-1]:
            await queue.settle([TaskOutcome(task.id, PENDING, attempt, True, attempt_alone=True)])
        last = attempts[-1] if attempts else None
        kind = "bad_reply" if status is FAILED else None
        await queue.settle([TaskOutcome(task.id, status, last, True, kind=kind, hedge=hedge)])


async def measured(builder: Builder, *, recipe: str = "{}", name: str = "embedded", **changes: Any) -> EarlierRuns:
    found = await earlier_runs(builder.database, recipe=recipe, endpoint=frozen(**changes), endpoint_name=name)
    assert found is not None
    return found


async def test_runs_that_asked_in_the_same_way_are_summed(builder: Builder) -> None:
    dataset_id = await builder.dataset(8)
    for name in ("first", "second"):
        run_id = await builder.run(dataset_id, name=name, endpoint=frozen())
        each = [record(), record(written=120), record("bad_reply"), record(estimated=0)]
        states = [DONE, DONE, PENDING, DONE]
        await asked(builder, run_id, [(state, [one], None) for state, one in zip(states, each, strict=True)])
    await builder.run(dataset_id, name="unstarted", endpoint=frozen())

    found = await measured(builder)
    sums = (found.runs, found.pictures, found.billed, found.compared)
    assert sums == (2, 6, 6, 6)
    assert (found.estimated_input, found.billed_input, found.billed_output) == (6000, 7200, 2 * (80 + 120 + 80))
    assert found.mean_latency_ms == 500.0 and (await measured(builder, name="elsewhere")).mean_latency_ms is None


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "embedded"},
        {"base_url": "https://gateway.example.com/v1"},
        {"model": "n"},
        {"extra_body": {"reasoning_effort": "high"}},
        {"extra_body": {}},
        {"max_tokens_field": "max_completion_tokens"},
        {"image_tokens": {"rule": "fixed"}},
        {"video": {"takes": ["data"], "tokens_per_second": 100}},
    ],
)
async def test_another_way_of_asking_is_no_measure(builder: Builder, changes: dict[str, Any]) -> None:
    run_id = await builder.run(await builder.dataset(2), endpoint=frozen())
    await asked(builder, run_id, [(DONE, [record()], None)])
    database = builder.database
    assert await earlier_runs(database, recipe="{}", endpoint=frozen(**changes), endpoint_name="embedded") is None
    assert await earlier_runs(database, recipe='{"a":1}', endpoint=frozen(), endpoint_name="embedded") is None
    # The name, prices and quotas change nothing about tokens.
    assert (await measured(builder, prices={"input_per_million": "1"}, name="other")).compared == 1


async def test_pictures_that_failed_after_requests_are_pictures_too(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(12), endpoint=frozen())
    bad = record("bad_reply")
    tasks = [(DONE, [record()], None)] * 8 + [(FAILED, [bad, bad, bad], None)] * 2 + [(FAILED, [], None)]
    await asked(builder, run_id, tasks)
    found = await measured(builder)
    # One could not be read and was never sent: it says nothing about requests.
    assert (found.pictures, found.billed) == (10, 8 + 2 * 3)


async def test_second_requests_of_stragglers_are_counted_apart(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(10), endpoint=frozen())
    hedge = record(purpose=Purpose.HEDGE)
    tasks: list[Any] = [(DONE, [record()], None)] * 6
    tasks += [(DONE, [record()], hedge)] * 2
    # The second was quicker, and nothing came back from the first.
    tasks += [(DONE, [hedge], CANCELLED)] * 2
    await asked(builder, run_id, tasks)
    found = await measured(builder)
    assert (found.pictures, found.compared) == (10, 12)
    assert (found.billed, found.hedges) == (10, 4)


async def test_how_much_requests_differ_is_measured(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(4), endpoint=frozen())
    tasks = [(DONE, [record(written=written, read=read)], None) for written, read in ((50, 900), (150, 1100))]
    await asked(builder, run_id, tasks)
    found = await measured(builder)
    assert found.output_spread == pytest.approx(0.7071, abs=1e-3)
    assert found.input_spread == pytest.approx(0.1414, abs=1e-3)
    assert not found.told_image_tokens
    one = await builder.run(await builder.dataset(1, name="one"), name="one", endpoint=frozen(model="m", extra_body={}))
    await asked(builder, one, [(DONE, [record(image=700)], None)])
    alone = await measured(builder, extra_body={})
    assert alone.output_spread is None and alone.told_image_tokens
