"""What memory a training takes on each device, part by part, before anything is loaded.

- *Weights*: one number each, 2 bytes in bf16 and fp16 and 4 in fp32; where they learn themselves 4, and in 16 bits
  autocast holds a copy of those that learn (Micikevicius et al. 2017, https://arxiv.org/abs/1710.03740, section 3.1).
  In 4 bits the matrices of the layers take
  4 + 0.127 bits (NF4 with double quantization, Dettmers et al. 2023, https://arxiv.org/abs/2305.14314, section 3), and
  the rest 2 bytes.
- *Adapter*: r · (in + out) numbers for each matrix (Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1), in
  PEFT in fp32 even beside weights in 16 bits.
- *Gradients and optimizer*: AdamW holds two numbers for each that learns beside its gradient (Rajbhandari et al. 2019,
  https://arxiv.org/abs/1910.02054, section 3.1), all in fp32.
- *Activations*: what a layer keeps for the way back, counted as in Korthikanti et al. 2022
  (https://arxiv.org/abs/2205.05198, section 4.1) for a gated feed-forward layer; of the attention its inputs and its
  output alone, as the kernels of Dao et al. 2022 (https://arxiv.org/abs/2205.14135) keep no scores. With checkpointing
  a layer keeps its input, and one layer at a time is whole (Chen et al. 2016, https://arxiv.org/abs/1604.06174).
- *Words to choose from*: three numbers in fp32 for each token and each word of the vocabulary when the way back begins:
  the logarithm of its probability, the gradient of that, and that of its score (torch.nn.functional.cross_entropy).
- *Libraries*: what the CUDA context, or PyTorch itself on a CPU, takes; measured, roughly.
- *Freed, not given back*: on a CPU the C library keeps blocks of up to 32 MB that were freed (mallopt(3),
  M_MMAP_THRESHOLD): 18 to 41 % of the rest, measured with `bench/train_memory.py`.

It is an estimate: what CUDA's allocator leaves unused is not in it, so a training that fits by less than a tenth may
not.
"""

from dataclasses import dataclass

from vqa_tui.domain.model_shape import ModelShape

TEXT_TOKENS = 512
"""Assumed of a row, beside its picture."""
_FOUR_BITS = (4 + 0.127) / 8
_LIBRARIES_GPU, _LIBRARIES_CPU = 700_000_000, 500_000_000
_NOT_GIVEN_BACK = 0.3
"""On a CPU, of what is neither gradient nor optimizer: these stay where they are."""
_FP32 = 4


@dataclass(frozen=True, slots=True)
class MemoryWish:
    """What of a training's configuration memory depends on."""

    number_bytes: int
    """Of a weight: 2 or 4."""
    four_bit: bool
    rank: int | None
    """Of the adapters; None where all weights learn."""
    vision_learns: bool
    batch: int
    max_pixels: int | None
    max_tokens: int | None
    checkpointing: bool
    shards: int = 1
    """Devices that weights, gradients and optimizer are divided among (FSDP)."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes on each device."""

    parameters: int
    trainable: int
    row_tokens: int
    """Assumed of the longest row: one picture at its largest, and TEXT_TOKENS."""
    parts: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes of all parts."""
        return sum(self.parts.values())


def estimate_memory(shape: ModelShape, wish: MemoryWish, *, gpu: bool) -> MemoryEstimate:
    """Return what a training of a model takes on each device."""
    vision_layers = shape.vision.layer_weights if shape.vision else 0
    if wish.rank is None:
        trainable = shape.layer_weights + shape.word_weights
        trainable += vision_layers + shape.bridge_weights if wish.vision_learns else 0
    else:
        trainable = adapter_weights(shape, wish.rank, vision=wish.vision_learns)
    tokens = shape.picture_tokens(wish.max_pixels) + TEXT_TOKENS
    tokens = min(tokens, wish.max_tokens) if wish.max_tokens else tokens
    layers = shape.layer_weights + vision_layers
    weights = shape.weights * wish.number_bytes
    if wish.four_bit:
        weights = int(layers * _FOUR_BITS) + (shape.weights - layers) * 2
    elif wish.rank is None:
        # Beside them autocast keeps what learns in 16 bits as well, until the way back is done.
        weights = shape.weights * _FP32 + (trainable * wish.number_bytes if wish.number_bytes < _FP32 else 0)
    parts = {
        "weights": weights // wish.shards,
        "adapter": trainable * _FP32 // wish.shards if wish.rank is not None else 0,
        "activations": _activations(shape, wish, tokens),
        "words to choose from": wish.batch * tokens * shape.vocabulary * 3 * _FP32,
    }
    if not gpu:
        parts["freed, not given back"] = int(sum(parts.values()) * _NOT_GIVEN_BACK)
    parts |= {
        "gradients": trainable * _FP32 // wish.shards,
        "optimizer": 2 * trainable * _FP32 // wish.shards,
        "libraries": _LIBRARIES_GPU if gpu else _LIBRARIES_CPU,
    }
    return MemoryEstimate(
        parameters=shape.weights + (trainable if wish.rank is not None else 0),
        trainable=trainable,
        row_tokens=tokens,
        parts=parts,
    )


def adapter_weights(shape: ModelShape, rank: int, *, vision: bool) -> int:
    """Return how many numbers the adapters have: on all matrices of the language model's layers, and with `vision` on
    those of the vision transformer."""
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    ends = 2 * (shape.hidden + queries) + 2 * (shape.hidden + keys) + 3 * (shape.hidden + shape.intermediate)
    total = shape.layers * rank * ends
    if vision and shape.vision is not None:
        seen = shape.vision
        ends = 6 * seen.hidden + (3 if seen.gated else 2) * (seen.hidden + seen.intermediate)
        total += seen.layers * rank * ends
    return total


def _activations(shape: ModelShape, wish: MemoryWish, tokens: int) -> int:
    """Bytes that are kept for the way back, or that the widest layer takes on the way forth."""
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    whole = 4 * shape.hidden + 2 * queries + 2 * keys + 4 * shape.intermediate
    numbers = wish.batch * tokens * _kept(shape.layers, shape.hidden, whole, checkpointing=wish.checkpointing)
    if shape.vision is not None:
        seen = shape.vision
        patches = wish.batch * shape.picture_tokens(wish.max_pixels) * seen.merge**2
        whole = 11 * seen.hidden + (4 if seen.gated else 2) * seen.intermediate
        if wish.vision_learns:
            numbers += patches * _kept(seen.layers, seen.hidden, whole, checkpointing=wish.checkpointing)
        else:
            # It is done before the language model begins, and keeps nothing.
            numbers = max(numbers, patches * whole)
    return numbers * wish.number_bytes


def _kept(layers: int, hidden: int, whole: int, *, checkpointing: bool) -> int:
    return layers * hidden + whole if checkpointing else layers * whole
