"""Who may import whom, as pyproject.toml says; and that help is quick because it imports next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ["textual", "aiohttp", "openai", "PIL", "jinja2", "yaml", "aiosqlite", "sqlite3", "ijson", "asyncio", "rich"]
HEAVY += ["torch", "transformers", "peft", "unsloth", "keyring"]
# Typer reads the options of a command with pydantic, so only the help of the root can do without it.
ROOT_HEAVY = [*HEAVY, "pydantic"]


def test_the_import_contracts_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], ROOT_HEAVY),
        (["--version"], ROOT_HEAVY),
        (["run", "start", "--help"], HEAVY),
        (["demo", "--help"], HEAVY),
        (["simulate", "--help"], HEAVY),
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str], heavy: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['vqa-tui', *{arguments!r}]\n"
        "from vqa_tui.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('loaded:', *[name for name in {heavy!r} if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "loaded:"


def test_the_trainer_libraries_are_imported_by_nothing() -> None:
    """Core code starts on a machine without them; only the program of the trainer may load them."""
    program = (
        "import pkgutil, importlib, sys, vqa_tui\n"
        "for module in pkgutil.walk_packages(vqa_tui.__path__, 'vqa_tui.'):\n"
        "    if not module.name.endswith('__main__') and '.training' not in module.name[:17]:\n"
        "        importlib.import_module(module.name)\n"
        "print('loaded:', *[n for n in ('torch', 'transformers', 'peft', 'unsloth', 'pandas') if n in sys.modules])\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "loaded:"
