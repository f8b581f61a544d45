"""Trainings and runs as Prometheus reads them: progress, loss, tokens, cost and failures."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vqa_tui.domain.run import RunView
from vqa_tui.domain.training import TrainingPhase, TrainingSummary
from vqa_tui.domain.training_events import Event, LeftOut, Looked, Stepped
from vqa_tui.operations.runs import list_runs, run_view
from vqa_tui.operations.trainings import list_trainings, training_events
from vqa_tui.operations.workspace import Workspace

_LOST = "lost"


@dataclass(slots=True)
class _Told:
    """What a training told of itself so far, summed up."""

    read_bytes: int = 0
    tokens: int = 0
    left_out: int = 0
    step: Stepped | None = None
    look: Looked | None = None

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Stepped():
                    self.tokens += event.tokens
                    self.step = event
                case Looked():
                    self.look = event
                case LeftOut():
                    self.left_out += 1


class Gauges:
    """Reads a workspace for Prometheus; of a training's metrics only what is new since the last time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._told: dict[int, _Told] = {}
        # Of `_told`: two who read at once would both add the same lines.
        self._one_reads = asyncio.Lock()

    async def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text form (version 0.0.4). Raises VqaError when they cannot be read."""
        async with self._one_reads:
            return await self._read()

    async def _read(self) -> bytes:
        trainings = await list_trainings(self._workspace)
        told = {each.id: self._told.get(each.id) or _Told() for each in trainings}
        for training_id, sums in told.items():
            new = await training_events(self._workspace, training_id, after_bytes=sums.read_bytes)
            sums.read_bytes = new.read_bytes
            sums.add(new.events)
        self._told = told
        shown = [each for each in await list_runs(self._workspace) if each.archived_at is None]
        views = [await run_view(self._workspace, each.id) for each in shown]
        registry = CollectorRegistry()
        registry.register(_Read([*_of_trainings(trainings, told), *_of_runs(views)]))
        return generate_latest(registry)


class _Read(Collector):
    """Metrics that were read before they were asked for."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_trainings(trainings: Iterable[TrainingSummary], told: dict[int, _Told]) -> list[Metric]:
    label = ["training"]
    phase = GaugeMetricFamily("vqa_training_phase", "1 for the phase that a training is in.", labels=[*label, "phase"])
    step = GaugeMetricFamily("vqa_training_step", "Steps done.", labels=label)
    steps = GaugeMetricFamily("vqa_training_steps", "Steps in all, once they are known.", labels=label)
    rows = GaugeMetricFamily("vqa_training_rows", "Rows to learn from.", labels=label)
    left_out = GaugeMetricFamily("vqa_training_left_out_rows", "Rows that cannot be learned from.", labels=label)
    loss = GaugeMetricFamily("vqa_training_loss", "Mean loss of the last step.", labels=label)
    held_out = GaugeMetricFamily("vqa_training_held_out_loss", "Loss on held-out rows at the last look.", labels=label)
    rate = GaugeMetricFamily("vqa_training_learning_rate", "Learning rate of the last step.", labels=label)
    seconds = GaugeMetricFamily("vqa_training_step_seconds", "Time of the last step.", labels=label)
    memory = GaugeMetricFamily("vqa_training_memory_bytes", "Highest use of the device, or the process.", labels=label)
    tokens = CounterMetricFamily("vqa_training_tokens", "Tokens learned from, pictures included.", labels=label)
    for each in trainings:
        name, sums = [each.name], told[each.id]
        current = _LOST if each.is_lost else each.phase.value
        for word in (*TrainingPhase, _LOST):
            phase.add_metric([*name, str(word)], float(word == current))
        step.add_metric(name, each.step)
        rows.add_metric(name, each.rows)
        left_out.add_metric(name, sums.left_out)
        tokens.add_metric(name, sums.tokens)
        _add(steps, name, each.total_steps)
        _add(held_out, name, None if sums.look is None else sums.look.loss)
        if (last := sums.step) is not None:
            _add(loss, name, last.loss)
            _add(rate, name, last.learning_rate)
            _add(seconds, name, last.seconds)
            _add(memory, name, last.memory_bytes)
    return [phase, step, steps, rows, left_out, loss, held_out, rate, seconds, memory, tokens]


def _of_runs(views: Iterable[RunView]) -> list[Metric]:
    label = ["run"]
    phase = GaugeMetricFamily("vqa_run_phase", "1 for the phase that a run is in.", labels=[*label, "phase"])
    tasks = GaugeMetricFamily("vqa_run_tasks", "Tasks by status.", labels=[*label, "status"])
    pairs = GaugeMetricFamily("vqa_run_pairs", "Question-answer pairs.", labels=label)
    failed = GaugeMetricFamily("vqa_run_failed_tasks", "Tasks that failed for good.", labels=[*label, "kind"])
    errors = CounterMetricFamily("vqa_run_failed_requests", "Requests that failed.", labels=[*label, "kind"])
    tokens = CounterMetricFamily("vqa_run_tokens", "Tokens as the endpoint told them.", labels=[*label, "direction"])
    cost = CounterMetricFamily("vqa_run_cost_dollars", "What was spent.", labels=label)
    budget = GaugeMetricFamily("vqa_run_budget_dollars", "What may be spent, where that is limited.", labels=label)
    for view in views:
        name = [view.name]
        phase.add_metric([*name, view.phase.value], 1)
        counts = view.counts
        for status in ("pending", "leased", "done", "failed", "skipped"):
            tasks.add_metric([*name, status], getattr(counts, status))
        pairs.add_metric(name, view.samples)
        for kind, count in view.failures.items():
            failed.add_metric([*name, kind], count)
        for kind, count in view.attempt_failures.items():
            errors.add_metric([*name, kind], count)
        tokens.add_metric([*name, "input"], view.tokens.input)
        tokens.add_metric([*name, "output"], view.tokens.output)
        _add(cost, name, float(view.cost.spent) if view.cost.price_known else None)
        _add(budget, name, None if view.limits.budget_usd is None else float(view.limits.budget_usd))
    return [phase, tasks, pairs, failed, errors, tokens, cost, budget]


def _add(family: GaugeMetricFamily | CounterMetricFamily, labels: list[str], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, value)
