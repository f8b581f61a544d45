"""The course of one training: what its trainer told, gathered into curves, checkpoints, answers and rows."""

import heapq
import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from vqa_tui.domain.training_events import Answered, Ended, Event, LeftOut, Looked, Saved, Started, Stepped

SMOOTHING = 0.9
"""Weight of what was before in the smoothed loss: an exponential mean over some ten steps, corrected at its start."""
_RATE_WITHIN_S = 120.0
_RATE_LEAST_STEPS = 10
_LAST_FEW = 5
"""Looks, or checkpoints, whose mean time stands for those to come."""
_SPIKES_KEPT = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the present session learns, without its looks and checkpoints."""

    steps_per_s: float
    tokens_per_s: float


@dataclass(frozen=True, slots=True)
class Spike:
    """A step whose loss stands out of the smoothed loss before it."""

    step: int
    loss: float
    above: float
    """Loss beyond the smoothed one."""


class TrainingCourse:
    """Takes events oldest first. A session that goes on from a checkpoint drops what came after it before: those steps
    are done again. Values that are no finite number are NaN."""

    def __init__(self) -> None:
        self.steps = array("q")
        self.losses = array("d")
        self.smoothed = array("d")
        self.rates = array("d")
        self.norms = array("d")
        self.token_rates = array("d")
        self.looks: list[Looked] = []
        self.answers: list[Answered] = []
        self.saved: list[Saved] = []
        self.left_out: list[LeftOut] = []
        self.started: Started | None = None
        self.last: Stepped | None = None
        self.ended: Ended | None = None
        self.sessions = 0
        self.peak_memory_bytes: int | None = None
        self._spent = array("d")
        """Seconds that the steps took until each step's end, added up."""
        self._look_seconds: list[float] = []
        self._tokens = array("q")
        self._rows = array("q")
        self._row_ends = array("q")
        self._session_from = 0
        self._mean = 0.0
        self._weight = 0.0
        self._spikes: list[tuple[float, int, float]] = []

    def __len__(self) -> int:
        return len(self.steps)

    def take(self, events: Iterable[Event]) -> None:
        """Take in events."""
        for event in events:
            match event:
                case Stepped():
                    self._step(event)
                case Started():
                    self._start(event)
                case Looked():
                    self._look(event)
                case Answered():
                    self._answer(event)
                case Saved():
                    self.saved.append(event)
                case LeftOut():
                    self.left_out.append(event)
                case Ended():
                    self.ended = event
                    self._note_memory(event.peak_memory_bytes)

    def rows_of(self, step: int) -> tuple[int, ...]:
        """Return the ids of the rows that this step learned from; none for a step that was not told of."""
        index = self.index_of(step)
        if index is None:
            return ()
        begin = self._row_ends[index - 1] if index else 0
        return tuple(self._rows[begin : self._row_ends[index]])

    def index_of(self, step: int) -> int | None:
        """Return where a step stands in the curves."""
        index = bisect_left(self.steps, step)
        return index if index < len(self.steps) and self.steps[index] == step else None

    def spikes(self) -> list[Spike]:
        """Return the steps whose loss stands out most, the highest first."""
        return [Spike(step, loss, above) for above, step, loss in sorted(self._spikes, reverse=True)]

    @property
    def pace(self) -> Pace | None:
        """The rate of the present session over its last two minutes of steps, or ten steps where that is longer.

        None until it has done two steps.
        """
        last = len(self.steps) - 1
        if last - self._session_from < 1:
            return None
        first = bisect_left(self._spent, self._spent[last] - _RATE_WITHIN_S, self._session_from)
        first = max(min(first, last - _RATE_LEAST_STEPS), self._session_from)
        seconds = self._spent[last] - self._spent[first]
        if seconds <= 0:
            return None
        tokens = sum(self._tokens[first + 1 : last + 1])
        return Pace((self.steps[last] - self.steps[first]) / seconds, tokens / seconds)

    @property
    def eta_s(self) -> float | None:
        """Seconds that the steps left take at the present pace, and looks and checkpoints left at their mean time."""
        pace = self.pace
        if pace is None or self.started is None or not pace.steps_per_s:
            return None
        done, total = self.steps[-1], self.started.total_steps
        seconds = max(total - done, 0) / pace.steps_per_s
        seconds += _left(done, total, self.started.look_every) * _mean(self._look_seconds)
        return seconds + _left(done, total, self.started.save_every) * _mean([each.seconds for each in self.saved])

    @property
    def best(self) -> Saved | None:
        """The checkpoint with the lowest loss on held-out rows."""
        return min(
            (each for each in self.saved if each.loss is not None), key=lambda each: each.loss or 0, default=None
        )

    def _look(self, event: Looked) -> None:
        self.looks.append(event)
        self._look_seconds.append(event.seconds)
        if self.saved and self.saved[-1].step == event.step:
            self.saved[-1] = replace(self.saved[-1], loss=event.loss)

    def _answer(self, event: Answered) -> None:
        self.answers.append(event)
        if self.looks and self.looks[-1].step == event.step:
            # Answers are given behind the loss, and are part of the look.
            self._look_seconds[-1] = self.looks[-1].seconds + max(event.at - self.looks[-1].at, 0.0)

    def _start(self, event: Started) -> None:
        self.started = event
        self.ended = None
        self.sessions += 1
        if event.first_step or len(self.steps):
            self._drop_after(event.first_step)
        self._session_from = len(self.steps)

    def _drop_after(self, step: int) -> None:
        keep = bisect_right(self.steps, step)
        if keep < len(self.steps):
            del self._rows[self._row_ends[keep - 1] if keep else 0 :]
            for column in (self.losses, self.rates, self.norms, self.token_rates, self._spent):
                del column[keep:]
            for counts in (self.steps, self._tokens, self._row_ends):
                del counts[keep:]
            del self.smoothed[keep:]
            self._smooth_again()
        self.looks = [each for each in self.looks if each.step <= step]
        del self._look_seconds[len(self.looks) :]
        self.answers = [each for each in self.answers if each.step <= step]
        self.saved = [each for each in self.saved if each.step <= step]

    def _smooth_again(self) -> None:
        del self.smoothed[:]
        self._mean = self._weight = 0.0
        self._spikes = []
        for step, loss in zip(self.steps, self.losses, strict=True):
            self._smooth(step, loss)

    def _step(self, event: Stepped) -> None:
        self.last = event
        self._note_memory(event.memory_bytes)
        if self.steps and event.step <= self.steps[-1]:
            return
        loss = _number(event.loss)
        self._smooth(event.step, loss)
        self.steps.append(event.step)
        self.losses.append(loss)
        self.rates.append(event.learning_rate)
        self.norms.append(_number(event.grad_norm))
        self.token_rates.append(event.tokens / event.seconds if event.seconds > 0 else math.nan)
        self._spent.append((self._spent[-1] if self._spent else 0.0) + max(event.seconds, 0.0))
        self._tokens.append(event.tokens)
        self._rows.extend(event.rows)
        self._row_ends.append(len(self._rows))

    def _smooth(self, step: int, loss: float) -> None:
        if not math.isnan(loss):
            if self._weight:
                above = loss - self._mean / self._weight
                if above > 0:
                    heapq.heappush(self._spikes, (above, step, loss))
                    if len(self._spikes) > _SPIKES_KEPT:
                        heapq.heappop(self._spikes)
            self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
            self._weight = SMOOTHING * self._weight + (1 - SMOOTHING)
        self.smoothed.append(self._mean / self._weight if self._weight else math.nan)

    def _note_memory(self, size: int | None) -> None:
        if size is not None:
            self.peak_memory_bytes = max(size, self.peak_memory_bytes or 0)


def _left(done: int, total: int, every: int | None) -> int:
    """How many multiples of `every` there are behind `done` up to `total`."""
    return max(total // every - done // every, 0) if every else 0


def _mean(seconds: list[float]) -> float:
    newest = seconds[-_LAST_FEW:]
    return sum(newest) / len(newest) if newest else 0.0


def _number(value: float | None) -> float:
    return math.nan if value is None or not math.isfinite(value) else value
