"""The models that can be named in a training, with what each takes here."""

from dataclasses import dataclass

from pydantic import BaseModel

from vqa_tui.config.training import Launch, Lora, TrainingConfig
from vqa_tui.config.training_models import KNOWN_MODELS
from vqa_tui.domain.model_shape import known_shape
from vqa_tui.operations.training_estimate import TrainingEstimate, estimate_training

_PARTS: dict[str, type[BaseModel]] = {"lora": Lora, "launch": Launch}


@dataclass(frozen=True, slots=True)
class TrainableModel:
    """A model of the list."""

    name: str
    weights: int
    settings: tuple[str, ...]
    """What `train start --set` takes to train it."""
    memory: TrainingEstimate
    """With the defaults of a configuration: adapters, one row at a time."""


def trainable_models(*, device_gib: float | None = None) -> list[TrainableModel]:
    """Return the known models with their memory on this machine, or on a GPU with `device_gib` GiB.

    Raises VqaError for a device that is none.
    """
    found = []
    for model in KNOWN_MODELS:
        shape = known_shape(model.name)
        assert shape is not None
        backend = "unsloth" if model.four_bit else "peft"
        config = TrainingConfig.model_validate(
            {"name": "x", "model": model.name, "four_bit": model.four_bit, "backend": backend}
        )
        memory = estimate_training(config, device_gib=device_gib)
        found.append(TrainableModel(model.name, shape.weights, model.settings, memory))
    return found


def known_names() -> list[str]:
    """Return the names of the known models."""
    return [model.name for model in KNOWN_MODELS]


def setting_keys() -> list[str]:
    """Return the keys of a configuration, `lora.r` and such included."""
    found = []
    for name in TrainingConfig.model_fields:
        parts = _PARTS.get(name)
        found += [f"{name}.{part}" for part in parts.model_fields] if parts else [name]
    return found
