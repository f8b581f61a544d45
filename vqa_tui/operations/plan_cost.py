"""The money of a plan: what is expected, the band around it, and each picture size's cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from math import ceil, hypot, sqrt
from statistics import fmean, stdev

from vqa_tui.config.endpoint import Endpoint, EndpointPrices
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.cost import NANO_PER_DOLLAR, to_dollars
from vqa_tui.domain.run import Limits
from vqa_tui.engine.estimate import PICTURE_SAFETY, Estimator, most_input_tokens, prompt_tokens, sent_size
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
_HEDGE_DOUBT = 0.05
# Measured over another set of pictures, which may differ.
_INPUT_DRIFT, _REPLY_DRIFT, _AGAIN_DRIFT = 0.05, 0.15, 0.02

# Standard deviation ÷ mean of single requests, before they are measured. A few requests do not show how much others
# differ: the guess weighs as much as so many of them. Simulated over replies of lognormal length, the band after 10
# replies holds the true cost in 98 of 100 cases where their spread is 0.5. Where it is 0.8, it does so in 95, and in 90
# where nothing but replies costs.
_INPUT_SPREAD, _REPLY_SPREAD = 0.10, 0.6
_GUESS_WEIGHT = 10

_REPAIR_BYTES = 1_000
"""Of the words on what was wrong with a reply, at most."""
_PLACE = Decimal(1) / NANO_PER_DOLLAR

_BYTES_PER_PIXEL = 0.4
"""Of a photograph as JPEG of quality 88: an upper end, for pictures that are stored in less dense formats."""

_FRAME_BYTES_PER_PIXEL = 0.15
"""Of a frame of a video as JPEG of quality 88: the video's own coding has taken the noise out of it."""
_CLIP_BYTES_PER_S = 300_000
"""Of a clip as it is cut: H.264 of this quality takes 1 to 4 Mbit/s at such sizes."""


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to ask: the sizes of the pictures of all requests, and prompts of a sample, in bytes.

    A picture that is several requests counts as often: each of them sends it, and pays for it.
    """

    requests: int
    sizes: PictureSizes
    prompt_bytes: Sequence[int]
    pictures: int
    """That are asked about."""
    looked_at: int = 0
    """Pictures of the sample."""
    lacking: int = 0
    """Those of them of which the dataset does not say what the recipe needs; they have no prompt."""
    askable: int = 0
    """Pictures that a run without a limit would ask about; 0 where pictures were chosen one by one."""

    @property
    def has_clips(self) -> bool:
        return any(group.seconds for group in self.sizes.groups)


def largest_request(estimator: Estimator, load: Load, max_side: int | None) -> int:
    """Return a bound of the input tokens of the largest request."""
    picture = max(_tokens(estimator, group, max_side) for group in load.sizes.groups)
    return most_input_tokens(max(load.prompt_bytes), picture * load.sizes.most_in_one)


def is_guessed(endpoint: Endpoint) -> bool:
    """Tell whether nobody said how the endpoint counts pictures."""
    return "image_tokens" not in endpoint.model_fields_set


def cost_plan(
    recipe: Recipe,
    endpoint: Endpoint,
    load: Load,
    *,
    max_side: int | None,
    earlier: EarlierRuns | None,
    limits: Limits | None = None,
) -> RunPlan:
    """Return the plan without its time bounds and warnings; of `limits` the attempts and the hedging count.

    Dollars are whole billionths, rounded up. Takes a second for many sizes: call it in a thread.
    """
    limits = limits or Limits()
    estimator = Estimator(recipe, endpoint)
    prompts = [prompt_tokens(size) for size in load.prompt_bytes]
    prompt = Fraction(sum(prompts), len(prompts))
    measured = earlier if earlier is not None and earlier.compared >= _FEWEST_COMPARED else None
    ratio, output, requests = Fraction(1), Fraction(recipe.expected_output_tokens), Fraction(1)
    if measured is not None:
        ratio = Fraction(measured.billed_input, max(measured.estimated_input, 1))
        output = Fraction(measured.billed_output, measured.compared)
        requests = _requests(measured, hedge=limits.hedge)
    told = earlier is not None and earlier.told_image_tokens
    sums = _Sums(prompt * ratio * requests, output * requests, load.requests, endpoint.prices, told)
    # Where no picture is sent there is nothing to compare.
    sides = dict.fromkeys((*(() if recipe.modality == "text" else TABLE_SIDES), max_side))
    rows = []
    for side in sorted(sides, key=lambda each: each or 10**9):
        tokens = _picture_tokens(estimator, load.sizes.groups, side)
        rows.append(
            SizeRow(
                side,
                tokens / load.requests,
                sums.total(tokens * ratio * requests),
                _sent_bytes(recipe, estimator, load, side),
                sum(group.pictures for group in load.sizes.groups if _is_larger(group, side)),
                chosen=side == max_side,
            )
        )
    chosen = next(row for row in rows if row.chosen)
    total = chosen.cost_total
    pictures = _picture_tokens(estimator, load.sizes.groups, max_side) * ratio * requests
    band = () if total is None else tuple(_band(recipe, endpoint, sums, prompts, pictures, measured, limits))
    low, high = _around(total, band)
    most_requests = limits.max_attempts * (2 if limits.hedge else 1)
    most = _most(recipe, endpoint, load, estimator, max_side, max(ratio, Fraction(1)), limits)
    return RunPlan(
        items=load.pictures,
        requests=load.requests,
        in_parts=recipe.in_parts,
        shown=sum(group.pictures for group in load.sizes.groups),
        prompt_tokens_per_item=float(prompt),
        picture_tokens_per_item=chosen.picture_tokens,
        output_tokens_per_item=float(output),
        cost_per_item=None if total is None else _rounded_up(total / load.requests),
        cost_total=total,
        expected_s=None,
        warnings=(),
        cost_low=low,
        cost_high=high,
        cost_most=most if most is None or high is None else max(most, high),
        most_requests=most_requests,
        band=band,
        prices=endpoint.prices,
        max_side=max_side,
        sizes=tuple(rows),
        sizes_exact=load.sizes.step == 1,
        earlier=measured,
        input_ratio=float(ratio),
        requests_per_item=float(requests),
    )


def _requests(measured: EarlierRuns, *, hedge: bool) -> Fraction:
    """Return the paid requests per picture: 1 or more."""
    paid = measured.billed + (measured.hedges if hedge else 0)
    return max(Fraction(paid, measured.pictures), Fraction(1))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Tokens of one picture's requests, and what they cost over all pictures."""

    prompt: Fraction
    output: Fraction
    items: int
    prices: EndpointPrices | None
    told_image_tokens: bool
    """Whether the endpoint's reports tell a picture's tokens apart."""

    def total(self, picture_tokens: Fraction) -> Decimal | None:
        """Return dollars, with `picture_tokens` those of all pictures together."""
        if self.prices is None:
            return None
        return self.prompt_cost + self.picture_cost(picture_tokens) + self.output_cost

    @property
    def prompt_cost(self) -> Decimal:
        return _dollars(self.prompt * self.items, self._input_prices[0])

    @property
    def output_cost(self) -> Decimal:
        return _dollars(self.output * self.items, self._known.output_per_million)

    def picture_cost(self, tokens: Fraction) -> Decimal:
        return _dollars(tokens, self._input_prices[1])

    @property
    def _input_prices(self) -> tuple[Decimal, Decimal]:
        """Of a prompt and of a picture. A report without picture tokens is billed at the dearer one throughout."""
        text, picture = self._known.input_per_million, self._known.image_input_per_million
        if picture is None or not self.told_image_tokens:
            return (max(text, picture or text),) * 2
        return text, picture

    @property
    def _known(self) -> EndpointPrices:
        assert self.prices is not None
        return self.prices


def _dollars(tokens: Fraction, per_million: Decimal) -> Decimal:
    return to_dollars(ceil(tokens * Fraction(per_million) * NANO_PER_DOLLAR / 1_000_000))


def _rounded_up(dollars: Decimal) -> Decimal:
    return dollars.quantize(_PLACE, ROUND_CEILING)


def _band(
    recipe: Recipe,
    endpoint: Endpoint,
    sums: _Sums,
    prompts: Sequence[int],
    pictures: Fraction,
    measured: EarlierRuns | None,
    limits: Limits,
) -> list[BandPart]:
    prompt_cost, reply_cost, picture_cost = sums.prompt_cost, sums.output_cost, sums.picture_cost(pictures)
    whole = prompt_cost + reply_cost + picture_cost
    spread = _CONFIDENCE * stdev(prompts) / sqrt(len(prompts)) / max(fmean(prompts), 1) if len(prompts) > 1 else 0.0

    def part(name: str, cost: Decimal, low: float, high: float, reason: str) -> BandPart:
        return BandPart(name, _rounded_up(cost * Decimal(min(low, 1.0))), _rounded_up(cost * Decimal(high)), reason)

    def even(name: str, cost: Decimal, doubt: float, reason: str) -> BandPart:
        return part(name, cost, doubt, doubt, reason)

    parts = [even("prompt sample", prompt_cost, spread, f"prompts differ; {len(prompts)} were looked at")]
    if limits.hedge and (measured is None or not measured.hedges):
        parts.append(part("hedging", whole, 0.0, _HEDGE_DOUBT, "stragglers are asked a second time"))
    if measured is None:
        longest = max(recipe.generation.max_tokens / recipe.expected_output_tokens, 1.0)
        return [
            *parts,
            even("prompt tokens", prompt_cost, _PROMPT_DOUBT, "4 bytes a token is a rule of thumb"),
            even("picture tokens", picture_cost, _GUESS_DOUBT, "no rule is stated")
            if is_guessed(endpoint)
            else even("picture tokens", picture_cost, _PICTURE_DOUBT, "vendors call their picture rules rough"),
            part(
                "reply length",
                reply_cost,
                1 - _REPLY_LOW,
                min(_REPLY_HIGH, longest) - 1,
                f"no earlier run; the recipe expects {recipe.expected_output_tokens} tokens",
            ),
            part("asked again", whole, 0.0, _AGAIN_DOUBT, "replies that cannot be used are paid too"),
        ]
    over = f"measured over {measured.compared} requests of earlier runs"
    input_error = _error(measured.input_spread, measured.compared, _INPUT_SPREAD)
    reply_error = _error(measured.output_spread, measured.compared, _REPLY_SPREAD)
    again = hypot(_AGAIN_DRIFT, _again_error(measured))
    requests = _requests(measured, hedge=limits.hedge)
    return [
        *parts,
        even("input tokens", prompt_cost + picture_cost, hypot(_INPUT_DRIFT, input_error), over),
        even("reply length", reply_cost, hypot(_REPLY_DRIFT, reply_error), over),
        # No picture takes less than one request.
        part("asked again", whole, min(again, float(1 - 1 / requests)), again, over),
    ]


def _error(spread: float | None, compared: int, guess: float) -> float:
    """Return the half-width of the interval that holds a mean, ÷ the mean."""
    found = guess if spread is None else spread
    variance = (_GUESS_WEIGHT * guess**2 + (compared - 1) * found**2) / (_GUESS_WEIGHT + compared - 1)
    return _CONFIDENCE * sqrt(variance / compared)


def _again_error(measured: EarlierRuns) -> float:
    """Return the same for the requests of a picture, each of which fails with the same chance (geometric)."""
    # One request more than was seen: none failed among ten does not mean that none will.
    requests = max(measured.billed / measured.pictures, 1.0) + 1 / measured.pictures
    return _CONFIDENCE * sqrt(requests * (requests - 1) / measured.pictures) / requests


def _around(total: Decimal | None, band: Sequence[BandPart]) -> tuple[Decimal | None, Decimal | None]:
    """Return the ends of the band: its parts do not depend on each other, so their squares add up."""
    if total is None:
        return None, None
    down = sum((part.low**2 for part in band), Decimal(0)).sqrt()
    up = sum((part.high**2 for part in band), Decimal(0)).sqrt()
    return _rounded_up(max(total - down, Decimal(0))), _rounded_up(total + up)


def _most(
    recipe: Recipe,
    endpoint: Endpoint,
    load: Load,
    estimator: Estimator,
    max_side: int | None,
    ratio: Fraction,
    limits: Limits,
) -> Decimal | None:
    """Return what all attempts at all pictures can cost together, each as long as it can be."""
    if endpoint.prices is None:
        return None
    prices, generation = endpoint.prices.prices, recipe.generation
    prompt = max(load.prompt_bytes)
    longest_repair = max(len(each.repair.encode("utf-8", "replace")) for each in recipe.templates)
    repair = prompt + longest_repair + _REPAIR_BYTES
    again = limits.max_attempts - 1
    nano = 0
    for group in load.sizes.groups:
        picture = _tokens(estimator, group, max_side)
        if group.further:
            # It adds to a request that is counted with the item's own picture.
            tokens = ceil(picture * PICTURE_SAFETY * ratio)
            nano += group.pictures * limits.max_attempts * prices.most_nano(tokens, 0)
            continue
        first, later = (ceil(most_input_tokens(text, picture) * ratio) for text in (prompt, repair))
        each = prices.most_nano(first, generation.max_tokens) + again * prices.most_nano(later, generation.max_tokens)
        if again and generation.longer_max_tokens is not None:
            # One of them asks for a longer reply.
            each += prices.most_nano(0, generation.longer_max_tokens - generation.max_tokens)
        nano += group.pictures * each
    return to_dollars(nano * (2 if limits.hedge else 1))


def _picture_tokens(estimator: Estimator, groups: Sequence[SizeGroup], side: int | None) -> int:
    return sum(group.pictures * _tokens(estimator, group, side) for group in groups)


def _tokens(estimator: Estimator, group: SizeGroup, side: int | None) -> int:
    """Return the tokens of one picture or clip of a group as it is sent."""
    return estimator.media_tokens(group.width, group.height, group.seconds, side)


def _clip_bytes(recipe: Recipe, estimator: Estimator, group: SizeGroup, side: int | None) -> float:
    """Return the bytes of one clip as it is sent; an address has next to none."""
    if recipe.video.send == "uri":
        return 0.0
    if recipe.video.send == "data":
        return group.seconds * _CLIP_BYTES_PER_S
    width, height = sent_size(group.width, group.height, side)
    return estimator.pictures_sent(group.seconds) * width * height * _FRAME_BYTES_PER_PIXEL


def _is_larger(group: SizeGroup, side: int | None) -> bool:
    return side is not None and max(group.width, group.height) > side


def _sent_bytes(recipe: Recipe, estimator: Estimator, load: Load, side: int | None) -> int:
    """Return the bytes of all requests; a picture that is made smaller loses bytes as it loses pixels."""
    pictures = 0.0
    for group in () if recipe.modality == "text" else load.sizes.groups:
        if group.seconds:
            pictures += group.pictures * _clip_bytes(recipe, estimator, group, side)
            continue
        size = float(group.size_bytes)
        if _is_larger(group, side):
            width, height = sent_size(group.width, group.height, side)
            pixels = width * height
            size *= pixels / (group.width * group.height)
            size = min(size, group.pictures * pixels * _BYTES_PER_PIXEL)
        pictures += size
    return round(pictures * 4 / 3 + fmean(load.prompt_bytes) * load.requests)
