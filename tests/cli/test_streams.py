"""Standard streams that are closed, full or without a reader: words and an exit code, never a traceback."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place

PROGRAM = f"{shlex.quote(sys.executable)} -m vqa_tui"


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line.replace('vqa-tui', PROGRAM)}"], capture_output=True, text=True
    )


@pytest.mark.parametrize("words", ["--help", "--version", "recipe list", "run list --json --workspace {}"])
def test_a_full_disk_behind_stdout_is_told(finished: Place, words: str) -> None:
    result = in_shell(f"vqa-tui {words.format(shlex.quote(str(finished.folder)))} > /dev/full")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: No space left on device\nMake room")
    assert "Traceback" not in result.stderr and "Exception" not in result.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(finished: Place, closed: str) -> None:
    result = in_shell(f"vqa-tui run list --workspace {shlex.quote(str(finished.folder))} {closed}")
    assert (result.returncode, result.stderr) == (0, "")
    assert ("first" in result.stdout) is (">&-" not in closed.replace("2>&-", ""))


def test_what_is_meant_for_a_closed_stream_stays_out_of_the_files(tmp_path: Path) -> None:
    (tmp_path / ".vqa").mkdir()
    database = tmp_path / ".vqa" / "vqa.db"
    database.write_text("this is no database" * 100)
    before = database.read_bytes()
    assert in_shell(f"vqa-tui run list --workspace {shlex.quote(str(tmp_path))} <&- >&- 2>&-").returncode == 2
    assert database.read_bytes() == before


@pytest.mark.parametrize("words", ["recipe show stcray", "recipe list", "--help"])
def test_a_reader_that_leaves_early_is_met_quietly(words: str) -> None:
    result = in_shell(f"vqa-tui {words} | true")
    assert result.returncode in (0, 141)
    assert result.stderr == ""
