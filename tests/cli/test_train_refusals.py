"""What `vqa-tui train start` and the trainer say when they cannot: exit status 2 or 1, a sentence, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Ended, events
from vqa_tui.operations.workspace import Workspace

_HIDES_TORCH = "import sys\nsys.modules['torch'] = None\n"


@pytest.fixture
def data(tmp_path: Path) -> str:
    turns = [{"from": "human", "value": "Is it?"}, {"from": "gpt", "value": "It is."}]
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"conversations": turns}) + "\n")
    return str(path)


def with_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed here, nothing is missing: what is refused is refused for another reason."""
    monkeypatch.setattr("vqa_tui.operations.training_start._refuse_impossible", lambda *_: None)


def test_a_missing_extra_is_named(place: Place, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    said = place.refused("train", "start", "train_tiny", "--data", data)
    assert "not installed: torch" in said and "pip install 'vqa-tui[train]'" in said
    assert json.loads(place.ok("train", "list", "--json")) == []


def test_a_missing_extra_in_a_program_of_its_own(tmp_path: Path, data: str) -> None:
    """As a person meets it, with a Python that has no PyTorch."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(_HIDES_TORCH)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "without"), "CUDA_VISIBLE_DEVICES": "3,1"}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-m", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    done = run("vqa_tui", "train", "start", "train_tiny", "--data", data)
    assert done.returncode == 2 and "torch" in done.stderr and "vqa-tui[train]" in done.stderr
    config = tmp_path / "config.json"
    config.write_text(TrainingConfig(name="x", model="tiny").model_dump_json())
    done = run("vqa_tui.training", str(config))
    assert done.returncode == 1 and "error: " in done.stderr and "vqa-tui[train]" in done.stderr
    assert done.stdout.startswith("one process trains on one GPU: CUDA_VISIBLE_DEVICES=3\n")
    (end,) = events((tmp_path / "metrics.jsonl").read_text().splitlines())
    assert isinstance(end, Ended) and end.phase == "failed" and "vqa-tui[train]" in end.reason


def test_a_missing_back_end_is_named(place: Place, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("torch", "transformers", "peft", "accelerate"):
        monkeypatch.setitem(sys.modules, name, sys)
    monkeypatch.setitem(sys.modules, "unsloth", None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    said = place.refused("train", "start", "train_tiny", "--data", data, "--set", "backend=unsloth")
    assert "unsloth needs an NVIDIA GPU" in said and "backend: peft" in said
    name = "model=unsloth/Qwen3-VL-2B-Instruct-unsloth-bnb-4bit"
    said = place.refused("train", "start", "train_tiny", "--data", data, "--set", name)
    assert "are in 4 bits" in said and "four_bit: true" in said
    said = place.refused("train", "start", "train_tiny", "--data", data, "--set", "four_bit=true")
    assert "4 bits need an NVIDIA GPU" in said and "four_bit: false" in said
    half = ("train", "start", "train_tiny", "--data", data, "--set", "precision=fp16", "--detach")
    said = place.refused(*half)
    assert "fp16 needs an NVIDIA GPU, and none is seen here" in said and "precision: auto" in said
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert "it shall be on the CPU" in place.refused(*half, "--device", "cpu")
    said = place.refused("train", "start", "train_tiny", "--data", data, "--set", "backend=unsloth")
    assert "unsloth is not installed" in said and "backend: peft" in said


def test_a_wrong_key_is_told_by_file_line_and_nearest_key(place: Place, data: str) -> None:
    path = place.folder / "mine.yaml"
    path.write_text("name: mine\nmodel: tiny\nepochss: 2\n")
    said = place.refused("train", "start", str(path), "--data", data)
    assert "mine.yaml:3" in said and "epochss" in said and "`epochs`" in said
    said = place.refused("train", "start", "train_tiny", "--data", data, "--set", "lora.rank=4")
    assert "lora.rank: unknown key" in said and "Known keys: " in said


@pytest.mark.parametrize("command", [("start", "train_tiny", "--detach"), ("estimate", "train_tiny")])
def test_a_key_that_is_set_twice_is_refused(place: Place, command: tuple[str, ...]) -> None:
    said = place.refused("train", *command, "--set", "epochs=1", "--set", "lora.r=8", "--set", "epochs=2")
    assert "--set epochs: is given twice: 1 and 2" in said


def test_files_are_named_as_they_lie(place: Place, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer works in a folder of its own: what is named from the current one is found there too."""
    frozen: list[TrainingConfig] = []

    async def spawn(workspace: Workspace, training_id: int, *, resume: bool) -> None:
        path = workspace.paths.training_folder(training_id) / "config.json"
        frozen.append(TrainingConfig.model_validate_json(path.read_text()))

    with_packages(monkeypatch)
    monkeypatch.setattr("vqa_tui.operations.training_start._spawn", spawn)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zero.json").write_text("{}")
    (tmp_path / "base").mkdir()
    start = ("train", "start", "train_tiny", "--data", data, "--detach", "--set", "launch.program=torchrun")
    place.ok(*start, "--set", "launch.deepspeed=zero.json", "--set", "model=base")
    assert frozen[0].launch.deepspeed == str(tmp_path / "zero.json") and frozen[0].model == str(tmp_path / "base")
    place.ok(*start)
    assert frozen[1].model == "tiny" and frozen[1].launch.deepspeed == ""
    said = place.refused(*start, "--set", "launch.deepspeed=gone.json")
    assert f"launch.deepspeed: there is no file {tmp_path / 'gone.json'}" in said


def test_data_that_is_not_there(place: Place, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_packages(monkeypatch)
    assert "there is no file" in place.refused("train", "start", "train_tiny", "--data", f"{data}x")
    assert "no data is named" in place.refused("train", "start", "train_tiny")
    assert "both name what to learn from" in place.refused("train", "start", "train_tiny", "--data", data, "--run", "1")
    assert "Give --run RUN" in place.refused("train", "start", "train_tiny", "--data", data, "--accepted")
    assert "did you mean train_tiny" in place.refused("train", "start", "train_tinny", "--data", data)
    assert json.loads(place.ok("train", "list", "--json")) == []
    assert not list((place.folder / ".vqa" / "trainings").glob("[0-9]*"))


def test_a_device_that_is_not_there_is_told_with_those_that_are(
    place: Place, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_packages(monkeypatch)
    start = ("train", "start", "train_tiny", "--data", data, "--device")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    said = place.refused(*start, "gpu 1")
    assert "there is no device 'gpu 1'" in said and "`gpu 2`, `gpu 3`" in said and "`cpu`" in said
    assert "no device 'cuda:0'" in place.refused(*start, "cuda:0")
    launch = ("--set", "launch.program=torchrun", "--set", "launch.processes=3")
    assert "3 processes need a GPU each, and gpu is 2" in place.refused(*start, "auto", *launch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "no NVIDIA GPU is seen here" in place.refused(*start, "gpu")
    assert json.loads(place.ok("train", "list", "--json")) == []
