"""What starting takes: the frequent commands, and an engine until its first request.

    python bench/starts.py [--rounds 9]

Each is a process of its own, in turns; the figures are the lowest and the median of all rounds, CPU (user and system)
and wall, in ms. An engine counts from the start of its process until its first request has reached the server.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _stage import Server, Stage, draw_pictures

Figures = dict[str, float]


def started(*words: str) -> tuple[float, float]:
    """Run `vqa-tui` with these words to its end; return its CPU and its wall time in ms."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-m", "vqa_tui", *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = (time.perf_counter() - began) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"vqa-tui {' '.join(words)} ended with {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000, wall


def engine_started(stage: Stage, server: Server) -> tuple[float, float]:
    """Let an engine ask about one picture; return its CPU and its wall time in ms until its first request was there."""
    done = stage.work(stage.create(server.url, 1, dataset="one"), server)
    return done.startup_cpu_s * 1000, done.startup_s * 1000


def figures(taken: list[tuple[float, float]]) -> Figures:
    cpu, wall = [each[0] for each in taken], [each[1] for each in taken]
    return {
        "cpu_ms": round(min(cpu)),
        "cpu_median_ms": round(statistics.median(cpu)),
        "wall_ms": round(min(wall)),
        "wall_median_ms": round(statistics.median(wall)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, Server(1) as server:
        folder = Path(name)
        draw_pictures(folder / "one", 1, 10)
        stage = Stage(folder / "stage")
        stage.load(folder / "one", "one")
        place = ("--workspace", str(stage.folder))
        measured: dict[str, Callable[[], tuple[float, float]]] = {
            "--version": lambda: started("--version"),
            "run list": lambda: started("run", "list", *place),
            "dataset import": lambda: started(
                "dataset", "import", "folder", str(folder / "one"), "--name", "one", *place
            ),
            "engine to its first request": lambda: engine_started(stage, server),
        }
        taken: dict[str, list[tuple[float, float]]] = {each: [] for each in measured}
        for _ in range(rounds):
            for each, measure in measured.items():
                taken[each].append(measure())
    report = {each: figures(values) for each, values in taken.items()}
    print(json.dumps({"load": os.getloadavg()[0], "rounds": rounds, **report}, indent=2))


if __name__ == "__main__":
    main()
