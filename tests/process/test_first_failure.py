"""Which of several processes of a training failed first."""

import json
from pathlib import Path

import pytest

from vqa_tui.process.first_failure import first_failure, forget_reasons

SUMMARY = """
Root Cause (first observed failure):
[0]:
  time      : 2026-01-01_00:00:00
  rank      : 1 (local_rank: 1)
  exitcode  : {code} (pid: 123)
  traceback : Signal {signal} received by PID 123
"""


def said(folder: Path, rank: int, at: float, reason: str, *, follows: bool = False) -> None:
    value = {"at": at, "reason": reason, "follows": follows}
    (folder / f"reason-{rank}").write_text(json.dumps(value), "utf-8")


def test_one_that_was_killed_comes_before_those_that_lost_it(tmp_path: Path) -> None:
    said(tmp_path, 0, 1.0, "another process ended", follows=True)
    found = first_failure(tmp_path, SUMMARY.format(code=-9, signal="9 (SIGKILL)"))
    assert found.startswith("a process of the training was killed by SIGKILL") and "memory" in found


def test_the_first_that_says_why_comes_before_those_that_lost_it(tmp_path: Path) -> None:
    said(tmp_path, 0, 1.0, "another process ended", follows=True)
    said(tmp_path, 1, 3.0, "out of memory, later")
    said(tmp_path, 2, 2.0, "out of memory")
    (tmp_path / "reason-3").write_text("{", "utf-8")
    assert first_failure(tmp_path, SUMMARY.format(code=-15, signal="15 (SIGTERM)")) == "out of memory"
    forget_reasons(tmp_path)
    assert "SIGTERM" in first_failure(tmp_path, SUMMARY.format(code=-15, signal="15 (SIGTERM)"))


@pytest.mark.parametrize("log", ["", SUMMARY.format(code=1, signal="none")])
def test_where_nobody_says_nothing_is_said(tmp_path: Path, log: str) -> None:
    assert first_failure(tmp_path, log) == ""
