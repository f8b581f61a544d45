"""`vqa-tui settings`: what a person sets for the terminal app, and its keys by id."""

from typing import Annotated

import typer

from vqa_tui.cli.options import JsonOption, each_once
from vqa_tui.domain.failure import VqaError

app = typer.Typer(
    no_args_is_help=True,
    help="Settings of the terminal app: theme, pictures, notifications, keys.",
    rich_markup_mode=None,
)


@app.command("show")
def show(json: JsonOption = False) -> None:
    """Show every setting, and the files that they stand in."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.output import print_facts
    from vqa_tui.config.app_settings import keys_file, load_settings, settings_file

    values = load_settings().model_dump()
    files = {"settings_file": str(settings_file()), "keys_file": str(keys_file())}
    if json:
        print_json({**values, **files})
    else:
        print_facts((name, shown_value(value)) for name, value in {**values, **files}.items())


@app.command("set")
def set_values(
    changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="Settings to change.", show_default=False)],
) -> None:
    """Change settings; an app that is open takes them when its settings are opened, or at its next start."""
    from vqa_tui.config.app_settings import store_settings

    typed = each_once(map(_key_and_value, changes))
    if "theme" in typed:
        _require_theme(typed["theme"])
    store_settings(typed)


def _key_and_value(change: str) -> tuple[str, str]:
    name, sign, value = change.partition("=")
    if not sign:
        raise VqaError(f"{change!r} is not KEY=VALUE", hint="For example `theme=nord` or `bell=false`.")
    return name.strip(), value.strip()


def _require_theme(name: str) -> None:
    """Raise VqaError, with the nearest name, for a theme that the app does not have."""
    from vqa_tui.cli.ui import themes
    from vqa_tui.config.validation import nearest

    known = themes()
    if name not in known:
        close = nearest(name, known)
        raise VqaError(
            f"theme: there is no theme {name!r}" + (f"; did you mean {close}?" if close else ""),
            hint=f"Known: {', '.join(known)}",
        )


@app.command("keys")
def keys(json: JsonOption = False) -> None:
    """List everything that a key does, with the id by which keys.yaml may name it."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.cli.output import Column, print_table
    from vqa_tui.cli.ui import keys_by_id

    known = keys_by_id()
    if json:
        print_json(known)
    else:
        columns = (Column("ID"), Column("KEYS"), Column("WHAT IT DOES"))
        print_table(columns, [(each["id"], each["keys"], each["does"]) for each in known], empty="There are no keys.")


def shown_value(value: object) -> str:
    """Return a setting as a person types it."""
    return str(value).lower() if isinstance(value, bool) else str(value) or "none"
