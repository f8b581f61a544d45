"""An adapter is merged into whole weights, also where it was trained beside weights in 4 bits."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("peft", reason="needs the train extra")

from tests.training.conftest import training_folder
from vqa_tui.config.training import TrainingConfig

pytestmark = pytest.mark.training


def test_beside_weights_in_4_bits_it_goes_into_the_whole_ones(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForImageTextToText

    from vqa_tui.training.adapters import prepare
    from vqa_tui.training.merging import leave_merged
    from vqa_tui.training.tiny_model import tiny_model

    path = training_folder(tmp_path, rows=2, held_out=0, four_bit=True, merge=True)
    config = TrainingConfig.model_validate_json(path.read_text("utf-8"))
    model, processor = tiny_model(config.seed)
    adapted = prepare(model, config.model_copy(update={"four_bit": False}))
    generator = torch.Generator().manual_seed(3)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            weight.data.copy_(torch.randn(weight.shape, generator=generator))
    adapted.save_pretrained(str(tmp_path / "adapter"))
    for name, weight in adapted.named_parameters():
        if "lora" not in name:
            weight.data.copy_((weight.data * 4).round() / 4)  # as if they were kept in few bits
    leave_merged(config, adapted, processor, tmp_path)
    merged = AutoModelForImageTextToText.from_pretrained(str(tmp_path / "merged"))
    whole, _ = tiny_model(config.seed)
    name = "model.language_model.layers.0.mlp.up_proj"
    low = {part: adapted.get_submodule(f"base_model.model.{name}.lora_{part}.default").weight for part in "AB"}
    scale = config.lora.alpha / config.lora.r if config.lora else 0
    expected = whole.get_submodule(name).weight + scale * low["B"] @ low["A"]
    assert torch.allclose(merged.get_submodule(name).weight, expected, atol=1e-5)
    assert not getattr(merged, "is_quantized", False)


def killed_at_once(folder: Path) -> Path:
    """Return a program that ends as one that the system kills for its memory."""
    program = folder / "killed"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o700)
    return program


def test_of_a_model_that_is_dealt_to_processes_it_is_made_in_one_that_is_part_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from vqa_tui.training.adapters import prepare
    from vqa_tui.training.merging import leave_merged
    from vqa_tui.training.tiny_model import tiny_model
    from vqa_tui.training.trouble import TrainingTrouble

    path = training_folder(tmp_path, rows=2, held_out=0, merge=True)
    config = TrainingConfig.model_validate_json(path.read_text("utf-8"))
    model, processor = tiny_model(config.seed)
    launched = {"RANK": "0", "WORLD_SIZE": "2", "GROUP_RANK": "0", "ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}
    for name, value in launched.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingTrouble, match=r"the adapter is saved, but cannot be merged into its model: .*adapter"):
        leave_merged(config, None, processor, tmp_path)
    assert "Traceback" in capfd.readouterr().err
    prepare(model, config).save_pretrained(str(tmp_path / "adapter"))
    run, seen = subprocess.run, []

    def noted(*command: Any, **named: Any) -> Any:
        seen.append(named["env"])
        return run(*command, **named)

    monkeypatch.setattr(subprocess, "run", noted)
    leave_merged(config, None, processor, tmp_path)
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    (environment,) = seen
    assert not launched.keys() & environment.keys() and "PATH" in environment
    monkeypatch.setattr(sys, "executable", str(killed_at_once(tmp_path)))
    with pytest.raises(TrainingTrouble, match="killed; the system does that when memory runs out") as raised:
        leave_merged(config, None, processor, tmp_path)
    assert "vLLM serves an adapter" in raised.value.hint


def test_a_full_disk_leaves_the_merged_model_as_it_was(tmp_path: Path) -> None:
    import resource
    import signal

    from vqa_tui.training.adapters import prepare
    from vqa_tui.training.merging import save_merged
    from vqa_tui.training.tiny_model import tiny_model
    from vqa_tui.training.trouble import DiskFull

    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "weights").touch()
    model, processor = tiny_model(1)
    adapted = prepare(model, TrainingConfig(name="x", model="tiny"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DiskFull, match="so the merged model could not be written") as raised:
            save_merged(adapted, processor, tmp_path / "merged")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, heard)
    assert "the adapter is whole" in raised.value.hint
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["merged", "weights"]


def test_a_model_that_is_stored_in_few_bits_is_refused_before_it_learns(tmp_path: Path) -> None:
    from vqa_tui.training.loading import Device, load_model
    from vqa_tui.training.trouble import TrainingTrouble

    packed = {"model_type": "llama", "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    (tmp_path / "config.json").write_text(json.dumps(packed))
    config = TrainingConfig(name="x", model=str(tmp_path), modality="text", merge=True)
    with pytest.raises(TrainingTrouble, match="stored in few bits") as raised:
        load_model(config, Device("cpu", "CPU", "fp32"))
    assert "whole weights" in raised.value.hint
