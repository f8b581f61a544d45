"""The size of a vision-language model: what its `config.json` says, and how many weights that makes.

Counted are the matrices of a decoder with gated feed-forward layers (Llama, Qwen, Gemma) and of a vision transformer;
biases and norms are left out, which is less than a tenth of a percent. Published totals are met within one percent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class VisionShape:
    """What looks at pictures."""

    layers: int
    hidden: int
    intermediate: int
    patch: int
    """Pixels of a side."""
    merge: int = 1
    """Patches of a side that become one token."""
    gated: bool = False
    """Three matrices in a feed-forward layer instead of two."""
    mergers: int = 1
    """Ways from here into the language model (Qwen3-VL has further ones from inner layers)."""
    fixed_side: int | None = None
    """Pixels of a side that every picture is brought to; None where its size counts."""

    @property
    def layer_weights(self) -> int:
        """Weights of the matrices of all layers."""
        return self.layers * self.hidden * (4 * self.hidden + (3 if self.gated else 2) * self.intermediate)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What the size of a model depends on."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head: int
    """Width of a head."""
    vocabulary: int
    tied: bool
    """Whether words are read and chosen by the same matrix."""
    vision: VisionShape | None = None

    @property
    def layer_weights(self) -> int:
        """Weights of the matrices of all layers of the language model."""
        attention = 2 * self.hidden * self.head * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def word_weights(self) -> int:
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def bridge_weights(self) -> int:
        """From pictures to the language model: the patches' embedding and the mergers."""
        if self.vision is None:
            return 0
        wide = self.vision.hidden * self.vision.merge**2
        merger = wide * (wide + self.hidden) if self.vision.merge > 1 else wide * self.hidden
        return 3 * self.vision.patch**2 * self.vision.hidden + self.vision.mergers * merger

    @property
    def weights(self) -> int:
        """All of them."""
        vision = self.vision.layer_weights if self.vision else 0
        return self.layer_weights + self.word_weights + self.bridge_weights + vision

    def picture_tokens(self, max_pixels: int | None) -> int:
        """Return the most tokens of a picture; without a limit, those of a picture of 2 megapixels."""
        if self.vision is None:
            return 0
        side = self.vision.patch * self.vision.merge
        if self.vision.fixed_side:
            return (self.vision.fixed_side // side) ** 2
        return max((max_pixels or 2_000_000) // side**2, 1)


_QWEN25 = VisionShape(32, 1280, 3420, 14, 2, gated=True)
_QWEN3_SMALL = VisionShape(24, 1024, 4096, 16, 2, mergers=4)
_QWEN3_LARGE = VisionShape(27, 1152, 4304, 16, 2, mergers=4)
_SIGLIP = VisionShape(27, 1152, 4304, 14, fixed_side=224)
KNOWN = {
    "tiny": ModelShape(2, 64, 128, 4, 2, 16, 608, True, VisionShape(2, 32, 64, 14, 2, gated=True)),
    "qwen2.5-vl-3b": ModelShape(36, 2048, 11008, 16, 2, 128, 151_936, True, _QWEN25),
    "qwen2.5-vl-7b": ModelShape(28, 3584, 18944, 28, 4, 128, 152_064, False, _QWEN25),
    "qwen2.5-vl-72b": ModelShape(
        80, 8192, 29568, 64, 8, 128, 152_064, False, VisionShape(32, 1280, 3456, 14, 2, gated=True)
    ),
    "qwen3-vl-2b": ModelShape(28, 2048, 6144, 16, 8, 128, 151_936, True, _QWEN3_SMALL),
    "qwen3-vl-4b": ModelShape(36, 2560, 9728, 32, 8, 128, 151_936, True, _QWEN3_SMALL),
    "qwen3-vl-8b": ModelShape(36, 4096, 12288, 32, 8, 128, 151_936, False, _QWEN3_LARGE),
    "qwen3-vl-32b": ModelShape(64, 5120, 25600, 64, 8, 128, 151_936, False, _QWEN3_LARGE),
    "paligemma-3b": ModelShape(18, 2048, 16384, 8, 1, 256, 257_216, True, _SIGLIP),
    "paligemma2-3b": ModelShape(26, 2304, 9216, 8, 4, 256, 257_216, True, _SIGLIP),
}
"""Shapes by the beginning of a model's name, from the config.json of each on the Hugging Face Hub."""


def known_shape(model: str) -> ModelShape | None:
    """Return the shape of a model by its name, whoever publishes it (`unsloth/…-bnb-4bit`); None: unknown."""
    name = model.rpartition("/")[2].lower()
    for known, shape in KNOWN.items():
        if name == known or name.startswith(f"{known}-"):
            return _at_resolution(shape, name)
    return None


def _at_resolution(shape: ModelShape, name: str) -> ModelShape:
    """PaliGemma's names end with the side of its pictures."""
    side = re.search(r"-(224|448|896)\b", name)
    if not side or shape.vision is None or not shape.vision.fixed_side:
        return shape
    return replace(shape, vision=replace(shape.vision, fixed_side=int(side[1])))


def shape_of_config(config: Mapping[str, Any]) -> ModelShape:
    """Return the shape that the `config.json` of a model states, in the words of transformers.

    Raises ValueError with what is missing, or where the model is of a kind that is not counted.
    """
    text = config.get("text_config") or config
    if any(text.get(name) for name in ("num_experts", "num_local_experts", "n_routed_experts")):
        raise ValueError("it is a mixture of experts, whose size is not counted here")
    heads = _number(text, "num_attention_heads")
    hidden = _number(text, "hidden_size")
    return ModelShape(
        layers=_number(text, "num_hidden_layers"),
        hidden=hidden,
        intermediate=_number(text, "intermediate_size"),
        heads=heads,
        kv_heads=_number(text, "num_key_value_heads", default=heads),
        head=_number(text, "head_dim", default=hidden // heads),
        vocabulary=_number({**config, **text}, "vocab_size"),
        tied=bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False))),
        vision=_vision(config.get("vision_config")),
    )


def _vision(config: Mapping[str, Any] | None) -> VisionShape | None:
    if not config:
        return None
    merge = _number(config, "spatial_merge_size", default=1)
    return VisionShape(
        layers=_number(config, "depth", "num_hidden_layers"),
        hidden=_number(config, "hidden_size", "embed_dim"),
        intermediate=_number(config, "intermediate_size"),
        patch=_number(config, "patch_size"),
        merge=merge,
        gated=str(config.get("model_type", "")).startswith("qwen2_5"),
        mergers=1 + len(config.get("deepstack_visual_indexes") or ()),
        fixed_side=None if merge > 1 else _number(config, "image_size", default=0) or None,
    )


def _number(config: Mapping[str, Any], *names: str, default: int | None = None) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    if default is None:
        raise ValueError(f"`{names[0]}` is missing or no whole number")
    return default
