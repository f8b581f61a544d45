"""Trainings of all weights: they are kept in numbers fine enough to learn at a small rate."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

import torch
from safetensors.torch import load_file

from tests.training.conftest import training_folder
from tests.training.test_trainer import train
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Started
from vqa_tui.training.loading import Device, learning_dtype, load_model, save_processor
from vqa_tui.training.tiny_model import tiny_model

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in bf16, as they are published."""
    folder = tmp_path_factory.mktemp("model")
    made, processor = tiny_model(0)
    made.to(torch.bfloat16).save_pretrained(str(folder))
    save_processor(processor, folder)
    return folder


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_weights_that_learn_are_whole_and_those_beside_adapters_are_not(model: Path, precision: str) -> None:
    device = Device("cpu", "CPU", precision)
    for lora, dtype in ((None, torch.float32), ({}, device.dtype)):
        config = TrainingConfig.model_validate({"name": "x", "model": str(model), "lora": lora})
        loaded, _ = load_model(config, device, dtype=learning_dtype(config, device))
        assert {each.dtype for each in loaded.parameters()} == {dtype}
    assert load_model(config, device)[0].dtype == device.dtype, "to answer with"


def test_small_steps_in_bf16_are_learned(model: Path, tmp_path: Path) -> None:
    config = training_folder(
        tmp_path, model=str(model), lora=None, precision="bf16", learning_rate=2e-5, max_steps=20, held_out=0
    )
    status, said, found = train(config)
    assert status == 0, said
    assert next(each.precision for each in found if isinstance(each, Started)) == "bf16"
    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "adapter" / "model.safetensors")
    assert {each.dtype for each in after.values()} == {torch.float32}
    learned = [name for name in before if "visual" not in name]
    moved = sum(int((after[name] != before[name].float()).sum()) for name in learned)
    assert moved > 0.7 * sum(before[name].numel() for name in learned)
    assert not (tmp_path / "adapter" / "training_args.bin").exists()
    assert json.loads((tmp_path / "adapter" / "config.json").read_text("utf-8"))["model_type"] == "qwen2_5_vl"
