"""What the benchmarks play on: pictures, a workspace, the server, and one engine at a time with its CPU and memory."""

import asyncio
import contextlib
import os
import resource
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import open_workspace

BENCH = Path(__file__).parent
_SAMPLE_S = 0.25
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_FILES = 8192


class Server:
    """The fake endpoint in a process of its own."""

    def __init__(self, latency_ms: float, reply: str = "caption") -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(BENCH / "_server.py"), "--latency-ms", str(latency_ms), "--reply", reply],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{int(self._line())}/v1"
        self.pid = self._process.pid

    def arm(self) -> None:
        """Let the next request be told by `first`."""
        assert self._process.stdin is not None
        self._process.stdin.write("arm\n")
        self._process.stdin.flush()
        assert self._line() == "armed"

    def first(self, sender: subprocess.Popen[bytes]) -> None:
        """Wait until the first request since `arm` has come. Exits when its sender has ended without any."""
        assert self._process.stdout is not None
        while not select.select([self._process.stdout], [], [], _SAMPLE_S)[0]:
            if sender.poll() is not None:
                raise SystemExit(f"it ended before its first request, with status {sender.returncode}: {sender.args}")
        assert self._line() == "first"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit("the server of the benchmark ended")
        return line

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        self._process.wait()


@dataclass
class Round:
    """What one engine (or bare loop) did. Times are Unix seconds, memory is in bytes."""

    started: float
    answered: list[float]
    """When each answer was there, sorted."""
    committed: float
    """When the last picture was committed (bare: answered)."""
    cpu_s: float
    """From the first request to the end of the process."""
    startup_cpu_s: float = 0.0
    startup_s: float = 0.0
    """From the start of the process to its first request."""
    peak_rss: int = 0
    rss: list[tuple[float, int]] = field(default_factory=list)
    """(Unix time, resident bytes) every quarter of a second."""

    @property
    def steady_per_s(self) -> float:
        """Answers a second between the fifth and the nineteenth twentieth of them: without ramp-up and run-out."""
        low, high = len(self.answered) // 5, len(self.answered) * 19 // 20
        return (high - low) / (self.answered[high] - self.answered[low])

    @property
    def whole_per_s(self) -> float:
        """Pictures a second from the first request to the last commit."""
        return len(self.answered) / (self.committed - self.started)

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a picture, start-up left out."""
        return self.cpu_s * 1000 / len(self.answered)


def process_cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used (user and system, all threads), in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def memory_of(pid: int) -> tuple[int, int]:
    """Return resident and peak resident bytes of a process; (0, 0) when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    sizes = {line.split(":")[0]: line for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}
    if len(sizes) < 2:
        return 0, 0
    now, peak = (int(sizes[name].split()[1]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def draw_pictures(folder: Path, count: int, kilobytes: int) -> None:
    """Draw different noise pictures of about `kilobytes` each."""
    folder.mkdir(parents=True)
    side = int((kilobytes * 1000 / 0.55) ** 0.5)
    for number in range(count):
        picture = Image.effect_noise((side, side), 60 + number % 40)
        picture.save(folder / f"{number:07}.jpg", quality=80)


def link_pictures(drawn: Path, folder: Path, count: int) -> None:
    """Fill `folder` with `count` names for the files of `drawn`, in turn: each name is a picture of its own to import.

    They are hard links, so that a million names need the room of a few files; ext4 allows a file 65,000 of them.
    """
    folder.mkdir(parents=True)
    files = sorted(drawn.iterdir())
    for number in range(count):
        os.link(files[number % len(files)], folder / f"{number:07}.jpg")


class Stage:
    """A workspace with one dataset, in which runs follow each other."""

    def __init__(self, folder: Path, *, recipe: str = "caption") -> None:
        self.folder = folder
        self.recipe = recipe
        folder.mkdir(parents=True, exist_ok=True)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, _FILES), hard), hard))

    @property
    def workspace(self) -> Path:
        return self.folder / ".vqa"

    def load(self, pictures: Path, name: str = "noise") -> None:
        async def load() -> None:
            async with open_workspace(self.folder) as workspace:
                await import_dataset(workspace, "folder", pictures, name=name)

        asyncio.run(load())

    def create(self, url: str, in_flight: int, *, dataset: str = "noise", limit: int | None = None) -> int:
        """Queue a run of `limit` pictures and return its number."""
        endpoint = self.folder / "bench.yaml"
        endpoint.write_text(f"name: bench\nbase_url: {url}\nmodel: bench\nkeys: [{{name: main}}]\n")
        request = RunRequest(dataset, self.recipe, str(endpoint), limit=limit, pilot=0, concurrency=in_flight)

        async def create() -> int:
            async with open_workspace(self.folder) as workspace:
                return await create_run(workspace, request)

        return asyncio.run(create())

    def work(self, run_id: int, server: Server, profile: Sequence[str] = ()) -> Round:
        """Let an engine work off a run, and return what it took. `profile` is a command that wraps the engine's."""
        server.arm()
        command = [sys.executable, "-P", "-m", "vqa_tui", "engine", str(run_id), "--workspace", str(self.workspace)]
        log = self.folder / f"engine-{run_id}.log"
        with log.open("wb") as errors:
            born = time.time()
            process = subprocess.Popen([*profile, *command], stderr=errors, stdin=subprocess.DEVNULL)
        try:
            server.first(process)
            started = time.time()
            startup = process_cpu_s(process.pid)
            with sampling(process.pid) as samples:
                _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            raise SystemExit(f"the engine failed:\n{log.read_text()}")
        answered, committed = asyncio.run(self._times(run_id))
        return Round(
            started=started,
            answered=answered,
            committed=committed,
            cpu_s=used.ru_utime + used.ru_stime - startup,
            startup_cpu_s=startup,
            startup_s=started - born,
            peak_rss=max(peak for _at, _now, peak in samples),
            rss=[(at, now) for at, now, _peak in samples],
        )

    async def _times(self, run_id: int) -> tuple[list[float], float]:
        async with open_workspace(self.folder) as workspace:
            answers = await workspace.db.read(
                "SELECT started_at + latency_ms / 1000 FROM attempt WHERE run_id = ? AND kind = 'ok' ORDER BY 1",
                (run_id,),
            )
            last = await workspace.db.read("SELECT max(finished_at), count(*) FROM task WHERE run_id = ?", (run_id,))
        if len(answers) != last[0][1]:
            raise SystemExit(f"{len(answers)} of {last[0][1]} pictures were answered")
        return [row[0] for row in answers], last[0][0]


@contextlib.contextmanager
def sampling(pid: int) -> Iterator[list[tuple[float, int, int]]]:
    """Collect (Unix time, resident bytes, peak) of a process four times a second while the block runs."""
    samples: list[tuple[float, int, int]] = [(time.time(), *memory_of(pid))]
    over = threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_S):
            now, peak = memory_of(pid)
            if now:
                samples.append((time.time(), now, peak))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
