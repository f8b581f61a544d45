"""What is known of an endpoint without asking it: address, model, which keys have a value, and whose prices count."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vqa_tui.config.endpoint import EndpointPrices, Quota
from vqa_tui.config.price_list import listed_prices
from vqa_tui.operations.catalog import Places, endpoint
from vqa_tui.operations.config_entries import missing_here
from vqa_tui.operations.run_parts import with_model


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One key by its name; never its value."""

    name: str
    variable: str
    """Of the environment; empty where no key is needed."""
    group: str
    missing: str
    """Why it has no value, and what to do; empty where it has one."""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    name: str
    description: str
    address: str
    """Empty for the embedded endpoint."""
    model: str
    """The one that is asked."""
    model_in_file: str
    keys: tuple[KeyFacts, ...]
    prices: EndpointPrices | None
    prices_listed: bool
    """Whether the prices are those of a public list."""
    quota: Quota
    concurrency: int


def endpoint_facts(
    places: Places, name_or_path: str, *, model: str | None = None, environ: Mapping[str, str] = os.environ
) -> EndpointFacts:
    """Return the facts of one endpoint, asked for `model` instead of the file's where given.

    The OS keyring is not opened. Raises VqaError when the endpoint cannot be loaded.
    """
    in_file = endpoint(places, name_or_path)
    chosen = with_model(in_file, model)
    missing = missing_here(chosen, environ)
    prices = chosen.prices or listed_prices(chosen)
    return EndpointFacts(
        name=chosen.name,
        description=chosen.description,
        address=chosen.base_url,
        model=chosen.model,
        model_in_file=in_file.model,
        keys=tuple(
            KeyFacts(key.name, key.env or key.token or "", chosen.group_of(key), missing.get(key.name, ""))
            for key in chosen.keys
        ),
        prices=prices,
        prices_listed=chosen.prices is None and prices is not None,
        quota=chosen.quota,
        concurrency=chosen.concurrency,
    )
