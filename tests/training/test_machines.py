"""A training on two machines: each with a folder of its own, one process on each, over loopback."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.training.conftest import training_folder
from tests.training.test_trainer import end, losses, told
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Started
from vqa_tui.process.training_command import trainer_command
from vqa_tui.training.checkpoints import newest_checkpoint, step_of, whole_checkpoints

pytestmark = pytest.mark.training


def machines(folder: Path, *, max_steps: int = 20, save_every: int = 10) -> list[Path]:
    """Make the folders of both, and return their configurations."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = {"program": "torchrun", "machines": 2, "main_address": "127.0.0.1", "main_port": port}
    return [
        training_folder(
            folder / str(rank),
            batch_size=2,
            samples=0,
            max_steps=max_steps,
            save_every=save_every,
            launch={**launch, "machine_rank": rank},
        )
        for rank in (0, 1)
    ]


def start(configs: list[Path], *, resume: bool = False) -> list[subprocess.Popen[str]]:
    started = []
    for path in configs:
        launch = TrainingConfig.model_validate_json(path.read_text("utf-8")).launch
        with open(path.parent / "log", "a", encoding="utf-8") as log:
            started.append(
                subprocess.Popen(
                    trainer_command(path, launch, resume, device="cpu"),
                    stdout=log,
                    stderr=log,
                    text=True,
                    env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                    start_new_session=True,
                )
            )
    return started


def wait_for(what: Callable[[], bool], processes: list[subprocess.Popen[str]], configs: list[Path]) -> None:
    while not what():
        assert not any(each.poll() for each in processes), logs(configs)
        time.sleep(0.05)


def logs(configs: list[Path]) -> str:
    return "\n".join((path.parent / "log").read_text("utf-8") for path in configs)


def ended(processes: list[subprocess.Popen[str]]) -> list[int]:
    return [each.wait() for each in processes]


def adapters(configs: list[Path]) -> set[bytes]:
    return {(path.parent / "adapter" / "adapter_model.safetensors").read_bytes() for path in configs}


def test_two_machines_stop_resume_and_end_together(tmp_path: Path) -> None:
    configs = machines(tmp_path, max_steps=5_000, save_every=4)
    processes = start(configs)
    wait_for(lambda: all(len(whole_checkpoints(each.parent)) > 1 for each in configs), processes, configs)
    (tmp_path / "1" / "stop").touch()
    assert ended(processes) == [0, 0], logs(configs)
    ends = [end(told(each)) for each in configs]
    assert [each.phase for each in ends] == ["stopped", "stopped"] and ends[0].step == ends[1].step
    assert losses(told(configs[0])) == losses(told(configs[1]))
    newest = [newest_checkpoint(each.parent) for each in configs]
    assert all(each is not None and step_of(each) == ends[0].step for each in newest)

    # The newest of one machine was cut off.
    assert newest[1] is not None
    (newest[1] / "optimizer.pt").write_bytes(b"")
    common = whole_checkpoints(tmp_path / "1")[-1]
    (tmp_path / "1" / "stop").unlink()
    configs = machines(tmp_path, max_steps=ends[0].step + 2, save_every=4)
    assert ended(start(configs, resume=True)) == [0, 0], logs(configs)
    for config in configs:
        found = told(config)
        assert [each for each in found if isinstance(each, Started)][-1].first_step == step_of(common)
        assert end(found).phase == "done"
    assert len(adapters(configs)) == 1

    # One machine has no checkpoint at all.
    for path in whole_checkpoints(tmp_path / "1"):
        path.rename(tmp_path / path.name)
    configs = machines(tmp_path, max_steps=5_000)
    assert 0 not in ended(start(configs, resume=True)), logs(configs)
    for config in configs:
        reason = end(told(config)).reason
        assert "no checkpoint is on all machines" in reason and "is not on machine 1 (" in reason


def test_machines_with_other_rows_say_so(tmp_path: Path) -> None:
    configs = machines(tmp_path)
    rows = tmp_path / "1" / "rows.jsonl"
    rows.write_text("".join(rows.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    assert 0 not in ended(start(configs)), logs(configs)
    for config in configs:
        reason = end(told(config)).reason
        assert "machine 0" in reason and "has 16 and 4 held out" in reason and "has 15 and 4 held out" in reason
