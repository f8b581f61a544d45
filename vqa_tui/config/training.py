"""The model of a training: which model learns from which rows, how, and on what machines."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

TINY_MODEL = "tiny"
"""Names a model with random weights that is built on the spot: nothing is downloaded, it learns in seconds on a CPU."""
_MOST_STEPS = 100_000_000
_MOST_PIXELS = 1 << 30
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"

Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(_Strict):
    """Low-rank adapters (LoRA): small matrices beside frozen weights are all that learns."""

    r: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[int, Field(ge=1, le=4096)] = 16
    dropout: Share = 0.0
    vision: bool = False
    """Whether the vision tower gets adapters too; else the language model alone does."""


class Launch(_Strict):
    """How many processes train together, and with what they share the model."""

    program: Literal["python", "torchrun", "accelerate"] = "python"
    """`python` is one process; the others start `processes` on each of `machines`. On a CPU torchrun starts them for
    accelerate too, unless `accelerate_config` names a file: accelerate itself would start one."""
    processes: Annotated[int, Field(ge=1, le=1024)] = 1
    """On each machine: as a rule one for each GPU."""
    machines: Annotated[int, Field(ge=1, le=1024)] = 1
    machine_rank: Annotated[int, Field(ge=0, le=1023)] = 0
    """Which of the machines this one is; 0 is the one at `main_address`."""
    main_address: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]*$")] = ""
    main_port: Annotated[int, Field(ge=1, le=65_535)] = 29_500
    accelerate_config: str = ""
    """Path of a file that `accelerate config` wrote (FSDP, DeepSpeed, …)."""
    deepspeed: str = ""
    """Path of a DeepSpeed configuration (JSON), handed to the trainer."""
    fsdp: bool = False
    """Shard parameters, gradients and optimizer over the processes (PyTorch FSDP)."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.program == "python" and (self.processes > 1 or self.machines > 1):
            raise ValueError("program: python starts one process; write torchrun or accelerate for more")
        if self.machines > 1 and not self.main_address:
            raise ValueError("main_address: must name the first machine where there is more than one")
        if self.machine_rank >= self.machines:
            raise ValueError("machine_rank: must be less than machines; it counts from 0")
        if self.accelerate_config and self.program != "accelerate":
            raise ValueError("accelerate_config: is read by `program: accelerate` alone")
        return self


class TrainingConfig(_Strict):
    """One training as its file says it; some defaults depend on the modality."""

    name: Annotated[str, Field(pattern=_NAME, max_length=80)]
    description: str = ""
    model: Annotated[str, Field(min_length=1, max_length=300)]
    """Name on the Hugging Face Hub, a folder, or `tiny`."""
    modality: Literal["vision", "text"] = "vision"
    backend: Literal["peft", "unsloth"] = "peft"
    data: str = ""
    """An export (any of its files, its name, or its manifest); a training may start with another, or a run."""
    validation: Share = 0.1
    """Share of the pictures that is held out where the data has no split of its own."""

    epochs: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 3.0
    max_steps: Annotated[int, Field(ge=1, le=_MOST_STEPS)] | None = None
    """Steps in all, whatever `epochs` says."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Rows at a time on each device. Default: 1 for vision, 2 for text."""
    gradient_accumulation: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Batches that make one step. Default: 8 for vision, 4 for text."""
    learning_rate: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    """Default: 2e-5 for vision, 2e-4 for text."""
    scheduler: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup_share: Share = 0.03
    """Share of the steps over which the learning rate rises from zero."""
    weight_decay: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    lora: Lora | None = Lora()
    """None trains all weights of the language model (and of the vision tower where `train_vision` is set)."""
    train_vision: bool = False
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    """`auto` is bf16 where the device has it, else fp16 on CUDA, else fp32."""
    four_bit: bool = False
    """Keep the frozen weights in 4 bits (bitsandbytes, CUDA only)."""
    gradient_checkpointing: bool = True
    min_pixels: Annotated[int, Field(ge=1, le=_MOST_PIXELS)] | None = None
    max_pixels: Annotated[int, Field(ge=1, le=_MOST_PIXELS)] | None = 1_003_520
    """Pictures are made smaller to have at most so many pixels; None leaves it to the model's own processor."""
    max_tokens: Annotated[int, Field(ge=16, le=10_000_000)] | None = 8192
    """A longer row is left out, and told; it is never cut: half an answer teaches to stop in the middle."""

    save_every: Annotated[int, Field(ge=1, le=_MOST_STEPS)] = 100
    keep: Annotated[int, Field(ge=1, le=1000)] = 3
    """Checkpoints that are kept, the newest; the one with the lowest loss on held-out rows stays too."""
    eval_every: Annotated[int, Field(ge=1, le=_MOST_STEPS)] | None = None
    """Steps between looks at the held-out rows. Default: as `save_every`."""
    eval_rows: Annotated[int, Field(ge=1, le=_MOST_STEPS)] | None = 200
    """Held-out rows at each look, the same ones spread evenly over the file; `all` (or null) takes all of them, which
    may take longer than the steps between."""
    samples: Annotated[int, Field(ge=0, le=64)] = 4
    """Held-out rows that are answered at each look, to be read beside picture and reference."""
    sample_tokens: Annotated[int, Field(ge=1, le=4096)] = 64
    log_every: Annotated[int, Field(ge=1, le=10_000)] = 1
    merge: bool = False
    """Also save the whole model with the adapter merged into its weights, to be served."""
    output: Annotated[str, Field(max_length=4096)] = ""
    """Folder that gets a copy of the adapter (and of the merged model, in `merged`) when the training is done; it must
    not be there yet, or be empty."""
    launch: Launch = Launch()

    @field_validator("eval_rows", mode="before")
    @classmethod
    def _all(cls, value: object) -> object:
        return None if value == "all" else value

    @field_validator("model", "output")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable() or value.strip() != value:
            raise ValueError("must be a name or a path, without spaces around it")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.min_pixels and self.max_pixels and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels: is more than max_pixels")
        if self.backend == "unsloth" and self.lora is None:
            raise ValueError("lora: unsloth trains adapters; write `backend: peft` to train all weights")
        if self.four_bit and self.lora is None:
            raise ValueError("four_bit: weights in 4 bits cannot learn themselves; keep `lora`")
        if self.train_vision and self.lora is not None:
            raise ValueError("train_vision: is for trainings without lora; write `vision: true` under lora")
        return self

    @property
    def holds_four_bits(self) -> bool:
        """Whether weights in 4 bits are loaded: because they are wanted so, or published so under this name."""
        return self.four_bit or self.model.lower().endswith("bnb-4bit")

    @property
    def device_batch(self) -> int:
        """Rows at a time on each device."""
        return self.batch_size or (1 if self.modality == "vision" else 2)

    @property
    def accumulation(self) -> int:
        """Batches that make one step."""
        return self.gradient_accumulation or (8 if self.modality == "vision" else 4)

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or (2e-5 if self.modality == "vision" else 2e-4)

    @property
    def look_every(self) -> int:
        """Steps between looks at the held-out rows."""
        return self.eval_every or self.save_every

    @property
    def rows_per_step(self) -> int:
        """Rows that one step learns from, over all processes."""
        return self.device_batch * self.accumulation * self.launch.processes * self.launch.machines
