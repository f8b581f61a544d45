"""What stands over a trainer, a judge or a server holds no key that these could read in its environment."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import Hall
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.operations.training_evaluation import start_evaluation
from vqa_tui.operations.training_serve import start_serving
from vqa_tui.operations.training_start import cancel_training, resume_training
from vqa_tui.process import spawn
from vqa_tui.process.devices import take
from vqa_tui.process.training_command import keeper_environment
from vqa_tui.store import trainings

_KEYS = ("GEMINI_API_KEY", "HF_TOKEN", "VQA_API_TOKEN", "SOMETHING")


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _KEYS:
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("VQA_CONFIG", "/kept")


def test_our_own_variables_are_kept_and_keys_are_not() -> None:
    seen = keeper_environment({"VQA_CONFIG": "/c", "VQA_LOCKS": "/l", "PATH": "/p", **dict.fromkeys(_KEYS, "planted")})
    assert seen == {
        "VQA_CONFIG": "/c", "VQA_LOCKS": "/l", "PATH": "/p", "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"
    }  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_supervisor_holds_none(hall: Hall) -> None:
    number = await hall.make("a")
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.STOPPED)
    held = take(hall.workspace.paths, ["cpu"], 1)
    assert held is not None
    await resume_training(hall.workspace, number)
    seen = await asyncio.to_thread(Path(f"/proc/{spawn._children[-1].pid}/environ").read_bytes)
    assert b"VQA_CONFIG=/kept" in seen and b"planted" not in seen
    await cancel_training(hall.workspace, number)
    await hall.reaches(number, lambda each: not each.at_work)
    held.release()


async def test_neither_do_those_over_a_judge_and_a_server(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    class Ended:
        def __init__(self, _arguments: Any, *, log: Path, environment: dict[str, str]) -> None:
            seen.append(environment)

        def poll(self) -> int:
            return 0

    monkeypatch.setattr(spawn, "spawn_detached", Ended)
    monkeypatch.setattr("vqa_tui.operations.training_packages.find_spec", lambda _name: object())
    config = TrainingConfig(name="a", model="tiny").model_dump_json()
    number = await trainings.create_training(
        hall.workspace.db, name="a", config=config, data="{}", device="cpu", priority=0
    )
    await trainings.complete_training(hall.workspace.db, number, command="[]", rows=9, held_out=1)
    await trainings.report_phase(hall.workspace.db, number, TrainingPhase.DONE)
    (hall.folder(number) / "adapter").mkdir(parents=True)
    (hall.folder(number) / "held_out.jsonl").write_text("{}")
    await start_evaluation(hall.workspace, number)
    await start_serving(hall.workspace, number)
    assert len(seen) == 2
    assert all(each["VQA_CONFIG"] == "/kept" and "planted" not in each.values() for each in seen)
