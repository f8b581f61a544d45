"""What is asked for by `POST /api/v1/training/jobs`, in the words of Model Garden, as a training of ours."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.config import JsonDict

from vqa_tui.config.training import TrainingConfig
from vqa_tui.config.validation import complaints, nearest
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.training_configs import list_training_configs, training_config
from vqa_tui.paths import WorkspacePaths

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_MOST_STEPS = 100_000_000
FilePath = Annotated[str, Field(min_length=1, max_length=4096)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _no_file(value: str) -> str:
    """The name of a file would lead out of the folders of configurations, and its text into the answer."""
    if value.lower().endswith((".yaml", ".yml")):
        raise ValueError("must be the name of a configuration, without `.yaml`: `vqa-tui train configs` lists them")
    return value


def _no_zero(value: int) -> int:
    if value == 0:
        raise ValueError("must be at least 1, or -1 for as many as the epochs take")
    return value


def _no_number(value: str) -> str:
    """Digits alone would be taken for the number of another training."""
    if value.isdecimal():
        raise ValueError("must not be digits alone")
    return value


Name = Annotated[
    str,
    Field(pattern=_NAME, max_length=80, json_schema_extra={"not": {"pattern": "^[0-9]+$"}}),
    AfterValidator(_no_number),
]
# The pattern of the schema cannot say what a name does not end in.
ConfigName = Annotated[
    str,
    Field(pattern=_NAME, max_length=80, json_schema_extra={"not": {"pattern": r"\.[yY][aA]?[mM][lL]$"}}),
    AfterValidator(_no_file),
]


class Hyperparameters(_Strict):
    """How it learns. What is left out is as in `vqa-tui train`: see the guide."""

    learning_rate: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    num_epochs: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=65_536)] | None = None
    max_steps: (
        Annotated[
            int,
            Field(ge=-1, le=_MOST_STEPS, json_schema_extra={"not": {"const": 0}}),
            AfterValidator(_no_zero),
        ]
        | None
    ) = None
    """Steps in all; -1 leaves it to `num_epochs`."""
    warmup_ratio: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    max_grad_norm: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    lr_scheduler_type: Literal["cosine", "linear", "constant", "constant_with_warmup"] | None = None
    save_steps: Annotated[int, Field(ge=1, le=_MOST_STEPS)] | None = None
    eval_steps: Annotated[int, Field(ge=1, le=_MOST_STEPS)] | None = None
    logging_steps: Annotated[int, Field(ge=1, le=10_000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class LoraConfig(_Strict):
    """The adapters."""

    r: Annotated[int, Field(ge=1, le=1024)] | None = None
    lora_alpha: Annotated[int, Field(ge=1, le=4096)] | None = None
    lora_dropout: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None


_OURS = {
    "num_epochs": "epochs",
    "gradient_accumulation_steps": "gradient_accumulation",
    "warmup_ratio": "warmup_share",
    "lr_scheduler_type": "scheduler",
    "save_steps": "save_every",
    "eval_steps": "eval_every",
    "logging_steps": "log_every",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
}
"""Keys of Model Garden (those of transformers and peft) that have another name in a training's configuration."""


def _given(*keys: str) -> JsonDict:
    """Return the schema of objects that hold texts under all these keys."""
    return {"required": list(keys), "properties": {key: {"type": "string"} for key in keys}}


class JobRequest(_Strict):
    """A training to start: Model Garden's keys, or a configuration by its name with some of them on top."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                _given("config"),
                _given("name", "base_model", "dataset_path"),
                _given("name", "base_model", "run"),
            ],
            "not": _given("dataset_path", "run"),
        }
    )

    name: Name | None = None
    """What the training is called; no other of the workspace may have that name."""
    config: ConfigName | None = None
    """A configuration as `vqa-tui train configs` lists them; the other keys stand above what it says."""
    base_model: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """Name on the Hugging Face Hub, a folder, or `tiny`."""
    dataset_path: FilePath | None = None
    """A training file: `vqa-tui export` writes them, and Model Garden's own JSONL is one."""
    run: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    """In place of a dataset: learn from the pairs of this run (name or number) as they stand."""
    accepted: bool = False
    """Of a run, only pairs that a reviewer accepted."""
    output_dir: FilePath | None = None
    """Gets a copy of the adapter when the training is done; must not be there yet, or be empty."""
    is_vision: bool | None = None
    """Whether the model sees pictures. Left out, `model_type` says it, else the configuration, else it does not."""
    model_type: Literal["vision", "text"] | None = None
    hyperparameters: Hyperparameters = Hyperparameters()
    lora_config: LoraConfig = LoraConfig()
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,_.:/-]*$", max_length=200)] | None = None
    """`auto`, `cpu`, `gpu` (one that is free) or `gpu 0,1`. Trainings on the same device go one after the other."""
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    """Of those that wait for a device the highest goes first."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.config is None:
            missing = [key for key in ("name", "base_model") if getattr(self, key) is None]
            if missing:
                raise ValueError(f"{missing[0]}: this key is required where no `config` is named")
            if self.dataset_path is None and self.run is None:
                raise ValueError("dataset_path: this key is required where neither `run` nor `config` is named")
        if self.dataset_path is not None and self.run is not None:
            raise ValueError("dataset_path and run both name what to learn from; give one of them")
        if self.accepted and self.run is None:
            raise ValueError("accepted: says which pairs of a `run` are taken, and none is named")
        if self.is_vision is not None and self.model_type is not None and self.is_vision != (self.model_type != "text"):
            raise ValueError(f"model_type: {self.model_type} and is_vision: {self.is_vision} cannot both be")
        return self


@dataclass(frozen=True, slots=True)
class Job:
    """What start_training() is to be called with."""

    config: TrainingConfig
    data: Path | None
    run: str | None


def read_request(body: bytes) -> JobRequest:
    """Return the request in a body of JSON. Raises ValueError when it is no JSON, VqaError when it asks for what is
    not known, a line for each key."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    try:
        return JobRequest.model_validate(value)
    except ValidationError as error:
        raise VqaError("\n".join(complaints(JobRequest, error)), hint="/openapi.json lists the keys.") from None


def job_of(request: JobRequest, paths: WorkspacePaths, *, allow_outside: bool) -> Job:
    """Return the training that is asked for; paths are taken from the folder that holds the workspace.

    Raises VqaError for a configuration that is not known, values that do not fit together, and, unless
    `allow_outside`, paths that lead out of that folder.
    """
    place = _Place(paths.root, allow_outside)
    value: dict[str, Any] = {}
    if request.config is not None:
        value = _named(request.config, paths).model_dump(mode="json")
    if request.base_model is not None:
        value["model"] = place.model(request.base_model)
    if request.name is not None:
        value["name"] = request.name
    if (modality := _modality(request)) is not None:
        value["modality"] = modality
    if request.output_dir is not None:
        value["output"] = str(place.path("output_dir", request.output_dir, writes=True))
    value |= _renamed(request.hyperparameters)
    if value.get("max_steps") == -1:
        value["max_steps"] = None
    if adapters := _renamed(request.lora_config):
        value["lora"] = {**(value.get("lora") or {}), **adapters}
    try:
        config = TrainingConfig.model_validate(value)
    except ValidationError as error:
        raise VqaError("\n".join(complaints(TrainingConfig, error))) from None
    data = None if request.dataset_path is None else place.path("dataset_path", request.dataset_path)
    if data is None and request.run is None and config.data:
        data = place.path("data", config.data)
    return Job(config, data, request.run)


def _named(name: str, paths: WorkspacePaths) -> TrainingConfig:
    """Return the configuration of that name. Raises VqaError, which tells nothing of other files."""
    known = [each.name for each in list_training_configs(paths)]
    if name not in known:
        close = f"; did you mean {found}?" if (found := nearest(name, known)) else ""
        raise VqaError(f"config: there is no configuration named {name!r}{close}", hint=f"Known: {', '.join(known)}.")
    return training_config(paths, name)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _modality(request: JobRequest) -> str | None:
    if request.is_vision is not None:
        return "vision" if request.is_vision else "text"
    return request.model_type or (None if request.config else "text")


def _renamed(part: BaseModel) -> dict[str, Any]:
    return {_OURS.get(key, key): each for key, each in part.model_dump(exclude_none=True).items()}


class _Place:
    """The folder that paths of a request are taken from."""

    def __init__(self, workspace: Path, allow_outside: bool) -> None:
        self._workspace, self._folder, self._anywhere = workspace, workspace.parent, allow_outside

    def path(self, key: str, text: str, *, writes: bool = False) -> Path:
        """Return a path of a request, made absolute. Raises VqaError when it leads to where it may not."""
        if not text.isprintable():
            raise VqaError(f"{key}: must be a path without control characters")
        try:
            path = (self._folder / Path(text).expanduser()).resolve()
            folder, workspace = self._folder.resolve(), self._workspace.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise VqaError(f"{key}: {text!r} cannot be followed: {error}") from error
        if not self._anywhere and not path.is_relative_to(folder):
            raise VqaError(
                f"{key}: {text!r} leads out of {folder}",
                hint="Put it there, or start the server with --allow-outside.",
            )
        if writes and (path == folder or path.is_relative_to(workspace)):
            raise VqaError(f"{key}: {text!r} is where the workspace itself lies", hint="Name a folder of its own.")
        return path

    def model(self, text: str) -> str:
        """Return the name of a model as it stands, and a path like any other."""
        named = text.startswith(("/", ".", "~")) or ".." in Path(text).parts
        if named or os.path.isdir(self._folder / text):
            return str(self.path("base_model", text))
        if os.path.isdir(text):
            raise VqaError(
                f"base_model: {text!r} is a folder where the server was started, and not in {self._folder}",
                hint="Name it by its whole path.",
            )
        return text
