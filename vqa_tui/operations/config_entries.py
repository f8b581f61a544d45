"""Every recipe and endpoint with what a list shows of it: where it lies, whose it is, and what is wrong with it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from vqa_tui.config.endpoint import Endpoint, EndpointPrices
from vqa_tui.config.google_tokens import why_no_token
from vqa_tui.config.load import list_endpoints, list_recipes, load_endpoint, load_recipe
from vqa_tui.config.price_list import listed_prices
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.catalog import Places
from vqa_tui.operations.config_copies import is_shipped

_LARGEST_SHOWN = 200_000
"""Bytes of a file that are read for showing."""


@dataclass(frozen=True, slots=True)
class RecipeEntry:
    """One recipe that can be named; without `recipe` it cannot be used, and `problem` says why."""

    name: str
    path: Path
    shipped: bool
    recipe: Recipe | None
    problem: str = ""
    """With file, line and key."""


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """One endpoint that can be named; without `endpoint` it cannot be used, and `problem` says why."""

    name: str
    path: Path
    shipped: bool
    endpoint: Endpoint | None
    problem: str = ""
    host: str = ""
    """Host and port of the address; empty for the built-in endpoint."""
    prices: EndpointPrices | None = None
    listed: bool = False
    """Whether the prices are those of the public list and not the file's own."""
    missing: Mapping[str, str] | None = None
    """Why a key has no value in the environment, by the key's name; keys that are not in it have one."""


def recipe_entries(workspace: Places) -> list[RecipeEntry]:
    """Return every recipe by name, broken ones too."""
    found = []
    for file in list_recipes(workspace.recipe_folders):
        recipe, problem = None, ""
        try:
            recipe = load_recipe(file.name, folders=workspace.recipe_folders)
        except VqaError as error:
            problem = str(error)
        found.append(RecipeEntry(file.name, file.path, is_shipped(file.path), recipe, problem))
    return found


def endpoint_entries(workspace: Places, *, environ: Mapping[str, str] = os.environ) -> list[EndpointEntry]:
    """Return every endpoint by name, broken ones too, and which of its keys have a value."""
    found = []
    for file in list_endpoints(workspace.endpoint_folders):
        shipped = is_shipped(file.path)
        try:
            endpoint = load_endpoint(file.name, folders=workspace.endpoint_folders)
        except VqaError as error:
            found.append(EndpointEntry(file.name, file.path, shipped, None, str(error)))
            continue
        listed = None if endpoint.prices is not None else listed_prices(endpoint)
        found.append(
            EndpointEntry(
                name=file.name,
                path=file.path,
                shipped=shipped,
                endpoint=endpoint,
                host=urlsplit(endpoint.base_url).netloc,
                prices=endpoint.prices or listed,
                listed=listed is not None,
                missing=missing_here(endpoint, environ),
            )
        )
    return found


def missing_here(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of an endpoint that have no value in `environ`, each with the reason in words.

    The OS keyring is not opened for this: a program that only shows endpoints must not hold the value of a key.
    """
    missing: dict[str, str] = {}
    for key in endpoint.keys:
        if key.token is not None:
            if words := why_no_token(key.env, environ):
                missing[key.name] = words
            continue
        if endpoint.kind == "embedded" or key.env is None or environ.get(key.env, "").strip():
            continue
        elsewhere = "; perhaps the OS keyring holds it" if find_spec("keyring") else ""
        state = "is set but empty" if key.env in environ else "is not set"
        missing[key.name] = f"the variable {key.env} {state}{elsewhere}"
    return missing


def file_text(path: Path) -> str:
    """Return a file as it stands, its first 200,000 bytes. Raises VqaError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LARGEST_SHOWN).decode("utf-8", "replace")
    except OSError as error:
        raise VqaError(f"{path} cannot be read: {error.strerror or error}") from error
