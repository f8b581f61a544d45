"""`/metrics` is what Prometheus reads, and says what the screens say."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import Api, served
from tests.tui.workshop import DONE, SERVER, opened_workshop
from vqa_tui.api import gauges
from vqa_tui.api.gauges import Gauges
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.domain.training_events import Stepped, event_line
from vqa_tui.operations.trainings import training_events
from vqa_tui.store import trainings


async def samples(api: Api) -> dict[tuple[str, ...], float]:
    answer = await api.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_trainings(api: Api) -> None:
    number = await api.made()
    found = await samples(api)
    assert found[("vqa_training_step", "bags")] == found[("vqa_training_steps", "bags")] == 2
    assert found[("vqa_training_tokens_total", "bags")] == 84
    assert found[("vqa_training_loss", "bags")] == 2.5
    assert found[("vqa_training_held_out_loss", "bags")] == 2.75
    assert found[("vqa_training_phase", "done", "bags")] == 1
    await trainings.report_phase(api.workspace.db, number, TrainingPhase.TRAINING)
    folder = api.workspace.paths.training_folder(number)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(event_line(Stepped(9.0, 3, 1.5, None, 0.01, None, 0.5, 16, (5,))) + "\n")
    found = await samples(api)
    assert found[("vqa_training_tokens_total", "bags")] == 100
    assert ("vqa_training_loss", "bags") not in found
    assert found[("vqa_training_phase", "lost", "bags")] == 1
    await api.ask("DELETE", f"/api/v1/training/jobs/{number}")
    assert [name for name in await samples(api) if "training" in name[0]] == []


async def test_who_read_at_the_same_time_count_each_line_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has come as far as it can while the first reads: to the file too, or to where it waits."""

    class TellingLock(asyncio.Lock):
        async def acquire(self) -> Literal[True]:
            if self.locked():
                both_came.set()
            return await super().acquire()

    number = await api.made()
    read = Gauges(api.workspace)
    await read.exposition()
    read._one_reads = TellingLock()
    with (api.workspace.paths.training_folder(number) / "metrics.jsonl").open("a") as file:
        file.write(event_line(Stepped(9.0, 3, 1.5, None, 0.01, None, 0.5, 16, (5,))) + "\n")
    read_by, both_came = count(1), asyncio.Event()

    async def slowly(*given: Any, **named: Any) -> Any:
        if next(read_by) == 2:
            both_came.set()
        await both_came.wait()
        return await training_events(*given, **named)

    monkeypatch.setattr(gauges, "training_events", slowly)
    async with asyncio.timeout(30):
        for body in await asyncio.gather(read.exposition(), read.exposition()):
            assert b'vqa_training_tokens_total{training="bags"} 100.0' in body


async def test_runs(tmp_path: Path) -> None:
    async with opened_workshop(tmp_path, pictures=3) as made:
        await made.run([DONE, DONE, SERVER])
    async with served(tmp_path) as api:
        found = await samples(api)
        (run,) = (await api.ask("GET", "/api/v1/runs")).json["runs"]
    name = run["name"]
    assert found[("vqa_run_tasks", name, "done")] == run["counts"]["done"] == 2
    assert found[("vqa_run_failed_tasks", "server", name)] == 1
    assert found[("vqa_run_cost_dollars_total", name)] == run["spent"] == 2 * 137_000e-9
    assert found[("vqa_run_pairs", name)] == 2
