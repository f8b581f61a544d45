"""Model and processor by name: from the Hub, a folder, or tiny and built on the spot; and what the device has."""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

from vqa_tui.config.training import TINY_MODEL, TrainingConfig
from vqa_tui.training.trouble import TrainingTrouble

_SAVED_AS = {
    "qwen2_vl": "Qwen2VLProcessor",
    "qwen2_5_vl": "Qwen2_5_VLProcessor",
    "qwen3_vl": "Qwen3VLProcessor",
    "qwen3_vl_moe": "Qwen3VLProcessor",
}
"""The library's processor by the model's type, for those of which this program has one of its own."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where a training computes, and in what numbers."""

    kind: str
    """`cuda`, `mps` or `cpu`."""
    words: str
    precision: str
    """`bf16`, `fp16` or `fp32`."""

    @property
    def dtype(self) -> torch.dtype:
        return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[self.precision]


def device_for(config: TrainingConfig) -> Device:
    """Return the best device there is with the precision of `config`. Raises TrainingTrouble where it lacks that."""
    if torch.cuda.is_available():
        kind = "cuda"
        words = torch.cuda.get_device_name()
        if (cards := torch.cuda.device_count()) > 1:
            words = f"{cards} × {words}"
        best = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    elif torch.backends.mps.is_available():
        kind, words, best = "mps", "Apple GPU", "fp32"
    else:
        kind, words, best = "cpu", "CPU", "fp32"
    if config.four_bit and kind != "cuda":
        raise TrainingTrouble(
            f"four_bit: weights in 4 bits need an NVIDIA GPU, and this is {words}", "Write `four_bit: false`."
        )
    precision = best if config.precision == "auto" else config.precision
    if precision == "fp16" and kind == "cpu":
        raise TrainingTrouble("precision: a CPU does not train in fp16", "Write `precision: auto`.")
    if precision == "bf16" and kind == "cuda" and best == "fp16":
        raise TrainingTrouble(f"precision: {words} has no bf16", "Write `precision: auto`, which takes fp16.")
    return Device(kind, words, precision)


def learning_dtype(config: TrainingConfig, device: Device) -> torch.dtype:
    """Return the numbers that weights are kept in while they learn, or lie beside adapters that do.

    A step of a small learning rate is less than the next number in 16 bits and would be lost, so weights that learn
    themselves are whole; autocast computes with them in the precision of the training.
    """
    return torch.float32 if config.lora is None else device.dtype


def load_model(config: TrainingConfig, device: Device, *, dtype: torch.dtype | None = None) -> tuple[Any, Any]:
    """Return the model, on the CPU but for 4 bits, and its processor; `dtype` is that of the device where None.

    Raises TrainingTrouble with what to do when the model cannot be found, read, made, or merged as `config` wants it.
    """
    if config.model == TINY_MODEL:
        from vqa_tui.training.tiny_model import tiny_model

        # Several threads for matrices this small wait for each other most of the time.
        torch.set_num_threads(1)
        return tiny_model(config.seed)
    kind = AutoModelForImageTextToText if config.modality == "vision" else AutoModelForCausalLM
    extra: dict[str, Any] = {}
    if config.four_bit:
        extra = {"quantization_config": _four_bits(device), "device_map": {"": torch.cuda.current_device()}}
    try:
        require_whole_weights(config)
        model = kind.from_pretrained(config.model, dtype=dtype or device.dtype, **extra)
        return model, load_processor(config.model, vision=config.modality == "vision")
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise TrainingTrouble(
            f"the model {config.model} cannot be loaded: {_first_line(error)}",
            "`model:` takes a folder with config.json and weights, or a name on the Hugging Face Hub; a model behind a "
            "licence needs `hf auth login` first, and one that is not in the cache needs a network.",
        ) from error


def require_whole_weights(config: TrainingConfig) -> None:
    """Raise TrainingTrouble where an adapter shall be merged into weights that are stored in few bits themselves, which
    rounds away most of it; OSError or ValueError where there is no such model."""
    if not config.merge or config.lora is None:
        return
    if getattr(AutoConfig.from_pretrained(config.model), "quantization_config", None):
        raise TrainingTrouble(
            f"merge: the weights of {config.model} are stored in few bits, and no adapter can be merged into them",
            "Name the model with whole weights (`four_bit: true` makes it as small), or leave out `merge`.",
        )


def load_processor(model: str, *, vision: bool) -> Any:
    """Return what turns text, with pictures where there is `vision`, into the model's inputs.

    Raises OSError or ValueError where the folder or name `model` has none.
    """
    if not vision:
        return AutoTokenizer.from_pretrained(model)
    if find_spec("torchvision") is None and (found := picture_processor(model)) is not None:
        return found
    return AutoProcessor.from_pretrained(model)


def picture_processor(model: str) -> Any | None:
    """Return a processor for pictures alone where `model` is a Qwen-VL; None where it is another. Raises OSError."""
    architecture = _architecture(model)
    if architecture not in _SAVED_AS:
        return None
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from vqa_tui.training.qwen_processor import PictureProcessor

    tokenizer = AutoTokenizer.from_pretrained(model)
    pictures = Qwen2VLImageProcessorPil.from_pretrained(model)
    found = PictureProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
    found.saved_as = _SAVED_AS[architecture]
    return found


def save_processor(processor: Any, folder: Path) -> None:
    """Write the processor so that AutoProcessor finds the class of the library, whichever this one is."""
    processor.save_pretrained(str(folder))
    for name in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json"):
        path = folder / name
        if not path.is_file():
            continue
        value = json.loads(path.read_text("utf-8"))
        if value.get("processor_class") == "PictureProcessor":
            value["processor_class"] = processor.saved_as
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def count_parameters(model: Any) -> tuple[int, int]:
    """Return how many weights there are, and how many of them learn; packed 4-bit weights count as what they hold."""
    total = learning = 0
    for weight in model.parameters():
        number = int(weight.numel()) * (2 if type(weight).__name__ == "Params4bit" else 1)
        total += number
        learning += number if weight.requires_grad else 0
    return total, learning


def _architecture(model: str) -> str:
    return str(AutoConfig.from_pretrained(model).model_type)


def _four_bits(device: Device) -> Any:
    if find_spec("bitsandbytes") is None:
        raise TrainingTrouble(
            "four_bit: needs the package bitsandbytes, which is not installed", "`pip install bitsandbytes`."
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=device.dtype,
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
