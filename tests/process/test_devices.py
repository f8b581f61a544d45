"""Which GPUs a training, an evaluation and a server see, and how trainings take turns on them."""

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import Hall
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.gpus import visible_gpus
from vqa_tui.operations.training_start import stop_training
from vqa_tui.paths import WorkspacePaths, device_lock
from vqa_tui.process import devices
from vqa_tui.process.devices import (
    Taken,
    default_device,
    device_named,
    make_lock_folder,
    places_of,
    take,
    take_one,
    variables_for,
)
from vqa_tui.process.evaluator import run_evaluator
from vqa_tui.process.lock import is_locked

_GPU = "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
_MIG = "MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/2"


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        ("0,1", ("0", "1")), (" 3 , 1", ("3", "1")), (f"{_GPU},{_MIG}", (_GPU, _MIG)), ("", ()), ("-1", ()),
        ("2,-1,3", ("2",)), ("1,,2", ("1",)),
    ],
)  # fmt: skip
def test_the_gpus_that_are_named(visible: str, seen: tuple[str, ...]) -> None:
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": visible}) == seen
    assert default_device({"CUDA_VISIBLE_DEVICES": visible}) == ("gpu" if seen else "cpu")


def test_where_none_is_named_the_files_of_the_driver_are_counted(tmp_path: Path) -> None:
    assert visible_gpus({}, tmp_path) == ()
    for name in ("nvidiactl", "nvidia-uvm", "nvidia-caps", "nvidia0", "nvidia3", "nvidia11"):
        (tmp_path / name).touch()
    assert visible_gpus({}, tmp_path) == ("0", "1", "2"), "CUDA counts those that it finds"
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == ()


def test_words_for_devices() -> None:
    four = {"CUDA_VISIBLE_DEVICES": f"0,1,2,{_MIG}"}
    for words, device in {
        None: "gpu", "": "gpu", "auto": "gpu", " GPU  1": "gpu 1", "gpu 0, 2": "gpu 0,2", "cpu": "cpu",
        f"gpu {_MIG}": f"gpu {_MIG}",
    }.items():  # fmt: skip
        assert device_named(words, 1, four) == device
    assert device_named("auto", 1, {"CUDA_VISIBLE_DEVICES": ""}) == "cpu"
    assert device_named("cpu", 64, four) == "cpu", "a CPU takes as many processes as it is given"
    for words in ("gpu 4", "gpu x", "gpu 0,", "gpux", "cuda:0", "auto 1", "cpu 0", "tpu"):
        with pytest.raises(VqaError, match="there is no device") as raised:
            device_named(words, 1, four)
        assert "`gpu 0`, `gpu 1`, `gpu 2`" in raised.value.hint and "`cpu`" in raised.value.hint
    for words in ("gpu 1", "gpu 1,1"):
        with pytest.raises(VqaError, match="2 processes need a GPU each"):
            device_named(words, 2, four)
    assert places_of("gpu", 4, four) == ("gpu 0", "gpu 1", "gpu 2", f"gpu {_MIG}")


def test_what_a_process_is_let_see() -> None:
    assert variables_for(["gpu 1"], {"CUDA_VISIBLE_DEVICES": "0,1"}) == {"CUDA_VISIBLE_DEVICES": "1"}
    assert variables_for(["gpu 0", f"gpu {_MIG}"], {"CUDA_VISIBLE_DEVICES": "0"}) == {
        "CUDA_VISIBLE_DEVICES": f"0,{_MIG}"
    }
    assert variables_for(["gpu 1"], {}) == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert variables_for(["gpu 1"], {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}) == {"CUDA_VISIBLE_DEVICES": "1"}
    assert variables_for(["cpu"], {"CUDA_VISIBLE_DEVICES": "0,1"}) == {"CUDA_VISIBLE_DEVICES": ""}
    assert variables_for(["cpu"], {"CUDA_VISIBLE_DEVICES": ""}) == {}


def test_all_places_are_taken_or_none(hall: Hall) -> None:
    paths = hall.workspace.paths
    one = take(paths, ["gpu 0", "gpu 1", "gpu 2"], 1)
    assert one is not None and one.places == ("gpu 0",)
    assert take(paths, ["gpu 0", "gpu 1"], 2) is None
    assert not is_locked(device_lock("gpu 1"))
    two = take(paths, ["gpu 0", "gpu 1", "gpu 2"], 2)
    assert two is not None and two.places == ("gpu 1", "gpu 2")
    one.release()
    two.release()
    assert not any(is_locked(device_lock(f"gpu {number}")) for number in range(3))


def test_who_looked_for_an_instant_keeps_nobody_from_a_device(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = hall.workspace.paths
    make_lock_folder()
    looked = os.open(device_lock("gpu 0"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(looked, fcntl.LOCK_SH)

    def took(*wanted: Any) -> Taken | None:
        found = take(*wanted)
        if found is None:
            fcntl.flock(looked, fcntl.LOCK_UN)
        return found

    monkeypatch.setattr(devices, "take", took)
    monkeypatch.setattr(devices, "_PROBED_S", 60.0)
    take_one(paths, ["gpu 0"], "an evaluation", hint="").release()
    os.close(looked)


async def test_a_training_alone_sees_one_gpu_and_says_which(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"{_MIG},1")
    for device, gpu in {"gpu": _MIG, "gpu 1": "1", "cpu": ""}.items():
        number = await hall.make(device.replace(" ", "-"), device=device)
        assert await hall.supervise(number) == 0
        assert json.loads((hall.folder(number) / "seen.json").read_text())["gpus"] == gpu
        assert (hall.folder(number) / "log").read_text().startswith(f"$ CUDA_VISIBLE_DEVICES={gpu} ")


async def test_one_gpu_that_is_free_is_taken_and_as_many_as_there_are_processes(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    first = await hall.make("first", device="gpu 1")
    tasks = [hall.supervise(first, "waits")]
    await hall.reaches(first, lambda each: each.step > 0)
    pair = await hall.make("pair", device="gpu", processes=2)
    tasks.append(hall.supervise(pair, "waits"))
    await hall.reaches(pair, lambda each: each.step > 0)
    assert json.loads((hall.folder(pair) / "seen.json").read_text())["gpus"] == "0,2"
    assert all(is_locked(device_lock(f"gpu {number}")) for number in range(3))
    last = await hall.make("last", device="gpu")
    tasks.append(hall.supervise(last, "waits"))
    found = await hall.reaches(last, lambda each: each.reason == "waits for its turn on gpu")
    assert found.phase is TrainingPhase.QUEUED
    await stop_training(hall.workspace, first)
    await hall.reaches(last, lambda each: each.step > 0)
    assert json.loads((hall.folder(last) / "seen.json").read_text())["gpus"] == "1"
    for number in (pair, last):
        await stop_training(hall.workspace, number)
    assert await asyncio.gather(*tasks) == [0, 0, 0]


async def test_who_waits_for_one_gpu_keeps_nobody_from_another(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    held = take(hall.workspace.paths, ["gpu 0"], 1)
    assert held is not None
    ahead = await hall.make("ahead", device="gpu 0", priority=9)
    waiting = hall.supervise(ahead)
    await hall.reaches(ahead, lambda each: each.at_work and each.phase is TrainingPhase.QUEUED)
    behind = await hall.make("behind", device="gpu")
    assert await hall.supervise(behind) == 0
    assert json.loads((hall.folder(behind) / "seen.json").read_text())["gpus"] == "1"
    assert (await hall.summary(ahead)).phase is TrainingPhase.QUEUED
    held.release()
    assert await waiting == 0


async def test_who_waits_for_several_is_told_which_of_them_others_have(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    elsewhere = WorkspacePaths(Path("/elsewhere"))
    freed, held = take(elsewhere, ["gpu 0"], 1, "the training 3"), take(elsewhere, ["gpu 1"], 1, "the training 4")
    assert freed is not None and held is not None
    freed.release()  # its words stay in its lock
    number = await hall.make("three", device="gpu", processes=3)
    task = hall.supervise(number)
    await hall.reaches(
        number,
        lambda each: each.reason == "waits for its turn on gpu: gpu 1 is taken by the training 4 of /elsewhere",
    )
    held.release()
    assert await task == 0


async def test_a_gpu_that_is_gone_when_it_is_resumed_is_a_sentence(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    number = await hall.make("a", device="gpu 1")
    assert await hall.supervise(number, resume=True) == 1
    found = await hall.summary(number)
    assert found.phase is TrainingPhase.FAILED and "there is no device 'gpu 1'. There is `gpu 0`" in found.reason


async def test_an_evaluation_takes_and_sees_one_gpu(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6")
    number = await hall.make("a", device="gpu 5,6", processes=2)
    tell = [sys.executable, "-S", "-c", "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"]
    held = take(hall.workspace.paths, ["gpu 5"], 1)
    assert held is not None
    assert await run_evaluator(hall.workspace.paths, number, "gpu 5,6", tell, lambda _: None) == (0, "6")
    with pytest.raises(VqaError, match="gpu 5 is taken by another program of"):
        await run_evaluator(hall.workspace.paths, number, "gpu 5", tell, lambda _: None)
    held.release()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5,6"


def test_a_trainer_that_is_started_by_hand_sees_one_gpu_too() -> None:
    from vqa_tui.training.launcher import see_one_gpu

    for visible, chosen in {f"{_GPU},1": _GPU, "1,0": "1", "3": "", "": ""}.items():
        environment = {"CUDA_VISIBLE_DEVICES": visible}
        assert see_one_gpu(environment) == chosen
        assert environment == {"CUDA_VISIBLE_DEVICES": chosen or visible}
    beside = {"CUDA_VISIBLE_DEVICES": "0,1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    assert see_one_gpu(beside) == "" and beside["CUDA_VISIBLE_DEVICES"] == "0,1"
