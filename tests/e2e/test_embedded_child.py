"""The process of the embedded endpoint dies alone: the engine starts it again, and the run goes on by itself."""

import os
import signal
from pathlib import Path

from tests.e2e.conftest import Stage
from tests.process.test_training_supervisor import stat_of
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest


def child_of(pid: int) -> int:
    """The embedded endpoint among the children of an engine."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if stat_of(folder)[1:2] == [str(pid)] and b"vqa_tui.embedded" in command:
            return int(folder.name)
    raise AssertionError(f"{pid} has no embedded endpoint")


async def test_a_killed_embedded_endpoint_is_started_again_and_nothing_fails(stage: Stage) -> None:
    dataset = await stage.pictures(160)
    run_id = await stage.run(RunRequest(dataset, "caption", stage.endpoint(latency_ms=50), pilot=0, concurrency=4))
    view = await stage.until_done(run_id, 5)
    assert view.engine.pid is not None
    first = child_of(view.engine.pid)
    os.kill(first, signal.SIGKILL)
    view = await stage.until_done(run_id, 20)
    assert view.engine.pid is not None and child_of(view.engine.pid) != first
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 160, 0)
    told = [event.message for event in view.events]
    assert "the process of the embedded endpoint ended; it has been started again" in told
    assert any(message.startswith("the endpoint cannot be reached since") for message in told)
    assert any(message.startswith("the endpoint answers again after") for message in told)
    # What could not even be sent spent no attempt.
    assert max(int(str(spent)) for spent in await stage.column("SELECT attempts_spent FROM task")) <= 2
