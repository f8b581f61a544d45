"""The table of recipes and that of endpoints: what can be named, and which file of them cannot be used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqa_tui.cli.output import Column, print_table

if TYPE_CHECKING:
    from vqa_tui.config.load import ConfigFile


def print_configs(entries: "Sequence[ConfigFile]", *, json: bool, empty: str) -> None:
    """Print `entries` as JSON or as a table in which a file that cannot be used shows why."""
    from vqa_tui.cli.json_output import print_json

    if json:
        print_json(entries)
        return
    columns = [Column("name"), Column("description"), Column("file")]
    rows = ((each.name, each.problem or each.description, str(each.path)) for each in entries)
    print_table(columns, rows, empty=empty)
