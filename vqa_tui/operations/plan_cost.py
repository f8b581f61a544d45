"""The money of a plan: what is expected, the band around it, and each picture size's cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import fmean, stdev

from vqa_tui.config.endpoint import Endpoint, EndpointPrices
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.cost import to_dollars
from vqa_tui.engine.estimate import Estimator, most_input_tokens, prompt_tokens, sent_size
from vqa_tui.operations.plan import BandPart, RunPlan, SizeRow
from vqa_tui.store.datasets import PictureSizes, SizeGroup
from vqa_tui.store.earlier_runs import EarlierRuns

TABLE_SIDES = (384, 512, 768, 1024, None)
"""Longest sides in pixels that the table compares; None is the original size."""

_FEWEST_COMPARED = 5
"""Requests below which earlier runs say nothing yet."""
_CONFIDENCE = 1.96
"""Standard errors on each side of a mean that hold it 95 times in 100."""

# Without a measurement. Text is 3 to 5 bytes a token in most languages and tokenizers, so 4 may be a quarter off; the
# vendors call their picture rules rough; how long replies are and how many must be asked twice, nobody can know.
_PROMPT_DOUBT, _PICTURE_DOUBT, _GUESS_DOUBT = 0.25, 0.10, 0.75
_REPLY_LOW, _REPLY_HIGH = 0.5, 2.0
_AGAIN_DOUBT = 0.05
# Measured over another set of pictures, which may differ.
_INPUT_DRIFT, _REPLY_DRIFT, _AGAIN_DRIFT = 0.05, 0.15, 0.02

_BYTES_PER_PIXEL = 0.4
"""Of a photograph as JPEG of quality 88: an upper end, for pictures that are stored in less dense formats."""


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to ask: the sizes of all chosen pictures, and prompts of a sample, in bytes."""

    items: int
    sizes: PictureSizes
    prompt_bytes: Sequence[int]


def largest_request(estimator: Estimator, load: Load, max_side: int | None) -> int:
    """Return a bound of the input tokens of the largest request."""
    picture = max(estimator.picture_tokens(group.width, group.height, max_side) for group in load.sizes.groups)
    return most_input_tokens(max(load.prompt_bytes), picture)


def is_guessed(endpoint: Endpoint) -> bool:
    """Tell whether nobody said how the endpoint counts pictures."""
    return "image_tokens" not in endpoint.model_fields_set


def cost_plan(
    recipe: Recipe, endpoint: Endpoint, load: Load, *, max_side: int | None, earlier: EarlierRuns | None
) -> RunPlan:
    """Return the plan without its time bounds and warnings. Takes a second for many sizes: call it in a thread."""
    estimator = Estimator(recipe, endpoint)
    prompts = [prompt_tokens(size) for size in load.prompt_bytes]
    prompt = fmean(prompts)
    measured = earlier if earlier is not None and earlier.compared >= _FEWEST_COMPARED else None
    ratio, output, requests = 1.0, float(recipe.expected_output_tokens), 1.0
    if measured is not None:
        ratio = measured.billed_input / max(measured.estimated_input, 1)
        output = measured.billed_output / measured.compared
        requests = max(measured.billed / measured.pictures, 1.0)
    sums = _Sums(prompt * ratio * requests, output * requests, load.items, endpoint.prices)
    sides = dict.fromkeys((*TABLE_SIDES, max_side))
    rows = []
    for side in sorted(sides, key=lambda each: each or 10**9):
        tokens = _picture_tokens(estimator, load.sizes.groups, side)
        rows.append(
            SizeRow(
                side,
                tokens / load.items,
                sums.total(tokens * ratio * requests),
                _sent_bytes(load, side),
                sum(group.pictures for group in load.sizes.groups if _is_larger(group, side)),
                chosen=side == max_side,
            )
        )
    chosen = next(row for row in rows if row.chosen)
    total = chosen.cost_total
    picture = chosen.picture_tokens
    band = () if total is None else tuple(_band(recipe, endpoint, sums, prompts, picture * ratio * requests, measured))
    low, high = _around(total, band)
    return RunPlan(
        items=load.items,
        prompt_tokens_per_item=prompt,
        picture_tokens_per_item=picture,
        output_tokens_per_item=output,
        cost_per_item=None if total is None else total / load.items,
        cost_total=total,
        expected_s=None,
        warnings=(),
        cost_low=low,
        cost_high=high,
        cost_most=_most(recipe, endpoint, load, estimator, max_side),
        band=band,
        prices=endpoint.prices,
        max_side=max_side,
        sizes=tuple(rows),
        sizes_exact=load.sizes.step == 1,
        earlier=measured,
        input_ratio=ratio,
        requests_per_item=requests,
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Tokens of one picture's requests, and what they cost over all pictures."""

    prompt: float
    output: float
    items: int
    prices: EndpointPrices | None

    def total(self, picture_tokens: float) -> Decimal | None:
        """Return dollars, with `picture_tokens` those of all pictures together."""
        if self.prices is None:
            return None
        return self.prompt_cost + self.picture_cost(picture_tokens) + self.output_cost

    @property
    def prompt_cost(self) -> Decimal:
        return self._dollars(self.prompt * self.items, self._known.input_per_million)

    @property
    def output_cost(self) -> Decimal:
        return self._dollars(self.output * self.items, self._known.output_per_million)

    def picture_cost(self, tokens: float) -> Decimal:
        dearer = self._known.image_input_per_million
        return self._dollars(tokens, self._known.input_per_million if dearer is None else dearer)

    @property
    def _known(self) -> EndpointPrices:
        assert self.prices is not None
        return self.prices

    @staticmethod
    def _dollars(tokens: float, per_million: Decimal) -> Decimal:
        return Decimal(tokens) * per_million / 1_000_000


def _band(
    recipe: Recipe,
    endpoint: Endpoint,
    sums: _Sums,
    prompts: Sequence[int],
    picture: float,
    measured: EarlierRuns | None,
) -> list[BandPart]:
    prompt_cost, reply_cost, picture_cost = sums.prompt_cost, sums.output_cost, sums.picture_cost(picture * sums.items)
    whole = prompt_cost + reply_cost + picture_cost
    spread = _CONFIDENCE * stdev(prompts) / sqrt(len(prompts)) / max(fmean(prompts), 1) if len(prompts) > 1 else 0.0

    def even(name: str, cost: Decimal, doubt: float, reason: str) -> BandPart:
        return BandPart(name, cost * Decimal(min(doubt, 1.0)), cost * Decimal(doubt), reason)

    parts = [even("prompt sample", prompt_cost, spread, f"prompts differ; {len(prompts)} were looked at")]
    if measured is None:
        longest = max(recipe.generation.max_tokens / recipe.expected_output_tokens, 1.0)
        again = Decimal(_AGAIN_DOUBT)
        return [
            *parts,
            even("prompt tokens", prompt_cost, _PROMPT_DOUBT, "4 bytes a token is a rule of thumb"),
            even("picture tokens", picture_cost, _GUESS_DOUBT, "no rule is stated")
            if is_guessed(endpoint)
            else even("picture tokens", picture_cost, _PICTURE_DOUBT, "vendors call their picture rules rough"),
            BandPart(
                "reply length",
                reply_cost * Decimal(1 - _REPLY_LOW),
                reply_cost * Decimal(min(_REPLY_HIGH, longest) - 1),
                f"no earlier run; the recipe expects {recipe.expected_output_tokens} tokens",
            ),
            BandPart("asked again", Decimal(0), whole * again, "replies that cannot be used are paid too"),
        ]
    over = f"measured over {measured.compared} requests of earlier runs"
    return [
        *parts,
        even("input tokens", prompt_cost + picture_cost, _INPUT_DRIFT, over),
        even("reply length", reply_cost, _REPLY_DRIFT, over),
        even("asked again", whole, _AGAIN_DRIFT, over),
    ]


def _around(total: Decimal | None, band: Sequence[BandPart]) -> tuple[Decimal | None, Decimal | None]:
    """Return the ends of the band: its parts do not depend on each other, so their squares add up."""
    if total is None:
        return None, None
    down = sum((part.low**2 for part in band), Decimal(0)).sqrt()
    up = sum((part.high**2 for part in band), Decimal(0)).sqrt()
    return max(total - down, Decimal(0)), total + up


def _most(recipe: Recipe, endpoint: Endpoint, load: Load, estimator: Estimator, max_side: int | None) -> Decimal | None:
    if endpoint.prices is None:
        return None
    prompt, prices = max(load.prompt_bytes), endpoint.prices.prices
    nano = sum(
        group.pictures
        * prices.most_nano(
            most_input_tokens(prompt, estimator.picture_tokens(group.width, group.height, max_side)),
            recipe.generation.max_tokens,
        )
        for group in load.sizes.groups
    )
    return to_dollars(nano)


def _picture_tokens(estimator: Estimator, groups: Sequence[SizeGroup], side: int | None) -> int:
    return sum(group.pictures * estimator.picture_tokens(group.width, group.height, side) for group in groups)


def _is_larger(group: SizeGroup, side: int | None) -> bool:
    return side is not None and max(group.width, group.height) > side


def _sent_bytes(load: Load, side: int | None) -> int:
    """Return the bytes of all requests; a picture that is made smaller loses bytes as it loses pixels."""
    pictures = 0.0
    for group in load.sizes.groups:
        size = float(group.size_bytes)
        if _is_larger(group, side):
            width, height = sent_size(group.width, group.height, side)
            pixels = width * height
            size *= pixels / (group.width * group.height)
            size = min(size, group.pictures * pixels * _BYTES_PER_PIXEL)
        pictures += size
    return round(pictures * 4 / 3 + fmean(load.prompt_bytes) * load.items)
