"""Recipes, endpoints and trainings as text that never changes: what a run stores, and how it is fingerprinted."""

import hashlib
import json
from typing import Any, TypeVar

from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError

M = TypeVar("M", Recipe, Endpoint)

_LEFT_OUT: dict[str, object] = {"prompt": None, "prompts": [], "each": "picture"}
"""Values that a recipe of one prompt does not speak of: what it was frozen to before there were others still holds."""
_LEFT_OUT_OF_VIDEO: dict[str, object] = {"sound": False}
"""The same within `video`."""


def freeze(model: Recipe | Endpoint) -> str:
    """Return canonical JSON: keys sorted, no spaces, ASCII only, decimals as text. Equal models give equal text.

    Raises VqaError when a free value (`variables`, `extra_body`) is not JSON.
    """
    try:
        value = model.model_dump(mode="json")
        if isinstance(model, Recipe):
            value = _spoken_of(value, _LEFT_OUT)
            value["video"] = _spoken_of(value["video"], _LEFT_OUT_OF_VIDEO)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise VqaError(f"{model.name} holds a value that JSON cannot: {error}") from error


def _spoken_of(value: dict[str, Any], left_out: dict[str, object]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in left_out or each != left_out[name]}


def freeze_training(config: TrainingConfig) -> str:
    """Return canonical JSON of a training's configuration, as `freeze` does."""
    return json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False)


def thaw_recipe(text: str) -> Recipe:
    """Return the recipe that `freeze` wrote. Raises VqaError when this version cannot read it."""
    return _thaw(Recipe, "recipe", text)


def thaw_endpoint(text: str) -> Endpoint:
    """Return the endpoint that `freeze` wrote. Raises VqaError when this version cannot read it."""
    return _thaw(Endpoint, "endpoint", text)


def fingerprint(*texts: str) -> str:
    """Return the SHA-256 of `texts` as 64 hex digits; moving a boundary between two texts changes it."""
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def _thaw(model: type[M], word: str, text: str) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise VqaError(
            f"the stored {word} cannot be read by this version of vqa-tui ({place}: {first['msg']})",
            hint="It was probably written by another version; open this workspace with that one.",
        ) from None
