"""A long run through every kind of trouble at once, and the books of both sides compared at its end.

    python bench/soak.py [--pictures 20000] [--kills 10] [--concurrency 64] [--seed 1]

The embedded endpoint, a process of its own, misbehaves in every way it knows, limits two keys, refuses a third and
keeps a ledger. The engine is killed -9 at random moments and resumed; terminal apps watch and are killed as well; a
budget is set and raised twice. At the end every picture must be in exactly one final state, no sample may be there
twice, the attempts of the store must be the requests of the ledger but for those in flight at a kill, and the money
must agree. Prints JSON; exit status 1 when anything does not hold.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from _soak_books import compare_books
from PIL import Image

from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.engine.writer import GROUP_SIZE
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import ENDED_PHASES, resume_run, run_view, start_engine
from vqa_tui.operations.workspace import Workspace, open_workspace

KEYS = ("quick", "slow", "tokens", "bad")
LIMITS = ("--bad-keys", "bad", "--rpm-key", "slow=120", "--tpm-key", "tokens=60000")
FAULTS = (
    "500=0.02,503=0.01,reset=0.02,truncated=0.02,bad_json=0.02,refused=0.005,empty=0.01,timeout=0.002,drip=0.002,"
    "huge=0.002"
)
PRICES = {"input_per_million": "0.1", "output_per_million": "0.4"}
CAPS_PER_PICTURE = (Decimal("0.00004"), Decimal("0.00009"))
"""Dollars; the whole run costs about 0.00013 a picture, and what is lost at kills comes on top."""
APPS = 2
LOOK_S = 0.1
PATIENCE_S = 3000.0


class Endpoint:
    """`vqa-tui simulate` as a process of its own."""

    def __init__(
        self, seed: int, *, keys: Sequence[str] = KEYS, limits: Sequence[str] = LIMITS, fail: str = FAULTS,
        latency_ms: int = 40,
    ) -> None:  # fmt: skip
        told = ["--keys", ",".join(keys), "--latency", str(latency_ms), "--fail", fail, "--seed", str(seed)]
        options = [*told, *limits]
        command = [sys.executable, "-P", "-m", "vqa_tui", "simulate", *options]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        self.base_url = self._child.stdout.readline().strip()
        if not self.base_url:
            raise SystemExit("the endpoint did not start")

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._child.terminate()
        self._child.wait()

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.base_url}/stats", timeout=10) as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats


class App:
    """A terminal app over the run, in a pseudo-terminal that nobody looks at."""

    def __init__(self, root: Path) -> None:
        program = (
            "import pty, sys; pty.spawn([sys.executable, '-P', '-m', 'vqa_tui', '--workspace', sys.argv[1]], "
            "lambda descriptor: __import__('os').read(descriptor, 65536))"
        )
        self._child = subprocess.Popen(
            [sys.executable, "-c", program, str(root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9 of the app; the other end of its terminal ends with it."""
        for pid in _children_of(self._child.pid):
            os.kill(pid, signal.SIGKILL)
        self._child.kill()
        self._child.wait()


def _children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


@dataclass
class Story:
    """What happened on the way."""

    kills: list[int] = field(default_factory=list)
    """At each kill of the engine, how many requests were then found lost."""
    apps_killed: int = 0
    caps: list[str] = field(default_factory=list)
    looks: int = 0
    broken: list[str] = field(default_factory=list)
    nearest_to_cap: float = 0.0
    peak_engine_mb: float = 0.0


def draw(folder: Path, count: int) -> None:
    """Draw `count` small pictures, all different."""
    folder.mkdir()
    for number in range(count):
        colour = (number % 256, number // 256 % 256, 99)
        Image.new("RGB", (24, 16), colour).save(folder / f"{number:06}.png")


def write_endpoint(folder: Path, base_url: str, *, keys: Sequence[str] = KEYS, total_s: int = 5) -> Path:
    """Write the endpoint file, and put the values of its keys into the environment that engines inherit."""
    named = []
    for name in keys:
        variable = f"SOAK_KEY_{name.upper()}"
        os.environ[variable] = f"embedded-{name}"
        named.append({"name": name, "env": variable})
    path = folder / "soak.yaml"
    fields = {
        "name": "soak", "base_url": base_url, "model": "vqa-embedded-1", "keys": named, "prices": PRICES,
        "image_tokens": {"rule": "gemini_tiles"}, "concurrency": 64,
        "timeouts": {"connect_s": 5, "first_byte_s": total_s - 2, "total_s": total_s},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(fields))
    return path


class Soak:
    """One run, and everything that is done to it."""

    def __init__(self, workspace: Workspace, run_id: int, kills: int, chance: random.Random) -> None:
        self._workspace = workspace
        self._run_id = run_id
        self._chance = chance
        self._kills = kills
        self._deadline = time.monotonic() + PATIENCE_S
        self._raises_left = 2
        self.story = Story()

    async def live(self) -> RunView:
        """Let the run live through it all, and return its view at the end."""
        view = await self._view()
        shares = sorted(self._chance.uniform(0.03, 0.97) for _ in range(self._kills))
        marks = [round(view.counts.total * share) for share in shares]
        apps = [App(self._workspace.paths.root) for _ in range(APPS)]
        app_marks = [round(view.counts.total * self._chance.uniform(0.1, 0.9)) for _ in apps]
        try:
            while view.phase not in ENDED_PHASES or view.phase is Phase.CREATED:
                view = await self._view()
                if app_marks and view.counts.finished >= min(app_marks):
                    app_marks.remove(min(app_marks))
                    apps.pop().kill()
                    self.story.apps_killed += 1
                if marks and view.counts.finished >= marks[0] and view.phase in (Phase.RUNNING, Phase.PAUSING):
                    marks.pop(0)
                    await self._kill(view)
                elif view.phase is Phase.PAUSED:
                    await self._mend(view)
                await asyncio.sleep(LOOK_S * self._chance.random())
        finally:
            for app in apps:
                app.kill()
        return await self._until(lambda now: now.engine.state is EngineState.NONE)

    async def _until(self, fact: Callable[[RunView], bool]) -> RunView:
        while True:
            if fact(view := await self._view()):
                return view
            await asyncio.sleep(0.02)

    async def _view(self) -> RunView:
        view = await run_view(self._workspace, self._run_id)
        story = self.story
        story.looks += 1
        cost = view.cost
        if cost.cap is not None:
            together = cost.spent + cost.uncertain
            story.nearest_to_cap = max(story.nearest_to_cap, float(together / cost.cap))
            if together > cost.cap and len(story.broken) < 20:
                story.broken.append(f"spent {cost.spent} and uncertain {cost.uncertain} pass the cap of {cost.cap}")
        if view.engine.pid is not None:
            story.peak_engine_mb = max(story.peak_engine_mb, _peak_mb(view.engine.pid))
        if time.monotonic() > self._deadline:
            raise SystemExit(f"not done in {PATIENCE_S:.0f} s: {view}")
        return view

    async def _kill(self, view: RunView) -> None:
        """kill -9 of the engine, and a resume by somebody who finds it lost."""
        before = view.attempt_failures.get("lost", 0)
        if view.engine.pid is None:
            return
        os.kill(view.engine.pid, signal.SIGKILL)
        await self._until(lambda now: now.engine.state is not EngineState.ALIVE)
        await resume_run(self._workspace, self._run_id)
        lost = (await self._view()).attempt_failures.get("lost", 0) - before
        self.story.kills.append(lost)

    async def _mend(self, view: RunView) -> None:
        """Do what a person does about a pause: raise the budget, or resume."""
        if "budget" in view.phase_reason and self._raises_left:
            self._raises_left -= 1
            enough = CAPS_PER_PICTURE[-1] * view.counts.total if self._raises_left else Decimal(100)
            await self._cap(max(enough, (view.cost.spent + view.cost.uncertain) * Decimal("1.3")))
            await self._until(lambda now: now.phase is not Phase.PAUSED)
        else:
            self.story.broken.append(f"paused: {view.phase_reason}")
            await resume_run(self._workspace, self._run_id)
            await asyncio.sleep(1)

    async def _cap(self, cap: Decimal) -> None:
        told = str(cap.quantize(Decimal("0.000001")))
        await set_limits(self._workspace, self._run_id, {"budget": told})
        self.story.caps.append(told)


def _peak_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


async def soak(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the report."""
    draw(folder / "pictures", arguments.pictures)
    with Endpoint(arguments.seed) as endpoint:
        path = write_endpoint(folder, endpoint.base_url)
        async with open_workspace(folder) as workspace:
            await import_dataset(workspace, "folder", folder / "pictures", name="dots")
            first_cap = CAPS_PER_PICTURE[0] * arguments.pictures
            run_id = await create_run(
                workspace,
                RunRequest(
                    "dots", "general-vqa", str(path), pilot=0, concurrency=arguments.concurrency, budget_usd=first_cap
                ),
            )
            began = time.monotonic()
            await start_engine(workspace, run_id)
            life = Soak(workspace, run_id, arguments.kills, random.Random(arguments.seed))
            view = await life.live()
            took = time.monotonic() - began
            # In flight, in the group that is being committed, and in the one that fills meanwhile.
            most_lost = arguments.concurrency + 2 * GROUP_SIZE
            books = await compare_books(workspace, run_id, view, endpoint.stats(), life.story.kills, most_lost)
    story = life.story
    broken = [*story.broken, *books.broken]
    if len(story.kills) < arguments.kills:
        broken.append(f"only {len(story.kills)} of {arguments.kills} kills")
    if len(story.caps) != 2:
        broken.append(f"the budget was raised {len(story.caps)} times and not twice")
    return {
        "pictures": arguments.pictures, "seconds": round(took, 1), "per_s": round(arguments.pictures / took, 1),
        "phase": view.phase, "done": view.counts.done, "failed": dict(view.failures), "samples": view.samples,
        "engine_kills": len(story.kills), "lost_at_each_kill": story.kills, "apps_killed": story.apps_killed,
        "first_cap": str(first_cap), "raised_to": story.caps, "looks": story.looks,
        "nearest_to_cap": round(story.nearest_to_cap, 4),
        "peak_engine_mb": round(story.peak_engine_mb, 1), **books.figures, "broken": broken,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        report = asyncio.run(soak(arguments, Path(name)))
    print(json.dumps(report, indent=2))
    return 1 if report["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
