"""What a file is refused for beyond its model: what breaks later, or does not do what it says.

The models do not ask this themselves: what was stored with a run or a training before is read with them, and stays
readable.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.price_list import LIST_OF
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.training import TrainingConfig
from vqa_tui.config.validation import nearest
from vqa_tui.config.yaml_document import Location, YamlDocument
from vqa_tui.domain.changes import MOST_TOKENS
from vqa_tui.domain.own_fields import OWN_FIELDS, OWN_HEADERS

FEWEST_PIXELS = 28 * 28
"""What Qwen2.5-VL makes one token of."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, token."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOST_SIDE = 100_000
_MOST_BYTES = 1 << 40
_MOST_OF_RECIPE: Mapping[Location, int] = {
    ("generation", "max_tokens"): MOST_TOKENS,
    ("generation", "longer_max_tokens"): MOST_TOKENS,
    ("expected_output_tokens",): MOST_TOKENS,
    ("picture", "max_side"): _MOST_SIDE,
    ("checks", "min_answer_chars"): 1_000_000,
}
_MOST_OF_ENDPOINT: Mapping[Location, int] = {
    ("picture", "max_bytes"): _MOST_BYTES,
    ("video", "max_bytes"): _MOST_BYTES,
    ("image_tokens", "pixels_per_token"): _MOST_SIDE**2,
}
"""Beyond these a number is mistyped, and what is computed with it may overflow."""


def check_endpoint(endpoint: Endpoint, document: YamlDocument) -> None:
    """Raise VqaError, with file and line, for an endpoint that cannot be asked as its file says."""
    if not endpoint.model.strip():
        raise document.error(
            ("model",),
            "model: is empty",
            hint="The provider's documentation names them; `vqa-tui endpoint models` lists those of an endpoint.",
        )
    if not endpoint.picture.formats:
        raise document.error(
            ("picture", "formats"),
            "picture.formats: is empty, so no picture could be sent",
            hint="Name what the endpoint accepts, such as `[JPEG, PNG]`, or leave the key out.",
        )
    _check_most(endpoint, _MOST_OF_ENDPOINT, document)
    _check_headers(endpoint, document)
    for name, value in endpoint.query.items():
        if not (name.isprintable() and value.isprintable()):
            raise document.error(("query", name), f"query.{name!r}: must be printable text, name and value")
    _check_keys(endpoint, document)
    if endpoint.prices is not None and not _is_day(endpoint.prices.as_of.removeprefix(LIST_OF)):
        raise document.error(("prices", "as_of"), "prices.as_of: must be a day, such as 2026-10-14")
    _check_free_fields(endpoint.extra_body, ("extra_body",), document)


def check_recipe(recipe: Recipe, document: YamlDocument) -> None:
    """Raise VqaError, with file and line, for a recipe that cannot be asked as its file says."""
    _check_most(recipe, _MOST_OF_RECIPE, document)
    _check_free_fields(recipe.generation.extra_body, ("generation", "extra_body"), document)


def check_training(config: TrainingConfig, document: YamlDocument) -> None:
    """Raise VqaError, with file and line, for a configuration that no training can be made of."""
    if (refused := why_no_training(config)) is not None:
        key, words, hint = refused
        raise document.error((key,), f"{key}: {words}", hint=hint)


def why_no_training(config: TrainingConfig) -> tuple[str, str, str] | None:
    """Return the key of a configuration that no training can be made of, what is wrong with it, and what to do."""
    if config.name.isdecimal():
        words = "is digits alone, and a training of that name would be taken for the one with that number"
        return "name", words, f"Put a letter into it, such as `train_{config.name}`."
    if config.max_pixels is not None and config.max_pixels < FEWEST_PIXELS:
        words = f"must be at least {FEWEST_PIXELS}: of a smaller picture nothing can be seen"
        return "max_pixels", words, "The default is a good beginning; null leaves it to the model's own processor."
    return None


def _check_most(model: BaseModel, most: Mapping[Location, int], document: YamlDocument) -> None:
    for place, largest in most.items():
        value: Any = model
        for part in place:
            value = getattr(value, str(part))
        if value is not None and value > largest:
            raise document.error(place, f"{'.'.join(map(str, place))}: must be at most {largest}")


def _check_headers(endpoint: Endpoint, document: YamlDocument) -> None:
    if endpoint.key_header.lower() in OWN_HEADERS:
        raise document.error(
            ("key_header",), f"key_header: {endpoint.key_header} is set for you, so it cannot carry a key"
        )
    for name, value in endpoint.extra_headers.items():
        place: Location = ("extra_headers", name)
        if not _HEADER_NAME.fullmatch(name):
            raise document.error(
                place,
                f"extra_headers: {name!r} cannot be the name of a header",
                hint="Use ASCII letters, digits and dashes, such as `X-Project`.",
            )
        if name.lower() in OWN_HEADERS:
            raise document.error(place, f"extra_headers.{name}: is set for you", hint="Remove it.")
        if name.lower() == endpoint.key_header.lower():
            raise document.error(place, f"extra_headers.{name}: is the `key_header`, which carries the key")
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            raise document.error(
                place,
                f"extra_headers.{name}: must be printable ASCII in one line, without spaces around it",
                hint="No HTTP header can carry anything else.",
            )


def _check_keys(endpoint: Endpoint, document: YamlDocument) -> None:
    groups = list(dict.fromkeys(endpoint.group_of(key) for key in endpoint.keys))
    for name in endpoint.groups:
        if name not in groups:
            close = nearest(name, groups)
            raise document.error(
                ("groups", name),
                f"groups.{name}: no key is in a group of this name, so its quota would not be held"
                + (f"; did you mean `{close}`?" if close else ""),
                hint=f"The groups are {', '.join(groups)}. A key is in one by `group:`, or alone in that of its name.",
            )
    named: dict[str, str] = {}
    for index, key in enumerate(endpoint.keys):
        if key.env is None:
            continue
        if first := named.get(key.env):
            raise document.error(
                ("keys", index, "env"),
                f"keys.{index}.env: the key {first} has the value of this variable already",
                hint="One key twice has the quota of one key. Remove it, or name the variable of another.",
            )
        named[key.env] = key.name


def _check_free_fields(fields: Mapping[str, Any], place: Location, document: YamlDocument) -> None:
    for name in fields:
        if name in OWN_FIELDS:
            raise document.error(
                (*place, name),
                f"{'.'.join(map(str, place))} must not set `{name}`",
                hint="Remove it; it is set for you.",
            )


def _is_day(text: str) -> bool:
    """Return whether it is a day, or nothing."""
    if not text:
        return True
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False
