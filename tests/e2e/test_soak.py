"""The soak of `bench/` in small: every fault at once, kills, a budget raised twice, and books that balance."""

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


def test_a_short_soak_ends_with_books_that_balance() -> None:
    options = ["--pictures", "500", "--kills", "3", "--concurrency", "16"]
    ended = subprocess.run([sys.executable, str(SOAK), *options], capture_output=True, text=True, timeout=280)
    assert ended.stdout, ended.stderr
    report = json.loads(ended.stdout)
    assert report["broken"] == [] and ended.returncode == 0, report
    assert report["phase"] == "done" and report["done"] + sum(report["failed"].values()) == 500
    assert (report["engine_kills"], report["apps_killed"]) == (3, 2)
    assert report["nearest_to_cap"] <= 1 and len(report["raised_to"]) == 2
    assert report["lost"] == sum(report["lost_at_each_kill"]) > 0
