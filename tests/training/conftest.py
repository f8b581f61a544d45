"""What tests of the trainer share: pictures of coloured shapes, rows about them, the tiny model. They need PyTorch."""

import os
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_row import TrainingRow, Turn

SHAPES = (("red", "circle"), ("green", "square"), ("blue", "circle"), ("yellow", "square"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Several threads for matrices this small wait for each other most of the time."""
    os.environ["OMP_NUM_THREADS"] = "1"


def draw(path: Path, number: int) -> str:
    """Draw one coloured shape and return what it is."""
    colour, shape = SHAPES[number % len(SHAPES)]
    picture = Image.new("RGB", (96, 96), "white")
    pen = ImageDraw.Draw(picture)
    box = (20 + number % 9, 20, 70, 70)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    else:
        pen.rectangle(box, fill=colour)
    picture.save(path)
    return f"{colour} {shape}"


def make_rows(folder: Path, count: int) -> list[TrainingRow]:
    """Draw `count` pictures and return a row about each."""
    rows = []
    for number in range(count):
        path = folder / f"{number}.png"
        said = draw(path, number)
        turns = (Turn("user", (0, "What colour is the shape?")), Turn("assistant", (said,)))
        rows.append(TrainingRow(number, path.name, turns, (str(path),), kind="colour"))
    return rows


def training_folder(folder: Path, *, rows: int = 20, held_out: int = 4, **settings: object) -> Path:
    """Make the folder of a training of the tiny model, as `train start` does, and return its configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    made = make_rows(folder, rows)
    (folder / "rows.jsonl").write_text("".join(f"{row.as_json()}\n" for row in made[: rows - held_out]), "utf-8")
    (folder / "held_out.jsonl").write_text("".join(f"{row.as_json()}\n" for row in made[rows - held_out :]), "utf-8")
    values: dict[str, object] = {
        "name": "tiny", "model": "tiny", "batch_size": 4, "gradient_accumulation": 1, "learning_rate": 1e-2,
        "scheduler": "constant", "warmup_share": 0, "precision": "fp32", "gradient_checkpointing": False,
        "max_pixels": 50176, "save_every": 10, "max_steps": 20, "samples": 1, "sample_tokens": 8,
    }  # fmt: skip
    config = TrainingConfig.model_validate({**values, **settings})
    path = folder / "config.json"
    path.write_text(config.model_dump_json(), "utf-8")
    return path
