"""Making a model learn: adapters beside frozen weights, or the weights themselves."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vqa_tui.config.training import Lora, TrainingConfig

_OUTSIDE = ("visual", "vision_tower", "vision_model", "multi_modal_projector", "merger", "connector", "audio")
"""Parts of a path that belong to what looks at pictures, or leads from there to the language model."""
_HEAD = "lm_head"


def prepare(model: Any, config: TrainingConfig) -> Any:
    """Return the model with what shall learn set to learn, and everything else frozen."""
    if config.lora is None:
        for name, weight in model.named_parameters():
            weight.requires_grad_(config.train_vision or not _is_outside(name))
        return model
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if config.four_bit:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=config.gradient_checkpointing)
    settings = LoraConfig(
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=target_modules(model, config.lora),
        task_type="CAUSAL_LM",
    )
    with _without_stale_warning():
        return get_peft_model(model, settings)


def with_adapter(model: Any, folder: Path) -> Any:
    """Return a model with the adapter that was saved in `folder`."""
    from peft import PeftModel

    with _without_stale_warning():
        return PeftModel.from_pretrained(model, str(folder))


@contextmanager
def _without_stale_warning() -> Iterator[None]:
    """PEFT asks for an attribute by a name that transformers 5.23 is about to give up; nobody can act on it here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        yield


def target_modules(model: Any, lora: Lora) -> list[str]:
    """Return the full names of the linear layers that get an adapter: those of the language model, and with `vision`
    those of the vision tower too; never the head that chooses words.

    Plain names like `gate_proj` would also hit the vision tower, whose layers are called the same.
    """
    import torch

    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.endswith(_HEAD) and (lora.vision or not _is_outside(name))
    ]


def _is_outside(name: str) -> bool:
    return any(part in _OUTSIDE for part in name.split("."))
