"""A real workspace with real pictures, real engine processes and the embedded endpoint over real HTTP."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml
from PIL import Image

from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view, start_engine
from vqa_tui.operations.workspace import Workspace, open_workspace

PATIENCE_S = 120.0
_LOOKS = 5
"""So many looks at the file, 20 ms apart, for one at everything else."""
ENDED = frozenset({Phase.DONE, Phase.STOPPED, Phase.FAILED})


class Stage:
    """What an end-to-end test plays on."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self.folder = folder
        self._pids: set[int] = set()

    async def pictures(self, count: int, name: str = "dots") -> str:
        """Draw `count` small pictures, all different, and import them; return the dataset's name."""
        root = self.folder / name
        root.mkdir()
        for number in range(count):
            colour = (number % 256, number // 256 % 256, 99)
            Image.new("RGB", (24, 16), colour).save(root / f"{number:05}.png")
        await import_dataset(self.workspace, "folder", root, name=name)
        return name

    def endpoint(self, **embedded: object) -> str:
        """Write an embedded endpoint with these settings; return its path."""
        path = self.folder / f"endpoint-{time.monotonic_ns()}.yaml"
        fields = {
            "name": path.stem,
            "kind": "embedded",
            "model": "vqa-embedded-1",
            "keys": embedded.pop("keys", [{"name": "a"}]),
            "prices": {"input_per_million": "0.1", "output_per_million": "0.4"},
            "concurrency": embedded.pop("concurrency", 16),
            "timeouts": embedded.pop("timeouts", {}),
            "embedded": {"latency_ms": 5, **embedded},
        }
        path.write_text(yaml.safe_dump(fields))
        return str(path)

    async def run(self, request: RunRequest) -> int:
        """Create a run and start its engine."""
        run_id = await create_run(self.workspace, request)
        await self.start(run_id)
        return run_id

    async def start(self, run_id: int) -> None:
        await start_engine(self.workspace, run_id)

    async def view(self, run_id: int) -> RunView:
        view = await run_view(self.workspace, run_id)
        if view.engine.pid is not None:
            self._pids.add(view.engine.pid)
        return view

    async def until(self, run_id: int, fact: Callable[[RunView], bool]) -> RunView:
        """Wait until `fact` holds of the run; fails with the last view when it does not in time.

        The view is read when the file has moved, and now and then without that: locks and flights are not in it.
        """
        deadline = time.monotonic() + PATIENCE_S
        looks, seen = 0, -1
        while True:
            version = await self.workspace.db.data_version()
            if version != seen or looks % _LOOKS == 0:
                seen, view = version, await self.view(run_id)
                if fact(view):
                    return view
                if time.monotonic() > deadline:
                    log = self.workspace.paths.run_log(run_id)
                    raise AssertionError(f"not in {PATIENCE_S} s: {view}\n{log.read_text() if log.exists() else ''}")
            looks += 1
            await asyncio.sleep(0.02)

    async def until_done(self, run_id: int, least: int) -> RunView:
        return await self.until(run_id, lambda view: view.counts.done >= least)

    async def until_phase(self, run_id: int, *phases: Phase) -> RunView:
        return await self.until(run_id, lambda view: view.phase in phases)

    async def until_ended(self, run_id: int) -> RunView:
        return await self.until(run_id, lambda v: v.phase in ENDED and v.engine.state is EngineState.NONE)

    async def kill_engine(self, run_id: int) -> None:
        """kill -9 of the run's engine, and wait until the kernel has freed its lock."""
        view = await self.until(run_id, lambda v: v.engine.pid is not None)
        assert view.engine.pid is not None
        os.kill(view.engine.pid, signal.SIGKILL)
        await self.until(run_id, lambda v: v.engine.state in (EngineState.LOST, EngineState.NONE))

    async def column(self, sql: str, *values: object) -> list[object]:
        """Return the first column of a query on the workspace file."""
        return [row[0] for row in await self.workspace.db.read(sql, values)]

    def clear(self) -> None:
        """End every engine that was seen and is still there."""
        for pid in self._pids:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except FileNotFoundError:
                continue
            if b"vqa_tui" in command:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_workspace(tmp_path) as workspace:
        made = Stage(workspace, tmp_path)
        try:
            yield made
        finally:
            made.clear()
