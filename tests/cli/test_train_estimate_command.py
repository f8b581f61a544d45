"""`train estimate`: what a training takes against what there is; `start` says so where it will not fit."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.domain.test_model_shape import CONFIG
from vqa_tui.cli.main import app
from vqa_tui.config.training import TrainingConfig
from vqa_tui.operations import training_estimate
from vqa_tui.operations.training_estimate import memory_warning
from vqa_tui.process.device_memory import DeviceMemory


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, ("train", "estimate", *words), prog_name="vqa-tui")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


def test_fits_or_not(tmp_path: Path) -> None:
    fits = typed("train_vqa_rad", "--memory", "16")
    assert fits.exit_code == 0 and "✓ Fits GPU with 16.00 GiB" in fits.stdout and "known models" in fits.stdout
    large = typed("train_vqa_rad", "--memory", "16", "--set", "four_bit=false", "--set", "lora=null")
    assert large.exit_code == 1 and "✗ Does not fit" in large.stdout
    document = json.loads(typed("train_stcray", "--memory", "24", "--json").stdout)
    assert document["fits"] is True and document["precision"] == "bf16"
    assert sum(document["memory"]["parts"].values()) == document["total_bytes"] < document["device_bytes"]


def test_on_this_machine_without_a_gpu() -> None:
    document = json.loads(typed("train_tiny", "--json").stdout)
    assert document["device"] == "CPU" and document["precision"] == "fp32" and document["device_bytes"] > 1e9


def test_what_a_start_would_refuse_is_said_with_what_to_do() -> None:
    here = typed("train_vqa_rad")
    assert here.exit_code == 1 and "✗ It cannot be started so: weights in 4 bits need an NVIDIA GPU" in here.stdout
    assert "Write `four_bit: false`." in here.stdout
    assert typed("train_vqa_rad", "--memory", "16").exit_code == 0, "that GPU is elsewhere"
    named = ("train_stcray", "--set", "model=unsloth/Qwen2.5-VL-3B-Instruct-bnb-4bit", "--memory", "24")
    anywhere = typed(*named)
    assert anywhere.exit_code == 1 and "are in 4 bits. Write `four_bit: true`." in anywhere.stdout
    assert json.loads(typed(*named, "--json").stdout)["obstacle"].endswith("Write `four_bit: true`.")
    assert json.loads(typed("train_tiny", "--json").stdout)["obstacle"] == ""


def test_the_model_s_own_config_counts_first(tmp_path: Path) -> None:
    halved = {**CONFIG, "text_config": {**CONFIG["text_config"], "num_hidden_layers": 18}}
    folder = tmp_path / "hub" / "models--Qwen--Qwen2.5-VL-3B-Instruct" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    known = json.loads(typed("train_stcray", "--memory", "24", "--json").stdout)
    (folder / "config.json").write_text(json.dumps(halved))
    cached = json.loads(typed("train_stcray", "--memory", "24", "--json").stdout)
    assert cached["source"] == str(folder / "config.json")
    assert cached["memory"]["parameters"] < known["memory"]["parameters"]
    named = json.loads(typed("train_stcray", "--memory", "24", "--json", "--set", f"model={folder}").stdout)
    assert named["memory"] == cached["memory"]


def test_what_is_not_known_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for words, reason in (
        (("train_stcray", "--set", "model=me/unheard"), "the size of me/unheard is not known"),
        (("train_stcray", "--set", f"model={tmp_path}"), "`num_attention_heads` is missing"),
        (("train_stcray", "--memory", "0"), "a device with 0 GiB is none"),
        (("train_stcrai",), "train_stcray"),
        (("train_stcray", "--device", "gpu 7"), "there is no device 'gpu 7'"),
        (("train_stcray", "--device", "cpu", "--memory", "8"), "--device and --memory both say"),
    ):
        refused = typed(*words)
        assert refused.exit_code == 2 and reason in refused.stderr


def test_a_start_warns_where_it_will_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainingConfig(name="large", model="Qwen/Qwen2.5-VL-7B-Instruct")

    def has(gib: int | None) -> None:
        found = DeviceMemory("a card", True, None if gib is None else gib << 30)
        monkeypatch.setattr(training_estimate, "device_memory", lambda _place: found)

    has(8)
    warning = memory_warning(config)
    assert "and a card has 8.0 GiB" in warning and "max_pixels" in warning
    has(80)
    assert not memory_warning(config)
    has(None)
    assert not memory_warning(config)
    has(8)
    assert not memory_warning(TrainingConfig(name="unheard", model="me/unheard"))
