"""A run: its states, the limits a person may change, and the frozen views that faces draw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from vqa_tui.domain.at_cap import RAISE_IT
from vqa_tui.domain.part import ONLY, Part, unit, with_part


class Intent(StrEnum):
    """What a person wants; written by faces only."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Phase(StrEnum):
    """What is the case; written by the engine only."""

    CREATED = "created"
    PREFLIGHT = "preflight"
    PILOT = "pilot"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


LIVE_PHASES = frozenset(
    {
        Phase.PREFLIGHT,
        Phase.PILOT,
        Phase.AWAITING_APPROVAL,
        Phase.RUNNING,
        Phase.PAUSING,
        Phase.PAUSED,
        Phase.STOPPING,
    }
)
"""Phases in which an engine process must be alive; one of these without an engine means the engine is lost."""


class TaskStatus(StrEnum):
    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class EngineState(StrEnum):
    """Whether the process behind a run is there."""

    ALIVE = "alive"
    HUNG = "hung"
    """The lock is held but the heartbeat is old."""
    LOST = "lost"
    """The phase is live but nobody holds the lock: the engine was killed."""
    NONE = "none"
    """Nobody is there and nobody should be."""


SMALLEST_BUDGET_USD = Decimal("0.000001")
LARGEST_BUDGET_USD = Decimal(1_000_000_000)
"""In nano-dollars it still fits the store's 64-bit whole numbers."""
MOST_REQUESTS_PER_MINUTE = 1_000_000
MOST_REQUESTS_PER_DAY = 1_000_000_000
MOST_TOKENS_PER_MINUTE = 10_000_000_000
ORIGINAL_SIZE: Final = "original"
"""Instead of a longest side in pixels: pictures go out as large as they are."""

QuotaByName = dict[str, Annotated[int, Field(ge=1, le=MOST_TOKENS_PER_MINUTE)]]


class Limits(BaseModel):
    """What a person may change while the run works. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_usd: Annotated[Decimal, Field(ge=SMALLEST_BUDGET_USD, le=LARGEST_BUDGET_USD)] | None = None
    """Hard cap in dollars; None is no cap."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most requests in flight at once."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 4
    """Spent attempts after which a task fails for good."""
    requests_per_minute: dict[str, Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_MINUTE)]] = Field(
        default_factory=dict
    )
    """Overrides by name of a key or group; who is not named keeps the endpoint's quota. So for the next four."""
    tokens_per_minute: QuotaByName = Field(default_factory=dict)
    input_tokens_per_minute: QuotaByName = Field(default_factory=dict)
    output_tokens_per_minute: QuotaByName = Field(default_factory=dict)
    requests_per_day: dict[str, Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_DAY)]] = Field(default_factory=dict)
    max_side: Annotated[int, Field(ge=16, le=100_000)] | Literal["original"] | None = None
    """Longest side in pixels of the pictures sent from now on; None is the recipe's."""
    hedge: bool = False
    """Whether a straggler is asked a second time; both requests are paid."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Tasks of one run by status."""

    pending: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        return self.pending + self.leased + self.done + self.failed + self.skipped

    @property
    def finished(self) -> int:
        return self.done + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class CostView:
    """Dollars. `uncertain` may have been billed: requests that ended without a usage report."""

    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    uncertain: Decimal = Decimal(0)
    projected: Decimal | None = None
    """What the whole run will have cost; None before anything finished."""
    projected_low: Decimal | None = None
    projected_high: Decimal | None = None
    """The band around `projected`; None until enough pictures were billed to say how much they differ."""
    cap: Decimal | None = None
    price_known: bool = True

    @property
    def left(self) -> Decimal | None:
        """What the cap still allows; None without one."""
        return None if self.cap is None else max(self.cap - self.spent - self.uncertain - self.reserved, Decimal(0))


@dataclass(frozen=True, slots=True)
class TokensView:
    input: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class GaugeView:
    """How much of one quota is used."""

    name: str
    """`requests/min`, `tokens/min`, `input tokens/min`, `output tokens/min`, `requests/day` or `concurrency`."""
    used: int
    limit: int
    of_group: bool = False
    """Whether the quota is that of the key's group."""
    learned: bool = False
    """Whether the limit was told by the endpoint and not by a person."""
    resets_at: float | None = None
    """Unix time at which a used-up quota has room again, a learned one is whole again, and a day ends."""


@dataclass(frozen=True, slots=True)
class ThrottleView:
    """How many requests the engine lets into flight on its own account, and how fast. One per quota group."""

    group: str
    slots: int
    """Most in flight at once, as learned so far."""
    per_second: float | None
    """Most requests started a second, learned from rate limits; None while none was met."""
    state: str
    """One word or two: `slow start`, `growing`, `holding`, `cut back`."""
    cut_at: float | None = None
    """Unix time of the newest cut."""
    cuts: int = 0


@dataclass(frozen=True, slots=True)
class CalibrationView:
    """Estimate against billed, over the attempts that reported their usage."""

    attempts: int
    estimated_input: int
    billed_input: int
    expected_output: int
    """The recipe's expected tokens × attempts."""
    billed_output: int


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key by its name; never its value."""

    name: str
    group: str
    state: str
    """ok, cooling, parked, off; '' while no engine has said anything of it since the run was taken up again."""
    reason: str = ""
    until: float | None = None
    """Unix time at which a cooling or parked key is tried again."""
    requests: int = 0
    errors: int = 0
    rate_limited: int = 0
    spent: Decimal = Decimal(0)
    in_flight: int = 0
    mean_latency_ms: float | None = None
    gauges: tuple[GaugeView, ...] = ()
    price_known: bool = True
    """As in CostView: whether `spent` says anything."""


@dataclass(frozen=True, slots=True)
class EngineView:
    state: EngineState = EngineState.NONE
    pid: int | None = None
    heartbeat_age_s: float | None = None
    session_started_at: float | None = None


@dataclass(frozen=True, slots=True)
class SlotView:
    """One request in flight."""

    task_id: int
    item_key: str
    key_name: str
    age_s: float
    part: Part = ONLY

    @property
    def name(self) -> str:
        return with_part(self.item_key, self.part)


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of what the engine did or a person asked for. `message` is hostile text."""

    id: int
    at: float
    level: str
    """info, warning, error or action."""
    message: str


@dataclass(frozen=True, slots=True)
class PilotView:
    """What the pilot measured."""

    size: int
    finished: int
    cost_per_item: Decimal | None
    projected_cost: Decimal | None
    projected_s: float | None


@dataclass(frozen=True, slots=True)
class RateView:
    """Finished pictures per second of this engine session."""

    per_second: float | None = None
    history: tuple[float, ...] = ()
    """One value a second, oldest first, at most 240."""


@dataclass(frozen=True, slots=True)
class LatencyView:
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything a face shows of one run, read in one short transaction."""

    id: int
    name: str
    dataset: str
    recipe: str
    endpoint: str
    model: str
    phase: Phase
    phase_reason: str
    intent: Intent
    created_at: float
    started_at: float | None
    ended_at: float | None
    limits: Limits
    counts: Counts
    samples: int = 0
    cost: CostView = field(default_factory=CostView)
    tokens: TokensView = field(default_factory=TokensView)
    rate: RateView = field(default_factory=RateView)
    latency: LatencyView = field(default_factory=LatencyView)
    keys: tuple[KeyView, ...] = ()
    failures: Mapping[str, int] = field(default_factory=dict)
    """Tasks that failed for good, by kind."""
    attempt_failures: Mapping[str, int] = field(default_factory=dict)
    """All failed attempts by kind, those that were retried included."""
    eta_s: float | None = None
    why_idle: str = ""
    engine: EngineView = field(default_factory=EngineView)
    in_flight: tuple[SlotView, ...] = ()
    events: tuple[EventView, ...] = ()
    """Newest first, at most 50."""
    pilot: PilotView | None = None
    throttles: tuple[ThrottleView, ...] = ()
    throttle_history: tuple[int, ...] = ()
    """Slots that the throttles allowed together, one value a second of this engine session, oldest first."""
    bytes_per_s: float | None = None
    """Sent to the endpoint, over the last seconds."""
    calibration: CalibrationView | None = None
    follows: str = ""
    """The run whose pictures this one asks elsewhere; '' where there is none."""
    followed_by: tuple[str, ...] = ()
    """Runs that ask pictures of this one elsewhere, oldest first."""
    in_parts: bool = False
    """Whether a picture may be several requests: what is counted are requests then, and not pictures."""

    @property
    def unit(self) -> str:
        """What is counted: pictures, or requests where a picture may be several."""
        return unit(in_parts=self.in_parts)

    @property
    def at_cap(self) -> bool:
        """Whether the cap leaves nothing for one more request, and nobody has done anything since that may help."""
        if self.phase is not Phase.PAUSED or self.engine.state is not EngineState.ALIVE:
            return False
        newest = next((each for each in self.events if each.level == "action" or each.message.endswith(RAISE_IT)), None)
        return newest is not None and newest.level != "action" and self.phase_reason.endswith(RAISE_IT)

    @property
    def within_cap(self) -> int | None:
        """How many pictures the cap is enough for by what the pilot measured; None where it is enough for all."""
        cost, each = self.cost, self.pilot.cost_per_item if self.pilot else None
        if not cost.price_known or cost.cap is None or not each:
            return None
        more = int(max(cost.cap - cost.spent - cost.uncertain, Decimal(0)) / each)
        return self.counts.finished + more if more < self.counts.pending + self.counts.leased else None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list of runs."""

    id: int
    name: str
    dataset: str
    recipe: str
    endpoint: str
    phase: Phase
    phase_reason: str
    counts: Counts
    spent: Decimal
    cap: Decimal | None
    engine: EngineState
    created_at: float
    follows: str = ""
    """As in RunView; so is the next."""
    followed_by: tuple[str, ...] = ()
    archived_at: float | None = None
    """Unix time at which a person put the run out of sight."""
    in_parts: bool = False
    """As in RunView."""
    price_known: bool = True
    """As in CostView: whether `spent` says anything."""
