"""Other programs and our engine, the same pictures on the same server, one after the other.

    python bench/peers/compare.py [--pictures 1000] [--in-flight 64] [--latency-ms 200] [--environments DIR]

Each peer is installed from the package registry into an environment of its own in DIR (a temporary one by default;
name one to install only once), and runs `<peer>_program.py` there. All are given as many requests in flight, and no
limits that would bind. Pictures a second are from the first request to the result (for the engine: to the last commit);
CPU is that of the process and its children from the first request to its end. Installing needs the registry; the runs
need nothing but the loopback.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from _stage import Server, Stage, draw_pictures, process_cpu_s  # noqa: E402
from throughput import table  # noqa: E402

PEERS = {"curator": "bespokelabs-curator", "inspect": "inspect-ai"}
EXTRA = {"curator": (), "inspect": ("openai",)}


def installed(peer: str, environments: Path) -> Path:
    """Return the interpreter of the peer's environment, making it when there is none."""
    folder = environments / peer
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    found = subprocess.run([python, "-m", "pip", "show", "--quiet", PEERS[peer]], capture_output=True)
    if found.returncode != 0:
        print(f"installing {PEERS[peer]}", file=sys.stderr)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[peer], *EXTRA[peer]]
        subprocess.run(install, check=True, stdout=sys.stderr)
    return python


def run_peer(peer: str, python: Path, server: Server, pictures: Path, in_flight: int) -> dict[str, object]:
    """Return one row about a peer. Exits with the end of its output when it fails."""
    server.arm()
    with tempfile.TemporaryDirectory(prefix="vqa-peer-") as cache:
        command = [str(python), str(HERE / f"{peer}_program.py"), server.url, str(pictures), str(in_flight), cache]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        log = Path(cache) / "output.txt"
        with log.open("wb") as errors:
            process = subprocess.Popen(command, cwd=cache, env=environment, stdout=subprocess.PIPE, stderr=errors)
        try:
            server.first(process)
            began, before = time.time(), process_cpu_s(process.pid)
            assert process.stdout is not None
            output = process.stdout.read().decode(errors="replace").strip().splitlines()
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise SystemExit(f"{peer} failed:\n{log.read_text(errors='replace')[-3000:]}")
    said = json.loads(next(line for line in reversed(output) if line.startswith("{")))
    count = said["answered"]
    return {
        "program": f"{PEERS[peer]} {said['version']}",
        "pictures": count,
        "per_s": round(count / (said["ended"] - began), 1),
        "cpu_ms": round((used.ru_utime + used.ru_stime - before) * 1000 / count, 2),
        "peak_mb": round(used.ru_maxrss / 1000),
    }


def run_engine(stage: Stage, server: Server, in_flight: int) -> dict[str, object]:
    done = stage.work(stage.create(server.url, in_flight), server)
    return {
        "program": "vqa-tui",
        "pictures": len(done.answered),
        "per_s": round(done.whole_per_s, 1),
        "cpu_ms": round(done.cpu_ms, 2),
        "peak_mb": round(done.peak_rss / 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--environments", type=Path, help="where the peers are, or will be, installed")
    parser.add_argument("--only", choices=PEERS, action="append", help="only this peer (may be given again)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
        folder = Path(name)
        pictures = folder / "pictures"
        draw_pictures(pictures, arguments.pictures, arguments.kilobytes)
        environments = (arguments.environments or folder / "environments").absolute()
        interpreters = {peer: installed(peer, environments) for peer in arguments.only or PEERS}
        stage = Stage(folder / "work")
        stage.load(pictures)
        with Server(arguments.latency_ms) as server:
            rows = [run_engine(stage, server, arguments.in_flight)]
            for peer, python in interpreters.items():
                rows.append(run_peer(peer, python, server, pictures, arguments.in_flight))
                print(f"  {rows[-1]}", file=sys.stderr, flush=True)
            rows.append(run_engine(stage, server, arguments.in_flight))
    best = max(rows[0]["per_s"], rows[-1]["per_s"])  # type: ignore[type-var]
    for row in rows:
        row["engine_is_faster_by"] = round(best / row["per_s"], 2)  # type: ignore[operator]
    print(f"{datetime.date.today()}, {arguments.in_flight} in flight, {arguments.latency_ms:g} ms")
    print(table(rows))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
