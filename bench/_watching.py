"""The terminal app while an engine works: first paint, share of a core, key press to paint."""

import contextlib
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from _stage import Server, Stage, memory_of, process_cpu_s
from _terminal import Terminal
from _timing import percentiles

PRESSES = 120
_CURSOR = re.compile(r"▌\D*([\d \u00a0\u2009\u202f]+?)\s{2}")


@dataclass
class Engine:
    """An engine at work, and what its start took."""

    pid: int
    first_request_s: float
    """From the start of the process to its first request."""


@contextlib.contextmanager
def engine_at_work(stage: Stage, run_id: int, server: Server) -> Iterator[Engine]:
    """Start an engine and let it work while the block runs; then stop it as a person would."""
    server.arm()
    command = [sys.executable, "-P", "-m", "vqa_tui", "engine", str(run_id), "--workspace", str(stage.workspace)]
    with (stage.folder / f"engine-{run_id}.log").open("wb") as errors:
        born = time.perf_counter()
        process = subprocess.Popen(command, stderr=errors, stdin=subprocess.DEVNULL)
    try:
        server.first(process)
        yield Engine(process.pid, time.perf_counter() - born)
    finally:
        process.terminate()
        process.wait()


def watch(stage: Stage, run: str, seconds: float) -> dict[str, float]:
    """Open the app on a run at work, look at its dashboard, then walk through its items; return what was measured.

    A key's time ends when the changed row has been drawn, read from the bytes themselves.
    """
    with Terminal(["--workspace", str(stage.workspace)]) as terminal:
        first_paint = terminal.until_words(run) - terminal.born
        terminal.press("\r")
        terminal.until_words("Keys")
        share = share_of_core(terminal, seconds)
        list_s = open_items(terminal)
        used = process_cpu_s(terminal.pid)
        times = percentiles(walk(terminal, PRESSES), digits=1)
        press_cpu = (process_cpu_s(terminal.pid) - used) / PRESSES
        resident, _peak = memory_of(terminal.pid)
    return {
        "app_first_paint_s": round(first_paint, 2),
        "app_cpu_share": round(share, 3),
        "app_open_items_s": round(list_s, 2),
        "key_to_paint_p50_ms": times["p50_ms"],
        "key_to_paint_p95_ms": times["p95_ms"],
        "app_cpu_ms_per_key": round(press_cpu * 1000, 1),
        "app_mb": round(resident / 1e6),
    }


def share_of_core(terminal: Terminal, seconds: float) -> float:
    """Return which share of a core the app takes while nobody presses a key."""
    used, began = process_cpu_s(terminal.pid), time.perf_counter()
    while time.perf_counter() - began < seconds:
        terminal.read(0.1)
    return (process_cpu_s(terminal.pid) - used) / (time.perf_counter() - began)


def open_items(terminal: Terminal) -> float:
    """Go to the items and return the seconds until the first row is there."""
    terminal.press("3")
    opened = time.perf_counter()
    return terminal.until(lambda shown: cursor(shown) is not None) - opened


def walk(terminal: Terminal, presses: int) -> list[float]:
    """Press `j` in the list of items so many times and return how long each took, in ms."""
    first = cursor(terminal) or 1
    return [press_to_paint_ms(terminal, "j", rf"▌\s*{first + number + 1}\s") for number in range(presses)]


def press_to_paint_ms(terminal: Terminal, key: str, drawn: str) -> float:
    """Press a key at a random moment and return how long it takes until what `drawn` matches is painted, in ms."""
    pause = time.perf_counter() + random.uniform(0.03, 0.15)
    while (left := pause - time.perf_counter()) > 0:
        terminal.read_raw(left)
    pattern = re.compile(drawn)
    pressed = time.perf_counter()
    terminal.press(key)
    return (terminal.until_drawn(pattern) - pressed) * 1000


def cursor(terminal: Terminal) -> int | None:
    """Return the number of the row under the cursor of a list."""
    for line in terminal.lines:
        if found := _CURSOR.search(line):
            return int(re.sub(r"\D", "", found.group(1)))
    return None
