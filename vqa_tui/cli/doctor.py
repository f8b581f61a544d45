"""`vqa-tui doctor`: what is installed, what is missing, and what to do about it."""

import sys
from typing import TYPE_CHECKING

import typer

from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import JsonOption, WorkspaceOption
from vqa_tui.cli.output import say

if TYPE_CHECKING:
    from vqa_tui.operations.doctor import Check


def doctor(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show what is installed, what is missing, what to do.

    Exits with 1 if something that everything needs is missing.
    """
    import os
    import shutil

    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.doctor import TerminalFacts, examine
    from vqa_tui.paths import find_workspace

    size = shutil.get_terminal_size()
    facts = TerminalFacts(sys.stdout.isatty(), size.columns, size.lines, sys.stdout.encoding or "unknown")
    checks = examine(find_workspace(workspace), os.environ, facts)
    if json:
        print_json(checks)
    else:
        _show(checks)
    if any(check.needed and not check.ok for check in checks):
        raise typer.Exit(WORK_FAILED)


def _show(checks: "list[Check]") -> None:
    width = max(len(check.name) for check in checks)
    topic = ""
    for check in checks:
        if check.topic != topic:
            topic = check.topic
            say(topic)
        mark = "ok     " if check.ok else "MISSING" if check.needed else "note   "
        say(f"  {mark}  {check.name:<{width}}  {check.found}")
        if not check.ok and check.advice:
            say(f"  {'':7}  {'':<{width}}  → {check.advice}")
    needed = [check.name for check in checks if check.needed and not check.ok]
    say()
    say(f"Needed and missing: {', '.join(needed)}." if needed else "Everything that is needed is there.")
