"""A configuration becomes the arguments of transformers' Trainer, sharding included."""

import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the train extra")

from vqa_tui.config.training import TrainingConfig

pytestmark = pytest.mark.training


def arguments(tmp_path: Path, **settings: object) -> Any:
    from vqa_tui.training.arguments import trainer_arguments
    from vqa_tui.training.loading import Device

    config = TrainingConfig.model_validate({"name": "x", "model": "tiny", **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return trainer_arguments(tmp_path, config, Device("cpu", "CPU", "fp32"), looks=True)


def test_activations_are_computed_again_unless_told_otherwise(tmp_path: Path) -> None:
    assert arguments(tmp_path).gradient_checkpointing
    assert not arguments(tmp_path, gradient_checkpointing=False).gradient_checkpointing


def test_pictures_are_opened_by_children_of_the_trainer_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end with it because they are its own, and are there at once because nothing is loaded for them."""
    from vqa_tui.training import arguments as module

    for workers, method in ((1, "fork"), (0, None)):
        monkeypatch.setattr(module, "_data_workers", lambda device, number=workers: number)
        assert arguments(tmp_path).dataloader_multiprocessing_context == method


def test_fsdp_shards_and_recomputes_by_itself(tmp_path: Path) -> None:
    made = arguments(tmp_path, launch={"program": "torchrun", "processes": 2, "fsdp": True})
    assert made.fsdp and made.fsdp_config["activation_checkpointing"] is True and not made.gradient_checkpointing
    assert not arguments(tmp_path).fsdp


def test_a_deepspeed_configuration_is_handed_on_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vqa_tui.training import arguments as module

    taken: dict[str, Any] = {}
    monkeypatch.setattr(module, "TrainingArguments", lambda **named: taken.update(named))
    arguments(tmp_path, launch={"program": "torchrun", "processes": 2, "deepspeed": "/configs/zero2.json"})
    assert taken["deepspeed"] == "/configs/zero2.json" and "fsdp" not in taken
