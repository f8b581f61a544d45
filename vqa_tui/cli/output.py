"""Printing for people: lines and tables. Everything goes through clean(); nothing is read as markup."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import typer

from vqa_tui.safe_text import clean

_CELL_LIMIT = 300
_PIPE_WIDTH = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers stand right."""

    title: str
    right: bool = False


def say(text: str = "") -> None:
    """Print cleaned text on stdout."""
    typer.echo(clean(text))


def note(text: str) -> None:
    """Print cleaned text on stderr: what a person may want to know, but a program reading stdout must not meet."""
    typer.echo(clean(text), err=True)


def warn(text: str) -> None:
    """Print a cleaned warning on stderr."""
    typer.echo(f"{typer.style('Note:', fg='yellow', bold=True)} {clean(text)}", err=True)


def cell(text: str) -> str:
    """Return text as one clean line of bounded length."""
    return clean(text, one_line=True, limit=_CELL_LIMIT)


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Print rows under their headings, or `empty` when there are none. A terminal cuts long cells, a pipe gets all."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        if column.right:
            table.add_column(Text(column.title), justify="right", no_wrap=True, overflow="crop")
        else:
            table.add_column(Text(column.title), justify="left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    if not table.row_count:
        say(empty)
        return
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    # Rich ends the program with 1 where the reader has gone; printed by us that shows as it does everywhere.
    with console.capture() as printed:
        console.print(table)
    typer.echo(printed.get(), nl=False)


def print_facts(facts: Iterable[tuple[str, str]], *, out: Callable[[str], None] = say) -> None:
    """Print name and value in two columns; a value of several lines is indented under itself."""
    shown = [(name, clean(value)) for name, value in facts if value]
    width = max((len(name) for name, _value in shown), default=0)
    for name, value in shown:
        out(f"{name:<{width}}  " + value.replace("\n", "\n" + " " * (width + 2)))
