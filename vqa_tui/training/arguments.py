"""A configuration in the words of transformers' Trainer."""

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from vqa_tui.config.training import TrainingConfig
from vqa_tui.training.loading import Device

_KNOWN = frozenset(field.name for field in dataclasses.fields(TrainingArguments))


def trainer_arguments(folder: Path, config: TrainingConfig, device: Device, *, looks: bool) -> TrainingArguments:
    """Return what the Trainer needs to write its checkpoints into `folder`; `looks` says whether rows are held out."""
    workers = _data_workers(device)
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        max_steps=config.max_steps or -1,
        per_device_train_batch_size=config.device_batch,
        per_device_eval_batch_size=config.device_batch,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.rate,
        lr_scheduler_type=config.scheduler,
        warmup_steps=config.warmup_share,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        seed=config.seed,
        data_seed=config.seed,
        bf16=device.precision == "bf16",
        fp16=device.precision == "fp16",
        use_cpu=device.kind == "cpu",
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_every,
        save_on_each_node=True,
        eval_strategy="steps" if looks else "no",
        eval_steps=config.look_every if looks else None,
        metric_for_best_model="eval_loss" if looks else None,
        greater_is_better=False if looks else None,
        prediction_loss_only=True,
        label_names=["labels"],
        remove_unused_columns=False,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0,
        # Python 3.14 would start them by a server that is their parent, and that loads all libraries anew for each.
        dataloader_multiprocessing_context="fork" if workers else None,
        dataloader_pin_memory=device.kind == "cuda",
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
        log_level="warning",
        **_checkpointing(config),
        **_sharding(config),
    )


def _data_workers(device: Device) -> int:
    """How many processes open pictures while the model learns; only Linux starts one without loading all libraries."""
    if sys.platform != "linux":
        return 0
    if device.kind == "cuda":
        return 2
    return 1 if (os.cpu_count() or 1) > 1 else 0


def _checkpointing(config: TrainingConfig) -> dict[str, Any]:
    """Whether activations are computed again instead of kept; transformers 5.18 to 5.23 came to call it otherwise."""
    word = "activation_checkpointing" if "activation_checkpointing" in _KNOWN else "gradient_checkpointing"
    # FSDP does it itself, without gathering the weights once more.
    wanted = config.gradient_checkpointing and not config.launch.fsdp
    return {word: wanted, f"{word}_kwargs": {"use_reentrant": False}}


def _sharding(config: TrainingConfig) -> dict[str, Any]:
    if config.launch.fsdp:
        return {"fsdp": True, "fsdp_config": {"activation_checkpointing": config.gradient_checkpointing}}
    return {"deepspeed": config.launch.deepspeed} if config.launch.deepspeed else {}
