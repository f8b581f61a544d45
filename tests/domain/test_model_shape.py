"""Sizes of models: published totals, what a config.json says, and what cannot be counted."""

from typing import Any

import pytest

from vqa_tui.domain.model_shape import KNOWN, VisionShape, known_shape, shape_of_config

PUBLISHED = {
    "Qwen/Qwen2.5-VL-3B-Instruct": 3_754_622_976,
    "Qwen/Qwen2.5-VL-7B-Instruct": 8_292_166_656,
    "unsloth/Qwen2.5-VL-72B-Instruct-bnb-4bit": 73_410_777_344,
    "Qwen/Qwen3-VL-2B-Instruct": 2_127_532_032,
    "Qwen/Qwen3-VL-4B-Instruct": 4_437_815_808,
    "Qwen/Qwen3-VL-8B-Thinking": 8_767_123_696,
    "google/paligemma-3b-pt-224": 2_923_466_480,
    "google/paligemma2-3b-mix-448": 3_032_242_416,
}
"""Weights as the Hub counts them in the safetensors files of each (PaliGemma: those of the 224-pixel models)."""
CONFIG: dict[str, Any] = {
    "text_config": {
        "hidden_size": 2048, "num_hidden_layers": 36, "intermediate_size": 11008, "num_attention_heads": 16,
        "num_key_value_heads": 2, "vocab_size": 151_936,
    },
    "vision_config": {
        "model_type": "qwen2_5_vl", "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "patch_size": 14,
        "spatial_merge_size": 2,
    },
    "tie_word_embeddings": True,
}  # fmt: skip


@pytest.mark.parametrize(("model", "weights"), PUBLISHED.items())
def test_published_totals_are_met(model: str, weights: int) -> None:
    shape = known_shape(model)
    assert shape is not None and shape.weights == pytest.approx(weights, rel=0.01)


def test_a_name_that_only_begins_alike_is_not_known() -> None:
    assert known_shape("Qwen/Qwen2.5-VL-32B") is None and known_shape("me/tiny-llava") is KNOWN["tiny"]
    assert known_shape("me/tinyllama") is None


def test_pictures_become_tokens() -> None:
    qwen, gemma = known_shape("qwen2.5-vl-3b"), known_shape("google/paligemma-3b-pt-448")
    assert qwen is not None and gemma is not None
    assert qwen.picture_tokens(1_003_520) == 1_280 and qwen.picture_tokens(1) == 1
    assert gemma.picture_tokens(1_003_520) == 1_024


def test_a_config_says_the_same() -> None:
    assert shape_of_config(CONFIG) == KNOWN["qwen2.5-vl-3b"]
    text_alone = {**CONFIG["text_config"], "head_dim": 64}
    shape = shape_of_config(text_alone)
    assert (shape.vision, shape.head, shape.tied, shape.picture_tokens(9_999)) == (None, 64, False, 0)


def test_siglip_has_pictures_of_one_size() -> None:
    vision = {"num_hidden_layers": 27, "hidden_size": 1152, "intermediate_size": 4304, "patch_size": 14}
    shape = shape_of_config({**CONFIG, "vision_config": {**vision, "image_size": 448}})
    assert shape.vision == VisionShape(27, 1152, 4304, 14, fixed_side=448)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [({"hidden_size": None}, "hidden_size"), ({"num_hidden_layers": "9"}, "num_hidden_layers"),
     ({"num_experts": 8}, "mixture of experts")],
)  # fmt: skip
def test_what_cannot_be_counted_says_why(change: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        shape_of_config({**CONFIG, "text_config": {**CONFIG["text_config"], **change}})
