"""`vqa-tui endpoint …`: which endpoints there are, what is in one, and whether it works."""

from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.config_list import print_configs
from vqa_tui.cli.errors import WORK_FAILED, complain
from vqa_tui.cli.options import JsonOption, ModelOption, WorkspaceOption
from vqa_tui.cli.output import Column, print_facts, print_table, say

if TYPE_CHECKING:
    from vqa_tui.config.endpoint import Endpoint, EndpointPrices

app = typer.Typer(no_args_is_help=True, help="Endpoints: where recipes are asked.", rich_markup_mode=None)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of an endpoint, or path of its YAML file.")]


@app.command("list")
def list_endpoints(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the endpoints that can be named: those beside the workspace, and the shipped ones."""
    from vqa_tui.operations import catalog
    from vqa_tui.paths import find_workspace

    print_configs(catalog.endpoints(find_workspace(workspace)), json=json, empty="No endpoints were found.")


@app.command()
def show(name: NameArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show one endpoint: address, model, keys by name, quotas, prices. Values of keys are never shown."""
    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.config.price_list import listed_prices
    from vqa_tui.operations import catalog
    from vqa_tui.paths import find_workspace

    endpoint = catalog.endpoint(find_workspace(workspace), name)
    listed = None if endpoint.prices is not None else listed_prices(endpoint)
    if json:
        prices = endpoint.prices or listed
        print_json({**plain(endpoint), "prices": prices, "prices_listed": listed is not None})
    else:
        _show(endpoint, listed)


def _show(endpoint: "Endpoint", listed: "EndpointPrices | None") -> None:
    import os

    from vqa_tui.operations.doctor import missing_keys
    from vqa_tui.tui.present.endpoint_words import (
        picture_words,
        prices_with_source,
        quota_words,
        rule_words,
        source_words,
    )

    print_facts(
        [
            ("endpoint", endpoint.name),
            ("description", endpoint.description),
            ("address", endpoint.base_url or "built in"),
            ("model", endpoint.model),
            ("prices", prices_with_source(endpoint.prices or listed, listed=listed is not None)),
            ("quota", quota_words(endpoint.quota)),
            ("concurrency", str(endpoint.concurrency)),
            ("pictures", picture_words(endpoint.picture)),
            ("picture tokens", rule_words(endpoint.image_tokens)),
        ]
    )
    say()
    missing = missing_keys(endpoint, os.environ)
    columns = [Column("key"), Column("variable"), Column("group"), Column("quota"), Column("value")]
    print_table(
        columns,
        (
            (
                key.name,
                key.env or "none needed" if key.token is None else source_words(key),
                endpoint.group_of(key),
                quota_words(key.quota or endpoint.groups.get(endpoint.group_of(key), endpoint.quota)),
                missing.get(key.name, "there"),
            )
            for key in endpoint.keys
        ),
        empty="",
    )


@app.command()
def check(
    name: NameArgument, model: ModelOption = None, json: JsonOption = False, workspace: WorkspaceOption = None
) -> None:
    """Ask an endpoint about one tiny picture with each key.

    Says what works and what to do about the rest, and exits with 1 if something does not work.
    """
    import asyncio

    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.operations.catalog import check_endpoint
    from vqa_tui.paths import find_workspace

    report = asyncio.run(check_endpoint(find_workspace(workspace), name, model=model))
    if json:
        print_json({"ok": report.ok, **plain(report)})
    else:
        say(f"{report.endpoint}: {report.model} at {report.address}")
        for step in report.steps:
            subject = f"{step.name} ({step.key})" if step.key else step.name
            say(f"  {'ok  ' if step.ok else 'FAIL'}  {subject}: {step.detail}")
            if step.advice:
                say(f"        → {step.advice}")
    if not report.ok:
        raise typer.Exit(WORK_FAILED)


@app.command()
def models(name: NameArgument, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the models that an endpoint offers to its first key.

    Exits with 1 if it does not answer.
    """
    import asyncio

    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.catalog import EndpointTrouble, endpoint_models
    from vqa_tui.paths import find_workspace

    try:
        found = asyncio.run(endpoint_models(find_workspace(workspace), name))
    except EndpointTrouble as error:
        complain(error)
        raise typer.Exit(WORK_FAILED) from error
    if json:
        print_json(found)
        return
    for model in found:
        say(model)
    if not found:
        say("The endpoint lists no models.")


@app.command()
def copy(
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What the copy is called.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Copy an endpoint into `endpoints/` beside the workspace under a new name, to start your own from it."""
    from vqa_tui.operations.config_copies import copy_endpoint
    from vqa_tui.paths import find_workspace

    say(f"Copied to {copy_endpoint(find_workspace(workspace), name, new)}")
