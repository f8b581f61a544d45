"""What one picture will take in tokens and money, before it is asked."""

from dataclasses import dataclass

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate, RenderedPrompt
from vqa_tui.domain.cost import Prices, Usage
from vqa_tui.domain.image_tokens import picture_tokens
from vqa_tui.domain.item import Item

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


def sent_size(recipe: Recipe, item: Item) -> tuple[int, int]:
    """Return the width and height in pixels at which the recipe sends this picture."""
    width, height = item.facts.width, item.facts.height
    longest = max(width, height)
    if recipe.picture.max_side is None or longest <= recipe.picture.max_side:
        return width, height
    scale = recipe.picture.max_side / longest
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
        return ItemTokens(_prompt_tokens(prompt), self._picture_tokens(item))

    def upper_bound_nano(self, item: Item, prompt: RenderedPrompt) -> int:
        """Return what one request can cost at most, in nano-dollars: raised input, and output up to max_tokens."""
        if self._prices is None:
            return 0
        tokens = int((_prompt_tokens(prompt) + self._picture_tokens(item)) * _SAFETY)
        return self._prices.cost_nano(Usage(tokens, self._recipe.generation.max_tokens))

    def _picture_tokens(self, item: Item) -> int:
        return picture_tokens(self._endpoint.image_tokens, *sent_size(self._recipe, item))


def _prompt_tokens(prompt: RenderedPrompt) -> int:
    text_bytes = len(prompt.system.encode("utf-8", "replace")) + len(prompt.user.encode("utf-8", "replace"))
    return text_bytes // CHARACTERS_PER_TOKEN + _OVERHEAD_TOKENS
