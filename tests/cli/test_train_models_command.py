"""`vqa-tui train models`: what can be named, and completing it in the menu."""

import json

import pytest
from typer.testing import CliRunner

from vqa_tui.cli.main import app
from vqa_tui.config.training import TrainingConfig
from vqa_tui.operations.training_models import known_names, setting_keys
from vqa_tui.tui.setting_completion import SettingCompletion


def test_each_model_is_told_with_what_it_takes_on_a_device() -> None:
    result = CliRunner().invoke(app, ["train", "models", "--memory", "24", "--json"], prog_name="vqa-tui")
    found = {each["name"]: each for each in json.loads(result.stdout)}
    small, large = found["Qwen/Qwen2.5-VL-3B-Instruct"], found["Qwen/Qwen2.5-VL-72B-Instruct"]
    assert small["memory"]["fits"] and not large["memory"]["fits"]
    assert small["memory"]["total_bytes"] < 24 << 30 < large["memory"]["total_bytes"]
    assert {"PaliGemma", "Qwen3-VL", "Qwen2.5-VL"} <= {
        word for name in found for word in ("PaliGemma", "Qwen3-VL", "Qwen2.5-VL") if word.lower() in name.lower()
    }
    four_bit = next(each for name, each in found.items() if name.startswith("unsloth/"))
    assert set(four_bit["settings"]) >= {"backend=unsloth", "four_bit=true"}
    shown = CliRunner().invoke(app, ["train", "models", "--memory", "24"], prog_name="vqa-tui").stdout
    assert all(name in shown for name in found)


def test_what_needs_a_gpu_does_not_fit_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    shown = CliRunner().invoke(app, ["train", "models"], prog_name="vqa-tui").stdout.splitlines()
    assert all(("needs a GPU" in line) is line.startswith("unsloth/") for line in shown)


def test_the_settings_of_a_known_model_make_a_configuration() -> None:
    result = CliRunner().invoke(app, ["train", "models", "--json"], prog_name="vqa-tui")
    for each in json.loads(result.stdout):
        values = dict(word.split("=", 1) for word in each["settings"])
        assert TrainingConfig.model_validate({"name": "x", **values}).model == each["name"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("batch_s", "batch_size="),
        ("lora.r", "lora.r="),
        ("epochs=2 model=qwen/qwen2.5-vl-7", "epochs=2 model=Qwen/Qwen2.5-VL-7B-Instruct"),
        ("model=Qwen/Qwen2.5-VL-7B-Instruct", None),
        ("colour", None),
        ("", None),
    ],
)
async def test_settings_are_completed(typed: str, completed: str | None) -> None:
    assert await SettingCompletion(setting_keys(), known_names()).get_suggestion(typed) == completed
