"""schemathesis asks the API for what its OpenAPI document says, and for what it does not: no answer is out of it.

Trainings are stood in for (see stand_in): what is asked at random must start no trainer.
"""

import os
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.api.conftest import TOKEN

EXAMPLES = 8
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(find_spec("schemathesis") is None, reason="the extra `consumers` is not installed")


def test_no_answer_is_outside_of_the_document(tmp_path: Path) -> None:
    complaints = tmp_path / "complaints"
    with complaints.open("w") as stderr:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.api.stand_in", str(tmp_path), TOKEN],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address, complaints.read_text()
        program = Path(sysconfig.get_path("scripts")) / "schemathesis"
        fuzzed = subprocess.run(
            [
                str(program), "--config-file", str(Path(__file__).with_name("fuzz.toml")), "run",
                f"{address}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}", "--checks", "all",
                "--max-examples", str(EXAMPLES), "--generation-deterministic",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
    finally:
        server.terminate()
        server.wait(60)
    assert fuzzed.returncode == 0, fuzzed.stdout[-6000:] + fuzzed.stderr
    assert "11 selected / 11 total" in fuzzed.stdout
    assert complaints.read_text() == ""
