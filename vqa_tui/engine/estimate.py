"""What one request will take in tokens and money, before it is asked."""

from dataclasses import dataclass
from math import ceil

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.image_token_rule import ImageTokenRule
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import RenderedPrompt
from vqa_tui.domain.clip import frame_count
from vqa_tui.domain.cost import Prices
from vqa_tui.domain.image_tokens import USED_BY_RULE, picture_tokens
from vqa_tui.domain.item import Item
from vqa_tui.domain.quota import RequestSize

BYTES_PER_TOKEN = 4
"""Rule of thumb for English text; settled later by the endpoint's own usage report."""
MOST_TOKENS_PER_BYTE = 1
"""Tokenizers that work on bytes make no more: whatever the script and the vocabulary, text is bounded by its bytes."""
OVERHEAD_TOKENS = 20
"""What the chat format puts around two messages."""
_MOST_OVERHEAD_TOKENS = 60
PICTURE_SAFETY = 1.25
"""Vendors call their picture rules rough, so a reservation takes them this much larger."""
_MOST_SIZES_KEPT = 10_000
_RULES = [ImageTokenRule(rule=name) for name in USED_BY_RULE]
"""Every vendor's rule with the numbers that most of its models have."""


def prices_of(endpoint: Endpoint) -> Prices | None:
    return None if endpoint.prices is None else endpoint.prices.prices


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """What one request is expected to take, and what it can cost at most."""

    size: RequestSize
    upper_bound_nano: int
    """Input as dear as it can be, and output up to max_tokens, in nano-dollars; 0 where the price is unknown."""


def sent_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return the width and height in pixels at which a picture is sent; None sends the original size."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    scale = max_side / longest
    return max(round(width * scale), 1), max(round(height * scale), 1)


def most_input_tokens(prompt_bytes: int, picture: int) -> int:
    """Return a bound of the input tokens of one request: its text in bytes, its pictures as the rule counts them."""
    return prompt_bytes * MOST_TOKENS_PER_BYTE + _MOST_OVERHEAD_TOKENS + ceil(picture * PICTURE_SAFETY)


class Estimator:
    """Estimates for one recipe on one endpoint."""

    def __init__(self, recipe: Recipe, endpoint: Endpoint) -> None:
        self._recipe = recipe
        self._is_text = recipe.modality == "text"
        self._rule = endpoint.image_tokens
        self._limits = endpoint.picture
        self._video = endpoint.video
        self._prices = prices_of(endpoint)
        self._by_size: dict[tuple[int, int, int | None], int] = {}
        self._is_guessed = endpoint.kind != "embedded" and endpoint.image_tokens == ImageTokenRule()
        """Whether nobody has stated how the endpoint counts pictures; the embedded one counts as its file says."""
        self._dearest: dict[tuple[int, int, int | None], int] = {}

    def request(self, item: Item, prompt: RenderedPrompt, *, max_side: int | None, max_tokens: int) -> RequestEstimate:
        """Return what asking `prompt` about `item`, sent with this longest side, takes."""
        text = bytes_of(prompt)
        seconds = 0.0 if item.truth.clip is None else item.truth.clip.length_s
        sizes = [(facts.width, facts.height) for facts in (item.facts, *(each.facts for each in item.truth.further))]
        shown = sum(self.media_tokens(*size, seconds, max_side) for size in sizes)
        bound = 0
        if self._prices is not None:
            most = shown
            if self._is_guessed and not self._is_video(seconds):
                most = sum(self._dearest_picture(*size, max_side) for size in sizes) * self.pictures_sent(seconds)
            bound = self._prices.most_nano(most_input_tokens(text, most), max_tokens)
        # Whoever is given more room than usual is expected to use it.
        is_longer = max_tokens > self._recipe.generation.max_tokens
        output = max_tokens if is_longer else min(self._recipe.expected_output_tokens, max_tokens)
        return RequestEstimate(RequestSize(prompt_tokens(text) + shown, output), bound)

    def media_tokens(self, width: int, height: int, seconds: float, max_side: int | None) -> int:
        """Return the tokens of a picture as a request shows it (`seconds` 0), or of a clip of this length."""
        if self._is_text:
            return 0
        if self._is_video(seconds):
            return ceil(seconds * self._video.tokens_per_second)
        return self.picture_tokens(width, height, max_side) * self.pictures_sent(seconds)

    def pictures_sent(self, seconds: float) -> int:
        """Return as how many pictures a picture is sent: as 1, or a clip of so many seconds as its frames."""
        if not seconds:
            return 1
        rules = self._recipe.video
        return frame_count(seconds, rules.fps, self._limits.frames(rules.max_frames))

    def _is_video(self, seconds: float) -> bool:
        return bool(seconds) and self._recipe.video.send != "frames"

    def picture_tokens(self, width: int, height: int, max_side: int | None) -> int:
        """Return the tokens of a picture of this size in pixels, sent with this longest side; 0 where none is sent."""
        if self._is_text:
            return 0
        size = (width, height, self._limits.side(max_side))
        # Many datasets hold few sizes, and some rules search for theirs.
        found = self._by_size.get(size)
        if found is None:
            if len(self._by_size) >= _MOST_SIZES_KEPT:
                self._by_size.clear()
            found = self._by_size[size] = picture_tokens(self._rule, *sent_size(*size))
        return found

    def _dearest_picture(self, width: int, height: int, max_side: int | None) -> int:
        """Return the tokens of a picture by the dearest of all vendors' rules: a cap must hold under each."""
        if self._is_text:
            return 0
        size = (width, height, self._limits.side(max_side))
        found = self._dearest.get(size)
        if found is None:
            if len(self._dearest) >= _MOST_SIZES_KEPT:
                self._dearest.clear()
            found = self._dearest[size] = max(picture_tokens(rule, *sent_size(*size)) for rule in _RULES)
        return found


def prompt_tokens(text_bytes: int) -> int:
    """Return the tokens that a prompt of so many bytes is expected to have."""
    return text_bytes // BYTES_PER_TOKEN + OVERHEAD_TOKENS


def bytes_of(prompt: RenderedPrompt) -> int:
    """Return the size of both messages in bytes of UTF-8."""
    return _size(prompt.system) + _size(prompt.user)


def _size(text: str) -> int:
    # Whether a text is ASCII is known without looking; encoding a long prompt costs microseconds for every request.
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
