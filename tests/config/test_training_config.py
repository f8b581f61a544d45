"""The configuration of a training: defaults by modality, what does not fit together, and `--set`."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vqa_tui.config.freeze import freeze_training
from vqa_tui.config.load import list_trainings, load_training
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.training_configs import training_config
from vqa_tui.paths import WorkspacePaths, shipped_configs


def made(**settings: Any) -> TrainingConfig:
    return TrainingConfig.model_validate({"name": "x", "model": "tiny", **settings})


def test_defaults_follow_the_modality() -> None:
    vision, text = made(), made(modality="text")
    assert (vision.device_batch, vision.accumulation, vision.rate, vision.look_every) == (1, 8, 2e-5, 100)
    assert (text.device_batch, text.accumulation, text.rate) == (2, 4, 2e-4)
    assert made(batch_size=3, gradient_accumulation=2, learning_rate=1.0, eval_every=7).rows_per_step == 6
    launch = {"program": "torchrun", "processes": 2, "machines": 3, "main_address": "a"}
    assert made(launch=launch).rows_per_step == 48


def test_a_look_takes_some_rows_or_all() -> None:
    assert made().eval_rows == 200 and made(eval_rows=7).eval_rows == 7
    assert made(eval_rows="all").eval_rows is None and made(eval_rows=None).eval_rows is None
    assert TrainingConfig.model_validate_json(freeze_training(made(eval_rows="all"))).eval_rows is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"eval_rows": "some"}, "eval_rows"),
        ({"eval_rows": 0}, "eval_rows"),
        ({"launch": {"processes": 2}}, "program: python starts one process"),
        ({"launch": {"program": "torchrun", "machines": 2}}, "main_address: must name"),
        ({"launch": {"program": "torchrun", "machine_rank": 1}}, "machine_rank: must be less"),
        ({"launch": {"program": "torchrun", "accelerate_config": "x"}}, "accelerate_config: is read by"),
        ({"min_pixels": 9, "max_pixels": 8}, "min_pixels: is more"),
        ({"backend": "unsloth", "lora": None}, "lora: unsloth trains adapters"),
        ({"four_bit": True, "lora": None}, "four_bit: weights in 4 bits"),
        ({"train_vision": True}, "train_vision: is for trainings without lora"),
        ({"model": " x"}, "without spaces around it"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"validation": 1}, "less than 1"),
        ({"epochs": 0}, "greater than 0"),
        ({"name": "../x"}, "pattern"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        made(**settings)


def test_what_is_shipped_loads_and_freezes() -> None:
    folders = [shipped_configs()]
    names = {each.name for each in list_trainings(folders)}
    assert names >= {"train_tiny", "train_stcray", "train_vqa_rad"}
    for name in sorted(names):
        config = load_training(name, folders=folders)
        assert TrainingConfig.model_validate_json(freeze_training(config)) == config


def test_a_broken_file_is_told_by_file_line_and_nearest_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nmodel: tiny\nlora:\n  alhpa: 3\nepochss: 2\n")
    with pytest.raises(VqaError) as raised:
        load_training(str(path), folders=[])
    said = str(raised.value)
    assert f"{path}:4" in said and "`alpha`" in said and f"{path}:5" in said and "`epochs`" in said


def test_a_name_that_would_be_taken_for_a_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "5.yaml"
    path.write_text("# a comment\nname: '5'\nmodel: tiny\n")
    with pytest.raises(VqaError) as raised:
        load_training("5", folders=[tmp_path])
    assert f"{path}:2: name: is digits alone" in str(raised.value) and "train_5" in raised.value.hint


def test_pictures_of_which_nothing_is_left_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nmodel: tiny\nmax_pixels: 783\n")
    with pytest.raises(VqaError, match=r"mine\.yaml:3: max_pixels: must be at least 784"):
        load_training("mine", folders=[tmp_path])
    path.write_text("name: mine\nmodel: tiny\nmax_pixels: 784\n")
    assert load_training("mine", folders=[tmp_path]).max_pixels == 784


@pytest.fixture
def paths(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(tmp_path / ".vqa")


def test_set_changes_keys_and_keys_of_parts(paths: WorkspacePaths) -> None:
    settings = ["lora.r=8", "learning_rate=1e-4", "max_steps=null", "model=Qwen/Qwen3-VL-2B"]
    config = training_config(paths, "train_tiny", [*settings, "launch.program=torchrun", "launch.processes=2"])
    assert config.lora is not None and config.lora.r == 8 and config.lora.alpha == 16
    assert (config.learning_rate, config.max_steps, config.model) == (1e-4, None, "Qwen/Qwen3-VL-2B")
    assert (config.launch.program, config.launch.processes) == ("torchrun", 2)


def test_a_part_that_was_taken_out_can_be_put_back(paths: WorkspacePaths) -> None:
    assert training_config(paths, "train_tiny", ["lora=null"]).lora is None
    config = training_config(paths, "train_tiny", ["lora=null", "lora.r=4"])
    assert config.lora is not None and config.lora.r == 4


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("epochs", "there is no `=` in it"),
        ("epochss=2", "unknown key; did you mean `epochs`?"),
        ("lora.rr=2", "unknown key; did you mean `lora.r`?"),
        ("name.x=2", "unknown key"),
        ("epochs=[", "is not a value in YAML"),
        ("epochs=many", "--set: epochs: must be a number"),
        ("batch_size=0", "--set: batch_size: must be at least 1"),
        ("lora.r=abc", "--set: lora.r: must be a whole number"),
        ("model=''", "--set: model: needs a text of at least 1"),
        ("seed=true", "--set: seed: must be a number, not true or false"),
        ("name=2026-13-45", "is not a value in YAML"),
        ("launch=5", "--set: launch: "),
        ("model=" + "[" * 3_000, "is not a value in YAML"),
        ("launch.processes=2", "program: python starts one process"),
        ("max_pixels=783", "--set: max_pixels: must be at least 784"),
    ],
)
def test_a_wrong_set_says_which_and_what_is_known(paths: WorkspacePaths, setting: str, words: str) -> None:
    with pytest.raises(VqaError) as raised:
        training_config(paths, "train_tiny", [setting])
    assert words in str(raised.value)
