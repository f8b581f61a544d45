"""A plan as faces show it: what a run will take, how sure that is, and what other picture sizes would take."""

from dataclasses import dataclass
from decimal import Decimal

from vqa_tui.config.endpoint import EndpointPrices
from vqa_tui.domain.part import unit
from vqa_tui.store.earlier_runs import EarlierRuns


@dataclass(frozen=True, slots=True)
class BandPart:
    """One reason why the total may be other than expected. Dollars, zero or more, below and above it."""

    name: str
    low: Decimal
    high: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class SizeRow:
    """What the run takes with one longest side."""

    max_side: int | None
    """Pixels; None is the original size."""
    picture_tokens: float
    """Per picture."""
    cost_total: Decimal | None
    sent_bytes: int
    """Of all requests, estimated; pictures in base64, and their prompts."""
    shrunk: int
    """Pictures that are larger than this, of those that the plan says are `shown`."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class TimeBound:
    """The least time that one limit allows."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run will take; tokens and dollars are per picture unless named total, and per request where a picture may
    be several of them."""

    items: int
    """Pictures that are asked about."""
    prompt_tokens_per_item: float
    """The mean of a sample."""
    picture_tokens_per_item: float
    """By the endpoint's rule, over all pictures."""
    output_tokens_per_item: float
    """The recipe's, or what earlier runs measured."""
    cost_per_item: Decimal | None
    cost_total: Decimal | None
    expected_s: float | None
    """The largest of `time_bounds`; None when nothing known limits it."""
    warnings: tuple[str, ...]
    cost_low: Decimal | None = None
    cost_high: Decimal | None = None
    """The band around `cost_total`, made of `band`."""
    cost_most: Decimal | None = None
    """If every picture (or request) takes `most_requests` and every prompt and reply is as long as it can be."""
    most_requests: int = 1
    """Paid requests for one picture at most: every attempt, and as many again where stragglers are asked twice."""
    band: tuple[BandPart, ...] = ()
    prices: EndpointPrices | None = None
    prices_listed: bool = False
    """Whether the prices are those of a public list and not the endpoint's own."""
    max_side: int | None = None
    sizes: tuple[SizeRow, ...] = ()
    sizes_exact: bool = True
    """Whether every picture was counted at its own size; else alike sizes were put together."""
    time_bounds: tuple[TimeBound, ...] = ()
    """The longest first."""
    earlier: EarlierRuns | None = None
    input_ratio: float = 1.0
    """Billed ÷ estimated input of earlier runs; cost counts it in."""
    requests_per_item: float = 1.0
    """Paid requests per finished picture (or request) of earlier runs; cost counts it in."""
    requests: int = 0
    """That are made where each succeeds at once: one for each picture, unless `in_parts`."""
    in_parts: bool = False
    """Whether a picture may be several requests."""
    shown: int = 0
    """Pictures that all requests show together: a request may show several, and a picture may be in several."""
    unasked: int = 0
    """Pictures of the dataset that have no reference pair, where a request is about one."""

    @property
    def unit(self) -> str:
        """What is counted: pictures, or requests where a picture may be several."""
        return unit(in_parts=self.in_parts)
