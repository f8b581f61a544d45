"""House rules that can be read off the files themselves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_FOLDERS = ("vqa_tui", "tests", "bench", "docs")
MOST_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def source_files(*suffixes: str) -> list[Path]:
    found = (path for folder in SOURCE_FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    return sorted(path for path in found if "__pycache__" not in path.parts)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", source_files(".py", ".tcss", ".sql"), ids=named)
def test_no_file_is_too_long(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MOST_LINES


@pytest.mark.parametrize("path", source_files(".py"), ids=named)
def test_the_first_line_says_what_a_file_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.startswith(('"""', 'r"""')), "the docstring is not the first line"


def test_no_file_has_a_name_that_says_nothing() -> None:
    parts = {part.removesuffix(".py") for path in source_files(".py") for part in path.relative_to(ROOT).parts}
    assert not parts & FORBIDDEN_NAMES


def test_nothing_is_left_for_later() -> None:
    # Put together from halves so that this file does not find itself.
    marks = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
    found = [f"{named(path)}: {line}" for path in source_files(".py") for line in matching_lines(path, marks)]
    assert not found


def matching_lines(path: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if pattern.search(line):
            yield f"{number}: {line.strip()}"


def text_files() -> list[Path]:
    loose = [path for pattern in ("*.md", "*.toml", "*.txt", "Makefile", ".ci/*") for path in ROOT.glob(pattern)]
    configs = [path for path in (ROOT / "configs").rglob("*") if path.suffix in (".yaml", ".yml")]
    return sorted({*source_files(".py", ".md", ".tcss", ".sql"), *loose, *configs})


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = re.compile(r"(?:py" + r"pi\.org|python" + r"hosted\.org|--(?:extra-)?index" + r"-url|--find" + r"-links)")
    found = [f"{named(path)}: {line}" for path in text_files() for line in matching_lines(path, hosts)]
    assert not found


def test_what_uses_the_shared_data_can_do_without_it() -> None:
    """Pictures beside the repository are an extra: a test that names them skips where they are not there."""
    share = re.compile(r"""["']shared["']|\.\./shared""")
    for path in source_files(".py"):
        if path == Path(__file__) or not any(True for _ in matching_lines(path, share)):
            continue
        assert "tests" in path.parts or "bench" in path.parts, f"{named(path)} names the shared folder"
        assert "skip" in path.read_text("utf-8"), f"{named(path)} names the shared folder but never skips"


def test_only_the_door_to_the_terminal_app_imports_textual_in_the_command_line() -> None:
    """The words of `tui.present` that need no Textual serve both faces."""
    commands = [path for path in (ROOT / "vqa_tui" / "cli").glob("*.py") if path.name != "ui.py"]
    textual = re.compile(r"^\s*(?:from|import) textual")
    app = re.compile(r"^\s*(?:from|import) vqa_tui\.tui(?!\.present\b)")
    assert not [path.name for path in commands if any(matching_lines(path, textual)) or any(matching_lines(path, app))]
    present = re.compile(r"vqa_tui\.tui\.present(?:\.| import )(\w+)")
    for name in {name for path in commands for name in present.findall(path.read_text("utf-8"))}:
        words = ROOT / "vqa_tui" / "tui" / "present" / f"{name}.py"
        assert not any(matching_lines(words, textual)), f"a command imports {named(words)}, which imports Textual"
