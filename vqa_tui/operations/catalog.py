"""What can be chosen: recipes and endpoints by name, and whether an endpoint works."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.load import ConfigFile, list_endpoints, list_recipes, load_endpoint, load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.secrets import MissingKey, resolve_key, value_now
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.run_parts import require_own_address, with_model

if TYPE_CHECKING:
    from vqa_tui.endpoints.check import CheckReport


class Places(Protocol):
    """Where recipes and endpoints lie: an open workspace, or its paths alone, whether there is one or not."""

    @property
    def recipe_folders(self) -> tuple[Path, ...]: ...
    @property
    def endpoint_folders(self) -> tuple[Path, ...]: ...


class EndpointTrouble(VqaError):
    """The endpoint was asked and did not answer as it should; the input was not wrong."""


def recipes(workspace: Places) -> list[ConfigFile]:
    """Return every recipe by name; one beside the workspace hides the shipped one of the same name."""
    return list_recipes(workspace.recipe_folders)


def recipe(workspace: Places, name_or_path: str) -> Recipe:
    """Return one recipe. Raises VqaError with file, line and key, or with the nearest name."""
    return load_recipe(name_or_path, folders=workspace.recipe_folders)


def endpoints(workspace: Places) -> list[ConfigFile]:
    """Return every endpoint by name; one beside the workspace hides the shipped one of the same name."""
    return list_endpoints(workspace.endpoint_folders)


def endpoint(workspace: Places, name_or_path: str) -> Endpoint:
    """Return one endpoint. Raises VqaError with file, line and key, or with the nearest name."""
    return load_endpoint(name_or_path, folders=workspace.endpoint_folders)


async def check_endpoint(
    workspace: Places, name_or_path: str, *, model: str | None = None, environ: Mapping[str, str] = os.environ
) -> "CheckReport":
    """Ask the endpoint about one tiny picture with each of its keys and report what works and what to do.

    `model` is asked instead of the one that its file names. Costs some hundred tokens a key. Raises VqaError only when
    the endpoint cannot be loaded or the embedded one cannot be started.
    """
    # Imported here: the HTTP client takes a fifth of a second, which lists and help need not wait for.
    from vqa_tui.endpoints.check import check

    chosen = with_model(endpoint(workspace, name_or_path), model)
    require_own_address(chosen)
    found = {key.name: await value_now(key.name, resolve_key(key, chosen, environ)) for key in chosen.keys}
    keys = {name: value.reason if isinstance(value, MissingKey) else value for name, value in found.items()}
    async with _reachable(chosen) as base_url:
        return await check(chosen, base_url, keys)


async def endpoint_models(
    workspace: Places, name_or_path: str, *, environ: Mapping[str, str] = os.environ
) -> list[str]:
    """Return the names of the models that the endpoint offers to its first key that has a value.

    Raises VqaError when no key has a value, EndpointTrouble when the endpoint does not answer, both with what to do.
    """
    from vqa_tui.endpoints.advice import NO_VALUE, advice_for
    from vqa_tui.endpoints.client import AskFailed
    from vqa_tui.endpoints.models import list_models

    chosen = endpoint(workspace, name_or_path)
    require_own_address(chosen)
    found = [await value_now(key.name, resolve_key(key, chosen, environ)) for key in chosen.keys]
    value = next((each for each in found if isinstance(each, SecretStr)), None)
    if value is None:
        reasons = "; ".join(each.reason for each in found if isinstance(each, MissingKey))
        raise VqaError(f"no key of the endpoint {chosen.name} has a value: {reasons}", hint=NO_VALUE)
    async with _reachable(chosen) as base_url:
        try:
            return await list_models(chosen, base_url, value)
        except AskFailed as failed:
            failure = failed.failure
    raise EndpointTrouble(
        f"{chosen.name} does not list its models: {failure.message}", hint=advice_for(failure, chosen.base_url)
    )


@asynccontextmanager
async def _reachable(chosen: Endpoint) -> AsyncIterator[str]:
    """Give the base URL; for the embedded endpoint of a server that lives as long as the block."""
    if chosen.kind != "embedded":
        yield chosen.base_url
        return
    from vqa_tui.embedded.process import start_embedded

    running = await asyncio.to_thread(start_embedded, chosen)
    try:
        yield running.base_url
    finally:
        await asyncio.to_thread(running.stop)
