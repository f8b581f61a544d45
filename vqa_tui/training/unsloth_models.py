"""Models by Unsloth: the same training in less memory, on NVIDIA GPUs alone."""

from typing import Any

from vqa_tui.config.training import TINY_MODEL, Lora, TrainingConfig
from vqa_tui.training.loading import Device, require_whole_weights
from vqa_tui.training.trouble import TrainingTrouble


def load_unsloth(config: TrainingConfig, device: Device) -> tuple[Any, Any]:
    """Return a model with adapters and its processor. Raises TrainingTrouble where Unsloth cannot work."""
    if device.kind != "cuda" or config.model == TINY_MODEL:
        raise TrainingTrouble(
            f"the back end unsloth needs an NVIDIA GPU and a model of its own, and this is {config.model} on "
            f"{device.words}",
            "Write `backend: peft`.",
        )
    from unsloth import FastModel, FastVisionModel

    require_whole_weights(config)
    vision = config.modality == "vision"
    kind = FastVisionModel if vision else FastModel
    lora = config.lora or Lora()
    model, processor = kind.from_pretrained(
        config.model,
        max_seq_length=config.max_tokens or 8192,
        dtype=device.dtype,
        load_in_4bit=config.four_bit,
        use_gradient_checkpointing="unsloth" if config.gradient_checkpointing else False,
    )
    parts = {"finetune_vision_layers": lora.vision, "finetune_language_layers": True} if vision else {}
    model = kind.get_peft_model(
        model,
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        bias="none",
        random_state=config.seed,
        **parts,
        **({"finetune_attention_modules": True, "finetune_mlp_modules": True} if vision else {}),
    )
    kind.for_training(model)
    return model, processor
