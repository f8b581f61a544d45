"""The training mode beside a training that has told a great deal: opening it, keys in its log, share of a core.

    python bench/training_screen.py [--lines 100000] [--steps 100000] [--rounds 2]

A training with that many lines of log and steps of metrics is written into a workspace, one line in twenty a progress
bar drawn over itself. While the app shows it, ten lines and two steps a second are added. Of the rounds the one with
the lowest figure is reported; `load` is the machine's then.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from _stage import memory_of, process_cpu_s
from _terminal import Terminal
from _timing import percentiles
from _watching import press_to_paint_ms, share_of_core

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Started, Stepped, event_line
from vqa_tui.operations.workspace import open_workspace

_PRESSES = 60
_STEP_S = 0.45
_TABS_TO_LOG = 8
"""Presses of tab after which every panel has had the focus."""
_LOG_HAS_FOCUS = "▸ Log of"
Figure = dict[str, float]


def made_training(folder: Path, lines: int, steps: int) -> Path:
    """Make a workspace with one training that is over, and return the training's folder."""
    asyncio.run(_opened(folder))
    config = TrainingConfig(name="long", model="tiny")
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(folder / ".vqa" / "vqa.db")) as database, database:
        database.execute(
            "INSERT INTO training (id, name, config, data, device, command, created_at, rows, held_out) "
            "VALUES (1, 'long', ?, '{}', 'cpu', '[]', ?, 9, 1)",
            (config.model_dump_json(), now - 3_600),
        )
        database.execute(
            "INSERT INTO training_state (training_id, phase, reason, started_at, ended_at, step, total_steps) "
            "VALUES (1, 'done', '', ?, ?, ?, ?)",
            (now - 3_600, now - 60, steps, steps),
        )
    made = folder / ".vqa" / "trainings" / "1"
    made.mkdir(parents=True)
    for name in ("lock", "rows.jsonl"):
        (made / name).touch()
    with open(made / "log", "w", encoding="utf-8") as log:
        log.writelines(_line(number) for number in range(lines))
    with open(made / "metrics.jsonl", "w", encoding="utf-8") as metrics:
        started = Started(now - 3_600, 0, steps, 1.0, 9, 1, "CPU", "fp32", 1_000, 100, 1 << 34)
        metrics.write(event_line(started) + "\n")
        metrics.writelines(_step(number, now - (steps - number) * _STEP_S) for number in range(1, steps + 1))
    return made


async def _opened(folder: Path) -> None:
    async with open_workspace(folder):
        pass


def _line(number: int) -> str:
    if number % 20 == 0:
        return "".join(f"\r{percent:3d} % of look {number}" for percent in range(0, 101, 25)) + "\n"
    return f"\x1b[32mstep {number:07d}\x1b[0m  loss {1 / (1 + number):.4f}  rate 0.0001  0.45 s\n"


def _step(number: int, at: float) -> str:
    loss = 3 / (1 + number / 1_000) + (0.5 if number % 997 == 0 else 0) + number % 13 / 100
    return event_line(Stepped(at, number, number / 1_000, loss, 1e-4, 1.0, _STEP_S, 512, (number % 9,), 1 << 30)) + "\n"


@contextlib.contextmanager
def going_on(folder: Path, lines: int, steps: int) -> Iterator[None]:
    """Add lines and steps while the block runs."""
    over = threading.Event()

    def add() -> None:
        line, step = lines, steps
        while not over.wait(0.1):
            line += 1
            with open(folder / "log", "a", encoding="utf-8") as log:
                log.write(_line(line))
            if line % 5 == 0:
                step += 1
                with open(folder / "metrics.jsonl", "a", encoding="utf-8") as metrics:
                    metrics.write(_step(step, time.time()))

    adding = threading.Thread(target=add)
    adding.start()
    try:
        yield
    finally:
        over.set()
        adding.join()


def look(workspace: Path, made: Path, lines: int, steps: int, seconds: float) -> dict[str, Figure]:
    """Open the training mode, wait for the newest line, stay a while, then go up and down in the log."""
    with Terminal(["--workspace", str(workspace)]) as terminal:
        terminal.until_words("No run yet")
        used, began = process_cpu_s(terminal.pid), time.perf_counter()
        terminal.press("6")
        terminal.until_words(f"step {lines - 1:07d}", f"step {steps:,}".replace(",", " "))
        opened = {"s": round(time.perf_counter() - began, 2), "cpu_s": round(process_cpu_s(terminal.pid) - used, 2)}
        with going_on(made, lines, steps):
            share = share_of_core(terminal, seconds)
            for _ in range(_TABS_TO_LOG):
                if _LOG_HAS_FOCUS in terminal.text:
                    break
                terminal.press("\t")
                share_of_core(terminal, 1.0)  # whatever else is drawn meanwhile
            terminal.until_words(_LOG_HAS_FOCUS)
            terminal.press("g")
            terminal.until_words("step 0000003")
            cpu = process_cpu_s(terminal.pid)
            taken = [press_to_paint_ms(terminal, "j", r"step|look") for _ in range(_PRESSES)]
            per_key = (process_cpu_s(terminal.pid) - cpu) / _PRESSES * 1000
        resident, _ = memory_of(terminal.pid)
    return {
        "opened": opened,
        "share": {"share": round(share, 3)},
        "j_in_log": {**percentiles(taken, 1), "cpu_ms": round(per_key, 1)},
        "memory": {"mb": round(resident / 1e6)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0, help="that the app is left alone")
    given = parser.parse_args()
    found: list[dict[str, Figure]] = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
            folder = Path(name)
            made = made_training(folder, given.lines, given.steps)
            found.append(look(folder / ".vqa", made, given.lines, given.steps, given.seconds))
    quietest = {
        name: min((each[name] for each in found), key=lambda figure: next(iter(figure.values()))) for name in found[0]
    }
    print(
        json.dumps(
            {"lines": given.lines, "steps": given.steps, **quietest, "load": round(os.getloadavg()[0], 1)}, indent=2
        )
    )


if __name__ == "__main__":
    main()
