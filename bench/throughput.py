"""The whole engine against a bare aiohttp loop on the same server: throughput as a ratio, CPU per picture, memory.

    python bench/throughput.py                      the table of docs/performance.md
    python bench/throughput.py --quick              200 ms, 64 and 256 in flight, short rounds
    python bench/throughput.py --tui                the engine alone against the engine with the terminal app attached
    python bench/throughput.py --pictures 46000     one long run at 256 in flight: does the memory stay flat?

The server (`_server.py`) answers with one fixed completion after the latency. The bare loop (`_bare.py`) sends bodies
built beforehand and throws the answers away. The engine reads its queue, opens and encodes every picture, keeps quotas
and budget, reads and judges the replies, and commits them. Server, bare loop and engine are three processes; bare loop
and engine take turns on the same server, and what counts is the ratio of their medians.

Throughput is that of the steady part: between the fifth and the nineteenth twentieth of the answers, for both alike.
The engine's throttle begins with few requests at a time, which in a run of hours is nothing and in a round of seconds
would be most of what is measured. `whole` is from the first request to the last commit, with the slow start in it.
CPU is user and system time of the process from its first request to its end, commits included, divided by the pictures.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from _stage import BENCH, Round, Server, Stage, draw_pictures, link_pictures, process_cpu_s
from _terminal import Terminal

FILES = 1000
FASTEST_PER_S = 1100
LEAST_TURNS = 6
"""Pictures of a round, as a multiple of the requests in flight."""


def bare_round(server: Server, in_flight: int, count: int, pictures: Path) -> Round:
    command = [
        sys.executable, str(BENCH / "_bare.py"), "--url", f"{server.url}/chat/completions",
        "--in-flight", str(in_flight), "--requests", str(count), "--pictures", str(pictures),
    ]  # fmt: skip
    result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    answered = sorted(result["answered"])
    return Round(result["started"], answered, answered[-1], result["cpu_s"])


def pictures_of_a_round(latency_ms: float, in_flight: int, seconds: float, most: int) -> int:
    per_s = min(in_flight / (latency_ms / 1000), FASTEST_PER_S) if latency_ms else FASTEST_PER_S
    return min(max(int(per_s * seconds), LEAST_TURNS * in_flight), most)


def middle(rounds: list[Round], value: Callable[[Round], float]) -> float:
    return statistics.median(value(each) for each in rounds)


def compare(stage: Stage, pictures: Path, arguments: argparse.Namespace) -> list[dict[str, float]]:
    """Return one row for each latency and number in flight."""
    rows = []
    for latency_ms in arguments.latencies:
        with Server(latency_ms, arguments.reply) as server:
            for in_flight in arguments.in_flight:
                count = pictures_of_a_round(latency_ms, in_flight, arguments.seconds, arguments.names)
                bare: list[Round] = []
                engine: list[Round] = []
                for _ in range(arguments.rounds):
                    bare.append(bare_round(server, in_flight, count, pictures))
                    run_id = stage.create(server.url, in_flight, limit=count)
                    engine.append(stage.work(run_id, server))
                rows.append(row(latency_ms, in_flight, bare, engine))
                print(f"  {rows[-1]}", file=sys.stderr)
    return rows


def row(latency_ms: float, in_flight: int, bare: list[Round], engine: list[Round]) -> dict[str, float]:
    bare_per_s, engine_per_s = (middle(side, lambda each: each.steady_per_s) for side in (bare, engine))
    return {
        "latency_ms": latency_ms,
        "in_flight": in_flight,
        "pictures": len(engine[0].answered),
        "rounds": len(engine),
        "bare_per_s": round(bare_per_s, 1),
        "engine_per_s": round(engine_per_s, 1),
        "ratio": round(engine_per_s / bare_per_s, 3),
        "engine_whole_per_s": round(middle(engine, lambda each: each.whole_per_s), 1),
        "bare_cpu_ms": round(middle(bare, lambda each: each.cpu_ms), 3),
        "engine_cpu_ms": round(middle(engine, lambda each: each.cpu_ms), 3),
        "startup_cpu_s": round(middle(engine, lambda each: each.startup_cpu_s), 2),
        "first_request_s": round(middle(engine, lambda each: each.startup_s), 2),
        "peak_mb": round(max(each.peak_rss for each in engine) / 1e6),
    }


def with_terminal(stage: Stage, arguments: argparse.Namespace) -> list[dict[str, float]]:
    """Return a row for each number in flight: the engine alone, and with the terminal app showing its dashboard."""
    rows = []
    with Server(200, arguments.reply) as server:
        for in_flight in arguments.in_flight:
            count = pictures_of_a_round(200, in_flight, arguments.seconds, arguments.names)
            alone: list[Round] = []
            watched: list[Round] = []
            shares: list[float] = []
            for _ in range(arguments.rounds):
                alone.append(stage.work(stage.create(server.url, in_flight, limit=count), server))
                run_id = stage.create(server.url, in_flight, limit=count)
                with Terminal(["--workspace", str(stage.workspace)]) as terminal:
                    terminal.until_words("noise")
                    terminal.press("\r")
                    terminal.until_words("Keys")
                    terminal.drain()
                    used = process_cpu_s(terminal.pid)
                    watched.append(stage.work(run_id, server))
                    last = watched[-1]
                    shares.append(
                        (process_cpu_s(terminal.pid) - used) / (last.committed - last.started + last.startup_s)
                    )
            before, after = (middle(side, lambda each: each.steady_per_s) for side in (alone, watched))
            rows.append(
                {
                    "latency_ms": 200,
                    "in_flight": in_flight,
                    "pictures": count,
                    "rounds": arguments.rounds,
                    "alone_per_s": round(before, 1),
                    "watched_per_s": round(after, 1),
                    "ratio": round(after / before, 3),
                    "alone_cpu_ms": round(middle(alone, lambda each: each.cpu_ms), 3),
                    "watched_cpu_ms": round(middle(watched, lambda each: each.cpu_ms), 3),
                    "app_cpu_share": round(statistics.median(shares), 3),
                }
            )
            print(f"  {rows[-1]}", file=sys.stderr)
    return rows


def soak(stage: Stage, arguments: argparse.Namespace) -> list[dict[str, float]]:
    """Return one row about a single long run: its rate, and its memory along the way."""
    in_flight = arguments.in_flight[-1]
    with Server(200, arguments.reply) as server:
        run_id = stage.create(server.url, in_flight, limit=arguments.pictures)
        done = stage.work(run_id, server)
    count = len(done.rss)
    parts = (
        done.rss[count // 10 : count // 5 + 1],
        done.rss[count // 2 : count * 3 // 5 + 1],
        done.rss[-count // 10 :],
    )
    early, half_way, late = (statistics.median(size for _at, size in part) for part in parts)
    return [
        {
            "latency_ms": 200,
            "in_flight": in_flight,
            "pictures": len(done.answered),
            "engine_per_s": round(done.steady_per_s, 1),
            "whole_per_s": round(done.whole_per_s, 1),
            "seconds": round(done.committed - done.started, 1),
            "engine_cpu_ms": round(done.cpu_ms, 3),
            "early_mb": round(early / 1e6, 1),
            "half_way_mb": round(half_way / 1e6, 1),
            "late_mb": round(late / 1e6, 1),
            "peak_mb": round(done.peak_rss / 1e6, 1),
        }
    ]


def table(rows: Sequence[Mapping[str, float | str]]) -> str:
    """Return rows as a Markdown table."""
    cells = [[value if isinstance(value, str) else f"{value:,}" for value in row.values()] for row in rows]
    lines = [list(rows[0]), ["---"] * len(rows[0]), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latencies", type=numbers, default=[0, 200, 1000], help="milliseconds, with commas")
    parser.add_argument("--in-flight", type=numbers, default=[8, 64, 256], help="requests, with commas")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=8, help="about how long a round lasts")
    parser.add_argument("--kilobytes", type=int, default=100, help="size of a picture")
    parser.add_argument("--recipe", default="caption")
    parser.add_argument("--reply", choices=("caption", "pairs"), default="caption", help="what the server answers")
    parser.add_argument("--tui", action="store_true", help="compare with the terminal app attached")
    parser.add_argument("--pictures", type=int, help="one long run of so many pictures instead")
    parser.add_argument("--quick", action="store_true", help="200 ms, 64 and 256 in flight, one short round")
    parser.add_argument("--json", type=Path, help="also write the rows into this file")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.latencies, arguments.in_flight, arguments.rounds, arguments.seconds = [200], [64, 256], 1, 3
    arguments.names = arguments.pictures or max(int(FASTEST_PER_S * arguments.seconds), FILES)
    with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
        folder = Path(name)
        draw_pictures(folder / "drawn", FILES, arguments.kilobytes)
        link_pictures(folder / "drawn", folder / "pictures", arguments.names)
        stage = Stage(folder / "work", recipe=arguments.recipe)
        stage.load(folder / "pictures")
        if arguments.pictures:
            rows = soak(stage, arguments)
        elif arguments.tui:
            rows = with_terminal(stage, arguments)
        else:
            rows = compare(stage, folder / "drawn", arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
