"""Time of a training step: the trainer against a bare transformers + peft loop on the same tiny model, in turns.

All open the same pictures, make batches of four rows, and learn from the answers' tokens alone, with AdamW and a limit
on the gradient's length. The trainer's batches are made in a process beside it, so there are two bare loops: one that
makes them between its steps, and one that has such a process as well. CPU time is that of the steps. Where PyTorch is
not installed it says so and measures nothing.
"""

import argparse
import contextlib
import functools
import io
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
_RATE, _BATCH, _LONGEST_GRADIENT = 1e-2, 4, 1.0
_ROWS = 64
_KINDS = ("wall_ms", "cpu_ms")
_WARM_UP = 5
"""Steps at the beginning of each turn that are not counted."""
Moment = tuple[float, float]
"""Seconds on the clock, and of CPU in this process; other programs on the machine change the first alone."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60, help="of each turn")
    given = parser.parse_args()
    if find_spec("torch") is None or find_spec("peft") is None:
        print("needs the extra `train`: nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        sides = {"bare": _bare, "bare_with_process": functools.partial(_bare, workers=1), "trainer": _ours}
        taken: dict[str, list[Moment]] = {name: [] for name in sides}
        for number in range(given.rounds):
            for name in reversed(sides) if number % 2 else sides:
                place = Path(folder) / f"{name}{number}"
                config = _training(place, given.steps)
                taken[name].extend(sides[name](place, config, given.steps)[_WARM_UP:])
            print(f"round {number + 1} of {given.rounds}", file=sys.stderr, flush=True)
    figures = {name: _figures(moments) for name, moments in taken.items()}
    ratios = {
        f"trainer_to_{name}_{kind}": round(figures["trainer"][kind] / figures[name][kind], 3)
        for name in sides
        for kind in _KINDS
        if name != "trainer"
    }
    print(json.dumps({**figures, **ratios, "load": round(os.getloadavg()[0], 1)}, indent=2))


def _now() -> Moment:
    return time.perf_counter(), time.process_time()


def _between(ends: list[Moment]) -> list[Moment]:
    return [(end[0] - begin[0], end[1] - begin[1]) for begin, end in itertools.pairwise(ends)]


def _figures(taken: list[Moment]) -> dict[str, float]:
    wall, cpu = zip(*taken, strict=True)
    return {
        "steps": len(taken),
        "wall_ms": round(statistics.median(wall) * 1000, 2),
        "cpu_ms": round(statistics.median(cpu) * 1000, 2),
    }


def _training(folder: Path, steps: int) -> Any:
    """Make the folder of a training: drawn pictures, rows about them, nothing held out."""
    from PIL import Image, ImageDraw

    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.domain.training_row import TrainingRow, Turn

    folder.mkdir()
    rows = []
    for number in range(_ROWS):
        colour = ("red", "green", "blue", "yellow")[number % 4]
        path = folder / f"{number}.png"
        picture = Image.new("RGB", (196, 196), "white")
        ImageDraw.Draw(picture).ellipse((20 + number, 20, 120 + number, 120), fill=colour)
        picture.save(path)
        turns = (Turn("user", (0, "What colour is the shape?")), Turn("assistant", (f"{colour} circle",)))
        rows.append(TrainingRow(number, path.name, turns, (str(path),)))
    (folder / "rows.jsonl").write_text("".join(f"{row.as_json()}\n" for row in rows), "utf-8")
    (folder / "held_out.jsonl").write_text("", "utf-8")
    return TrainingConfig(
        name="bench", model="tiny", max_steps=steps, batch_size=_BATCH, gradient_accumulation=1, learning_rate=_RATE,
        scheduler="constant", warmup_share=0, precision="fp32", gradient_checkpointing=False, max_pixels=50_176,
        save_every=steps, max_grad_norm=_LONGEST_GRADIENT, samples=0,
    )  # fmt: skip


def _ours(folder: Path, config: Any, steps: int) -> list[Moment]:
    """From the end of a step to the end of the next: data, step and what is told of it."""
    from vqa_tui.training import session

    ends: list[Moment] = []

    class Timed(session.Reporter):
        def on_log(self, *arguments: Any, **named: Any) -> None:
            super().on_log(*arguments, **named)
            ends.append(_now())

    reporter, session.Reporter = session.Reporter, Timed  # type: ignore[misc]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            session.train(folder, config, resume=False)
    finally:
        session.Reporter = reporter  # type: ignore[misc]
    return _between(ends)[: steps - 1]


def _bare(folder: Path, config: Any, steps: int, *, workers: int = 0) -> list[Moment]:
    """The loop that one would write by hand; with `workers` processes that make its batches."""
    import torch
    from peft import LoraConfig, get_peft_model
    from PIL import Image

    from vqa_tui.training.adapters import target_modules
    from vqa_tui.training.tiny_model import tiny_model

    torch.set_num_threads(1)
    model, processor = tiny_model(config.seed)
    model.config.use_cache = False
    settings = LoraConfig(r=16, lora_alpha=16, target_modules=target_modules(model, config.lora), task_type="CAUSAL_LM")
    model = get_peft_model(model, settings)
    model.train()
    processor.tokenizer.padding_side = "right"
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=_RATE)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text("utf-8").splitlines()]

    def collate(chosen: list[Any]) -> Any:
        pictures = [Image.open(row["pictures"][0]).convert("RGB") for row in chosen]
        texts, prompts = [], []
        for row in chosen:
            asked = {
                "role": "user",
                "content": [{"type": "image"}, {"type": "text", "text": row["turns"][0]["parts"][1]}],
            }
            said = {"role": "assistant", "content": [{"type": "text", "text": row["turns"][1]["parts"][0]}]}
            texts.append(processor.apply_chat_template([asked, said], tokenize=False))
            prompts.append(processor.apply_chat_template([asked], tokenize=False, add_generation_prompt=True))
        batch = processor(text=texts, images=pictures, return_tensors="pt", padding=True)
        labels = batch["input_ids"].clone()
        for index, (text, prompt) in enumerate(zip(texts, prompts, strict=True)):
            answer = len(processor.tokenizer(text[len(prompt) :])["input_ids"])
            length = int(batch["attention_mask"][index].sum())
            labels[index, : length - answer] = -100
        labels[batch["attention_mask"] == 0] = -100
        return {**batch, "labels": labels}

    loader = torch.utils.data.DataLoader(
        rows, batch_size=_BATCH, shuffle=True, collate_fn=collate, num_workers=workers, persistent_workers=workers > 0
    )
    ends: list[Moment] = []
    while len(ends) < steps:
        for batch in loader:
            loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _LONGEST_GRADIENT)
            optimizer.step()
            optimizer.zero_grad()
            float(loss.detach())  # What a person watches.
            ends.append(_now())
    return _between(ends)[: steps - 1]


if __name__ == "__main__":
    main()
