"""What one picture will take in tokens and money, before it is asked."""

from dataclasses import dataclass

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate, RenderedPrompt
from vqa_tui.domain.cost import Prices, Usage
from vqa_tui.domain.image_tokens import picture_tokens
from vqa_tui.domain.item import Item
from vqa_tui.domain.quota import RequestSize

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for English text; settled later by the endpoint's own usage report."""
_SAFETY = 1.25
"""A reservation must be an upper bound, so input estimates are raised by this factor."""
_OVERHEAD_TOKENS = 20


@dataclass(frozen=True, slots=True)
class ItemTokens:
    """Estimated input tokens of one request."""

    prompt: int
    picture: int


def prices_of(endpoint: Endpoint) -> Prices | None:
    if endpoint.prices is None:
        return None
    return Prices(endpoint.prices.input_per_million, endpoint.prices.output_per_million)


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """What one request is expected to take, and what it can cost at most."""

    size: RequestSize
    upper_bound_nano: int
    """Raised input, and output up to max_tokens, in nano-dollars; 0 where the price is unknown."""


def sent_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return the width and height in pixels at which a picture is sent; None sends the original size."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    scale = max_side / longest
    return max(round(width * scale), 1), max(round(height * scale), 1)


class Estimator:
    """Estimates for one recipe on one endpoint."""

    def __init__(self, recipe: Recipe, endpoint: Endpoint) -> None:
        self._recipe = recipe
        self._endpoint = endpoint
        self._prices = prices_of(endpoint)
        self._template = PromptTemplate(recipe)

    def tokens(self, item: Item) -> ItemTokens:
        """Return the input tokens of asking about `item`. Raises VqaError when its prompt cannot be rendered."""
        prompt = self._template.render(item)
        return ItemTokens(_prompt_tokens(prompt), self._picture_tokens(item, self._recipe.picture.max_side))

    def request(self, item: Item, prompt: RenderedPrompt, *, max_side: int | None, max_tokens: int) -> RequestEstimate:
        """Return what asking `prompt` about `item`, sent with this longest side, takes."""
        tokens = _prompt_tokens(prompt) + self._picture_tokens(item, max_side)
        bound = 0 if self._prices is None else self._prices.cost_nano(Usage(int(tokens * _SAFETY), max_tokens))
        return RequestEstimate(RequestSize(tokens, self._recipe.expected_output_tokens), bound)

    def _picture_tokens(self, item: Item, max_side: int | None) -> int:
        return picture_tokens(self._endpoint.image_tokens, *sent_size(item.facts.width, item.facts.height, max_side))


def _prompt_tokens(prompt: RenderedPrompt) -> int:
    text_bytes = len(prompt.system.encode("utf-8", "replace")) + len(prompt.user.encode("utf-8", "replace"))
    return text_bytes // CHARACTERS_PER_TOKEN + _OVERHEAD_TOKENS
