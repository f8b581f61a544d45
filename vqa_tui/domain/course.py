"""The recorded course of a run: one point a second, thinned with age, and what the points say about any moment."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from vqa_tui.domain.cost import to_dollars
from vqa_tui.domain.rate import SENT_WINDOW_S, WINDOW_S

HISTORY_POINTS = 240
"""Points before a moment of which its rate is told; live, these are four minutes."""
_LONGEST_STEP_S = 3
_THINNED_STEPS = ((10, 20), (60, 130))
"""(seconds between rows that were kept, longest step between two of them that is no pause)."""


class CoursePoint(NamedTuple):
    """What a run had reached at one second; counters are totals of the run, money in nano-dollars.

    A tuple, because hundreds are made with every look at a run.
    """

    at: int
    session_id: int
    done: int
    failed: int
    in_flight: int
    slots: int
    """Requests in flight that a person allowed."""
    rate_limited: int
    input_tokens: int
    output_tokens: int
    spent_nano: int
    p50_ms: float | None
    p95_ms: float | None
    sent_bytes: int
    """Of this session, from its start."""
    throttle_slots: int | None
    """Most requests in flight that the throttle allows, over all quota groups."""
    throttle_per_s: float | None
    throttle_groups: str | None = None
    """JSON object of slots by quota group; None where there is only one group. Read by `group_slots`."""

    @property
    def group_slots(self) -> dict[str, int]:
        """Most requests in flight that the throttle of each quota group allows; empty where there is only one."""
        return json.loads(self.throttle_groups) if self.throttle_groups else {}

    @property
    def finished(self) -> int:
        """Pictures that were done or had failed."""
        return self.done + self.failed

    @property
    def spent(self) -> Decimal:
        """Dollars."""
        return to_dollars(self.spent_nano)


class Stretch(NamedTuple):
    """The time from one recorded point to the next one of the same engine session, without a pause between."""

    before: CoursePoint
    after: CoursePoint

    @property
    def seconds(self) -> int:
        return max(self.after.at - self.before.at, 1)

    @property
    def rate(self) -> float:
        """Pictures finished a second; what was put back meanwhile counts as none."""
        return max(self.after.finished - self.before.finished, 0) / self.seconds

    @property
    def bytes_per_s(self) -> float:
        return max(self.after.sent_bytes - self.before.sent_bytes, 0) / self.seconds


def stretches(points: Sequence[CoursePoint]) -> Iterator[Stretch]:
    """Give the stretches of work between `points`, oldest first; pauses and the time without an engine are left out."""
    for before, after in pairwise(points):
        if before.session_id == after.session_id and _is_step(before.at, after.at):
            yield Stretch(before, after)


def merged_steps(points: Sequence[CoursePoint], most: int) -> list[Stretch]:
    """Return the stretches of work joined until about `most` are left: what a plot has no room for costs nothing."""
    if not points:
        return []
    least_s = (points[-1].at - points[0].at) / max(most, 1)
    joined: list[Stretch] = []
    for step in stretches(points):
        last = joined[-1] if joined else None
        if last is not None and last.after is step.before and last.seconds + step.seconds <= least_s:
            joined[-1] = Stretch(last.before, step.after)
        else:
            joined.append(step)
    return joined


def _is_step(before: int, after: int) -> bool:
    """Whether no time without a record lies between: old rows were dropped, but for those at round seconds."""
    step = after - before
    return step <= _LONGEST_STEP_S or any(
        before % spacing == 0 and step <= longest for spacing, longest in _THINNED_STEPS
    )


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One engine event, or one action of a person. All its texts are hostile."""

    id: int
    at: float
    level: str
    """info, warning, error or action."""
    message: str
    """What happened; of an action, what was done."""
    who: str = ""
    """Of an action; the engine has no name."""
    old_value: str = ""
    new_value: str = ""


class LogCursor(NamedTuple):
    """Where the next page of the log begins: the ids that the last one ended with."""

    event_id: int
    action_id: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries newest first, and where the next, older page begins; None at the start of the run."""

    entries: tuple[LogEntry, ...]
    older: LogCursor | None


@dataclass(frozen=True, slots=True)
class FailuresUntil:
    """What had failed up to some moment, by kind."""

    attempts: Mapping[str, int] = field(default_factory=dict)
    pictures: Mapping[str, int] = field(default_factory=dict)
    """Pictures that failed for good by then and have not been put back since."""


class FailureCount(NamedTuple):
    """How many attempts, or pictures, failed in the seconds from `at` on."""

    at: int
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class FailureCourse:
    """Failures over time, in steps of `every_s` seconds."""

    every_s: int
    attempts: tuple[FailureCount, ...] = ()
    pictures: tuple[FailureCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Spending:
    """What the money and the tokens of a run went for."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    image_tokens: int = 0
    output_tokens: int = 0
    spent: Decimal = Decimal(0)
    spent_on_failures: Decimal = Decimal(0)
    """Of attempts that gave no answer."""
    requests: int = 0


@dataclass(frozen=True, slots=True)
class MomentFacts:
    """What the store knows of one second of the past besides its point."""

    log: tuple[LogEntry, ...] = ()
    """Newest first, none of them later than that second."""
    failures: FailuresUntil = field(default_factory=FailuresUntil)
    cap: Decimal | None = None
    """The budget that held then."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One recorded second of a run's past: what held then, with the rate around it."""

    point: CoursePoint
    rate: float | None
    history: tuple[float, ...]
    """Rates of the steps before, oldest first."""
    throttle_history: tuple[int, ...]
    bytes_per_s: float | None
    facts: MomentFacts

    @property
    def at(self) -> int:
        """Unix time."""
        return self.point.at


def moment_at(points: Sequence[CoursePoint], index: int, facts: MomentFacts) -> Moment:
    """Return the moment of `points[index]`: rate and bytes over the windows that end there, as the live ones do."""
    point = points[index]
    before = points[max(index - HISTORY_POINTS, 0) : index + 1]
    same = [each for each in before if each.session_id == point.session_id]
    steps = list(stretches(same))
    return Moment(
        point=point,
        rate=_over(steps, point.at - WINDOW_S, "finished"),
        history=tuple(step.rate for step in steps),
        throttle_history=tuple(each.throttle_slots for each in same if each.throttle_slots is not None),
        bytes_per_s=_over(steps, point.at - SENT_WINDOW_S, "sent_bytes"),
        facts=facts,
    )


def _over(steps: Sequence[Stretch], since: int, field_name: str) -> float | None:
    """Return how much a counter grew a second over the steps that end after `since`; thinned ones may begin earlier."""
    within = [step for step in steps if step.after.at > since]
    if not within:
        return None
    grown = sum(max(getattr(step.after, field_name) - getattr(step.before, field_name), 0) for step in within)
    return float(grown) / sum(step.seconds for step in within)


def index_at(points: Sequence[CoursePoint], at: float) -> int:
    """Return the index of the newest point that is not later than `at`; 0 where all are."""
    return max(bisect_right(points, at, key=lambda point: point.at) - 1, 0)


def index_showing(points: Sequence[CoursePoint], at: float) -> int:
    """Return the index of the first point in or before whose second `at` lies; one beyond the last where none is."""
    return bisect_left(points, int(at), key=lambda point: point.at)


class CourseRow(NamedTuple):
    """The course of a run told in even steps: the point that ends a step, and the rate over it."""

    point: CoursePoint
    rate: float | None


def course_rows(points: Sequence[CoursePoint], every_s: int) -> list[CourseRow]:
    """Return one row for each `every_s` seconds in which anything was recorded, its last point."""
    rows: list[CourseRow] = []
    gained, worked_s = 0, 0
    before: CoursePoint | None = None
    for index, point in enumerate(points):
        if before is not None and before.session_id == point.session_id and _is_step(before.at, point.at):
            gained += max(point.finished - before.finished, 0)
            worked_s += point.at - before.at
        before = point
        if index + 1 == len(points) or points[index + 1].at // every_s != point.at // every_s:
            rows.append(CourseRow(point, gained / worked_s if worked_s else None))
            gained, worked_s = 0, 0
    return rows
