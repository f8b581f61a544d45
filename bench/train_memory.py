"""Memory of a training on the CPU: what `train estimate` says against the peak of the trainer's process.

Models of the shape of Qwen2.5-VL with random weights are made on the spot and trained for a few steps by the trainer
itself, each in a process of its own. Where PyTorch is not installed it says so and measures nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_SIDE = 448
_TEXT_TOKENS = 512
_VOCABULARY = 32_000
_STEPS = 3
_MB = 1_000_000
SHAPES: dict[str, dict[str, Any]] = {
    "50M": {"hidden": 512, "layers": 8, "heads": 8, "kv": 2, "wide": 1408, "seen": (8, 320, 1280, 5)},
    "150M": {"hidden": 768, "layers": 12, "heads": 12, "kv": 4, "wide": 2560, "seen": (10, 512, 1536, 8)},
}
WAYS: dict[str, dict[str, Any]] = {
    "lora": {},
    "lora, all kept": {"gradient_checkpointing": False},
    "lora, vision too": {"lora": {"r": 16, "vision": True}, "gradient_checkpointing": False},
    "all weights": {"lora": None, "train_vision": True},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    given = parser.parse_args()
    if find_spec("torch") is None or find_spec("peft") is None:
        print("needs the extra `train`: nothing measured")
        return
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.shapes:
            model, row = Path(folder) / name, Path(folder) / f"{name}.row"
            subprocess.run([sys.executable, "-P", __file__, "--make", name, str(model), str(row)], check=True)
            for way in given.ways:
                print(f"{name}, {way}", file=sys.stderr, flush=True)
                place = Path(folder) / f"{name} {way}"
                found[f"{name}, {way}"] = _measured(place, model, row, WAYS[way])
    print(json.dumps(found, indent=2))


def _measured(place: Path, model: Path, row: Path, settings: dict[str, Any]) -> dict[str, Any]:
    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.domain.training_events import Ended, Stepped, events, last_event
    from vqa_tui.operations.training_estimate import estimate_training
    from vqa_tui.process.training_command import trainer_environment

    place.mkdir()
    config = TrainingConfig.model_validate(
        {
            "name": "bench", "model": str(model), "max_steps": _STEPS, "batch_size": 1, "gradient_accumulation": 1,
            "precision": "fp32", "max_pixels": _SIDE**2, "save_every": 1000, "samples": 0, **settings,
        }
    )  # fmt: skip
    (place / "config.json").write_text(config.model_dump_json(), "utf-8")
    (place / "rows.jsonl").write_text(row.read_text("utf-8") * 4, "utf-8")
    (place / "held_out.jsonl").touch()
    command = [sys.executable, "-P", "-m", "vqa_tui.training", str(place / "config.json")]
    seen = trainer_environment(os.environ)
    done = subprocess.run(command, capture_output=True, text=True, env=seen, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    told = list(events((place / "metrics.jsonl").read_text("utf-8").splitlines()))
    stepped, ended = last_event(told, Stepped), last_event(told, Ended)
    if stepped is None or ended is None or ended.peak_memory_bytes is None:
        sys.exit(done.stdout + done.stderr)
    estimate = estimate_training(config)
    return {
        "parameters": estimate.memory.parameters,
        "tokens": [stepped.tokens, estimate.memory.row_tokens],
        "estimate_mb": round(estimate.total_bytes / _MB),
        "peak_mb": round(ended.peak_memory_bytes / _MB),
        "estimate_by_peak": round(estimate.total_bytes / ended.peak_memory_bytes, 2),
        "parts_mb": {name: round(part / _MB) for name, part in estimate.memory.parts.items()},
    }


def _make(name: str, folder: Path, row_file: Path) -> None:
    """Save a model with its processor, and a row as long as the estimate takes rows to be."""
    from PIL import Image
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    from vqa_tui.domain.training_row import TrainingRow, Turn
    from vqa_tui.training.loading import save_processor
    from vqa_tui.training.tiny_model import tiny_model

    small, processor = tiny_model(1)
    processor.image_processor.max_pixels = _SIDE**2
    shape = SHAPES[name]
    depth, seen, seen_wide, seen_heads = shape["seen"]
    told = small.config.to_dict()
    told["text_config"] |= {
        "vocab_size": _VOCABULARY, "hidden_size": shape["hidden"], "intermediate_size": shape["wide"],
        "num_hidden_layers": shape["layers"], "num_attention_heads": shape["heads"],
        "num_key_value_heads": shape["kv"], "initializer_range": 0.02, "layer_types": None,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [8, 12, 12]},
    }  # fmt: skip
    told["vision_config"] |= {
        "depth": depth, "hidden_size": seen, "intermediate_size": seen_wide, "num_heads": seen_heads,
        "out_hidden_size": shape["hidden"], "initializer_range": 0.02, "fullatt_block_indexes": [depth - 1],
    }  # fmt: skip
    model = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig.from_dict(told))
    model.save_pretrained(str(folder))
    save_processor(processor, folder)
    picture = folder / "picture.png"
    Image.new("RGB", (_SIDE, _SIDE), "red").save(picture)
    words = "What is in the picture? The picture shows a suitcase with a knife. "
    often = _TEXT_TOKENS // len(processor.tokenizer(words)["input_ids"])
    turns = (Turn("user", (0, words * (often // 2))), Turn("assistant", (words * (often - often // 2),)))
    row_file.write_text(TrainingRow(0, picture.name, turns, (str(picture),)).as_json() + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        _make(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
