"""The README and the guide tell the truth: their commands exist, those that need no key run, and none is missing."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from vqa_tui.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
SHELL = re.compile(r"[|&;<>$`*?#~(){}\\]")
"""What a shell does more with than to split."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(group: Any, path: str = "vqa-tui") -> Iterator[tuple[str, Any]]:
    """Give every command that a person can type, with its full name."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(get_command(app)))


def fenced(document: Path, language: str) -> list[str]:
    """Return the lines of all blocks of one language; in a `console` block those after `$ `."""
    blocks = [body for found, body in FENCE.findall(document.read_text("utf-8")) if found == language]
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if language != "console" or line.startswith("$ ")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_parameter_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help and command.help.rstrip()
    assert [each.name for each in command.params if not getattr(each, "help", None)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_guide(name: str) -> None:
    assert re.search(rf"{name}\b", (ROOT / "docs" / "guide.md").read_text("utf-8"))


def test_the_names_that_scripts_rely_on_are_there() -> None:
    promised = "demo export validate simulate doctor dataset.import dataset.list dataset.show recipe.list recipe.show"
    promised += " endpoint.list endpoint.show endpoint.check endpoint.models run.start run.list run.show run.watch"
    promised += " run.pause run.resume run.stop run.approve run.retry run.set item.list item.show"
    assert {f"vqa-tui {name.replace('.', ' ')}" for name in promised.split()} <= set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_line_in_a_document_can_be_typed(document: Path) -> None:
    for line in [*fenced(document, "sh"), *fenced(document, "console")]:
        words = shlex.split(line, comments=True)
        if not words or words[0] != "vqa-tui":
            continue
        name = next((name for name in COMMANDS if f"{shlex.join(words)} ".startswith(f"{name} ")), None)
        assert name is not None, line
        known = {option for each in COMMANDS[name].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text("utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if fenced(path, "console")], ids=lambda path: path.name
)
def test_what_a_document_shows_as_a_session_works(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The `console` blocks of a document are one session, typed into an empty folder.

    A shell gets the first command of each noun and every line that is more than a command; starting Python anew for the
    others would show nothing further.
    """
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    typed: set[str] = set()
    for line in fenced(document, "console"):
        words = shlex.split(line)
        if words[0] != "vqa-tui" or SHELL.search(line) or words[1] not in typed:
            result = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=120)
            code, said = result.returncode, f"{result.stdout}\n{result.stderr}"
            typed.add(words[1] if words[0] == "vqa-tui" else "")
        else:
            done = CliRunner().invoke(app, words[1:], prog_name="vqa-tui")
            code, said = done.exit_code, f"{done.output}\n{done.exception!r}"
        assert code == 0, f"{line}\n{said}"


def test_the_two_ways_in_are_make_targets() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {"demo", "test", "check", "bench", "screenshots", "format", "clean"} <= targets
    assert fenced(ROOT / "README.md", "sh")[:2] == ["make demo", "make test"]
