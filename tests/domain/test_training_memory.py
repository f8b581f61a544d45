"""The memory of a training, part by part."""

from dataclasses import replace
from typing import Any

import pytest

from vqa_tui.domain.model_shape import KNOWN, ModelShape, VisionShape
from vqa_tui.domain.training_memory import MemoryWish, adapter_weights, estimate_memory

SHAPE = KNOWN["qwen2.5-vl-7b"]
WISH = MemoryWish(2, False, 16, False, 1, 1_003_520, 8192, True)


def test_adapters_are_what_peft_makes() -> None:
    """r · (in + out) of seven matrices in 28 layers; PEFT prints 40,370,176 for this model at rank 16."""
    layer = 16 * (2 * (3584 + 3584) + 2 * (3584 + 512) + 3 * (3584 + 18944))
    assert adapter_weights(SHAPE, 16, vision=False) == 28 * layer == 40_370_176
    assert adapter_weights(SHAPE, 16, vision=True) > 40_370_176


def test_parts_of_a_training_with_adapters() -> None:
    found = estimate_memory(SHAPE, WISH, gpu=True)
    assert found.parts["weights"] == 2 * SHAPE.weights and found.trainable == 40_370_176
    assert found.parts["optimizer"] == 2 * found.parts["gradients"] == 8 * found.trainable
    assert found.row_tokens == 1_280 + 512 and found.total == sum(found.parts.values())
    assert 17e9 < found.total < 24e9


def test_all_weights_need_several_times_as_much() -> None:
    found = estimate_memory(SHAPE, replace(WISH, rank=None), gpu=True)
    assert found.parts["adapter"] == 0 and found.parts["optimizer"] == 2 * found.parts["gradients"]
    assert found.trainable < found.parameters == SHAPE.weights
    assert found.parts["weights"] == 4 * SHAPE.weights + 2 * found.trainable, "in fp32, and what autocast keeps"
    assert found.parts["gradients"] == 4 * found.trainable
    fp32 = estimate_memory(SHAPE, replace(WISH, rank=None, number_bytes=4), gpu=True)
    assert fp32.parts["weights"] == 4 * SHAPE.weights
    everything = estimate_memory(SHAPE, replace(WISH, rank=None, vision_learns=True), gpu=True)
    assert everything.trainable == SHAPE.weights
    shared = estimate_memory(SHAPE, replace(WISH, rank=None, shards=4), gpu=True)
    assert shared.parts["weights"] == found.parts["weights"] // 4


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("weights", {"four_bit": True}),
        ("activations", {"max_pixels": 200_704}),
        ("words to choose from", {"max_tokens": 1_024}),
    ],
)
def test_what_makes_it_less(part: str, change: dict[str, Any]) -> None:
    less = estimate_memory(SHAPE, replace(WISH, **change), gpu=True).parts[part]
    assert less < estimate_memory(SHAPE, WISH, gpu=True).parts[part]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("activations", {"checkpointing": False}),
        ("activations", {"batch": 4}),
        ("activations", {"vision_learns": True, "checkpointing": False}),
        ("words to choose from", {"max_pixels": None}),
        ("weights", {"number_bytes": 4}),
    ],
)
def test_what_makes_it_more(part: str, change: dict[str, Any]) -> None:
    more = estimate_memory(SHAPE, replace(WISH, **change), gpu=True).parts[part]
    assert more > estimate_memory(SHAPE, WISH, gpu=True).parts[part]


@pytest.mark.parametrize(
    ("checkpointing", "vision", "full", "peak_mb"),
    [(True, False, False, 1357), (False, False, False, 1480), (False, True, False, 2019), (True, True, True, 1792)],
)
def test_it_is_near_the_peak_that_was_measured(checkpointing: bool, vision: bool, full: bool, peak_mb: int) -> None:
    """Of the trainer's process on a CPU, with the smaller model of `bench/train_memory.py`."""
    shape = ModelShape(8, 512, 1408, 8, 2, 64, 32_000, True, VisionShape(8, 320, 1280, 14, 2, gated=True))
    wish = MemoryWish(4, False, None if full else 16, vision, 1, 448**2, 8192, checkpointing)
    assert 0.85 < estimate_memory(shape, wish, gpu=False).total / 1e6 / peak_mb < 1.15
