"""A plan in words and cells, as the command line and the terminal app both show it."""

from decimal import Decimal

from vqa_tui.config.endpoint import EndpointPrices
from vqa_tui.config.price_list import LIST_OF
from vqa_tui.operations.plan import BandPart, RunPlan, SizeRow
from vqa_tui.tui.present.numbers import compact, count, duration, file_size, money, plural

SIZE_COLUMNS = ("longest side", "picture tokens", "cost", "to send", "made smaller")


def side_words(max_side: int | None) -> str:
    """Return a longest side in pixels: 512 px, original."""
    return "original" if max_side is None else f"{count(max_side)} px"


def amount_words(plan: RunPlan) -> str:
    """Return how much is asked: pictures, and where these may be several requests, how many those are."""
    if not plan.in_parts:
        return plural(plan.items, "picture")
    return f"{plural(plan.requests, 'request')} about {plural(plan.items, 'picture')}"


def token_words(plan: RunPlan) -> str:
    """Return the tokens of one picture by what takes them."""
    return (
        f"{compact(plan.prompt_tokens_per_item)} prompt + {compact(plan.picture_tokens_per_item)} picture "
        f"+ {compact(plan.output_tokens_per_item)} reply"
    )


def price_words(prices: EndpointPrices) -> str:
    """Return prices by kind of token."""
    parts = [f"{_dollars(prices.input_per_million)} in", f"{_dollars(prices.output_per_million)} out"]
    for value, name in (
        (prices.image_input_per_million, "pictures in"),
        (prices.cached_input_per_million, "cached in"),
        (prices.cache_write_per_million, "written into the cache"),
    ):
        if value is not None:
            parts.append(f"{_dollars(value)} {name}")
    return ", ".join(parts) + ", per million tokens"


def short_prices(prices: EndpointPrices) -> str:
    """Return dollars per million tokens in and out, for a narrow column that names them."""
    return f"{_digits(prices.input_per_million)}, {_digits(prices.output_per_million)}"


def price_source(prices: EndpointPrices, *, listed: bool) -> str:
    """Return where prices come from and of when they are."""
    source = prices.source or ("a public list" if listed else "the endpoint's file")
    if not prices.as_of:
        return source
    return f"{source}, {prices.as_of}" if prices.as_of.startswith(LIST_OF) else f"{source}, as of {prices.as_of}"


def band_words(plan: RunPlan) -> str:
    """Return the ends of the band; empty where the price is unknown or zero."""
    if not plan.cost_total or plan.cost_low is None or plan.cost_high is None:
        return ""
    return f"{money(plan.cost_low)} to {money(plan.cost_high)}"


def most_words(plan: RunPlan) -> str:
    """Return the upper end of all and what it assumes; empty where the price is unknown or zero."""
    if not plan.cost_most:
        return ""
    requests = plural(plan.most_requests, "request")
    return f"{money(plan.cost_most)} if every {plan.unit} takes {requests} and every reply is as long as allowed"


def band_parts(plan: RunPlan) -> list[str]:
    """Return what makes the band, one line each, the largest first."""
    parts = sorted(plan.band, key=lambda part: -max(part.low, part.high))
    return [f"{_swing(part)} {part.name}: {part.reason}" for part in parts if part.low or part.high]


def least_time(seconds: float) -> str:
    """Return the least time that something takes; what rounds to nothing is no less than that."""
    return duration(seconds) if round(seconds) else "a fraction of a second"


def bound_words(plan: RunPlan) -> str:
    """Return the least time and what makes it; empty where nothing known limits it."""
    if not plan.time_bounds:
        return ""
    first, *others = plan.time_bounds
    words = f"{least_time(first.seconds)} ({first.name})"
    return words + "".join(f"; {least_time(bound.seconds)} ({bound.name})" for bound in others[:2])


def earlier_words(plan: RunPlan) -> str:
    """Return what earlier runs measured; empty where there are none."""
    if plan.earlier is None:
        return ""
    words = (
        f"{plural(plan.earlier.runs, 'earlier run')} of this recipe and model: input {plan.input_ratio:.2f} × the "
        f"estimate, {plan.output_tokens_per_item:.0f} tokens a reply"
    )
    if plan.requests_per_item > 1.005:
        words += f", {plan.requests_per_item:.2f} requests a picture"
    return words


def size_cells(row: SizeRow, plan: RunPlan) -> tuple[str, str, str, str, str]:
    """Return one row of the table of picture sizes, in the order of SIZE_COLUMNS."""
    return (
        side_words(row.max_side),
        compact(row.picture_tokens),
        money(row.cost_total),
        file_size(row.sent_bytes),
        "none" if row.shrunk == 0 else "all" if row.shrunk == plan.shown else compact(row.shrunk),
    )


def _dollars(value: Decimal) -> str:
    return f"${_digits(value)}"


def _digits(value: Decimal) -> str:
    """Return a price in full: prices are looked up and compared digit by digit."""
    whole, _, digits = f"{value:f}".partition(".")
    return f"{whole}.{digits.rstrip('0').ljust(2, '0')}"


def _swing(part: BandPart) -> str:
    if part.low == part.high:
        return f"±{money(part.high)}"
    return f"−{money(part.low)}/+{money(part.high)}" if part.low else f"+{money(part.high)}"
