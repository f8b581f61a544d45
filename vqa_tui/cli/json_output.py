"""Views as JSON for programs: faithful to the stored text, pure ASCII, money as numbers of dollars."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import typer

from vqa_tui.domain.plain_json import as_json
from vqa_tui.domain.plain_json import plain as plain

if TYPE_CHECKING:
    from vqa_tui.domain.run import RunView


def run_document(view: "RunView") -> dict[str, Any]:
    """Return the JSON of one run: the fields of RunView, and whether its engine is alive.

    Scripts rely on the names of its keys; they are listed in docs/guide.md.
    """
    from vqa_tui.domain.run import EngineState

    document: dict[str, Any] = plain(view)
    alive = view.engine.state in (EngineState.ALIVE, EngineState.HUNG)
    document["engine"] = {"alive": alive, **document["engine"]}
    return document


def print_json(document: Any) -> None:
    typer.echo(as_json(document, indent=2))


async def print_json_list(documents: AsyncIterator[Any]) -> None:
    """Print a JSON list one element a line, holding only one element in memory."""
    before = "[\n"
    async for document in documents:
        typer.echo(before + as_json(document), nl=False)
        before = ",\n"
    typer.echo("\n]" if before == ",\n" else "[\n]")
