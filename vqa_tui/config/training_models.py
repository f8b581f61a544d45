"""Models that the trainer is made for, by their names on the Hugging Face Hub."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model; any other of these families can be named too, and so can a folder."""

    name: str
    four_bit: bool = False
    """Whether its weights are published in 4 bits, for the back end `unsloth`."""

    @property
    def settings(self) -> tuple[str, ...]:
        """What a configuration says to train it, as for `--set`."""
        more = ("backend=unsloth", "four_bit=true") if self.four_bit else ()
        return (f"model={self.name}", *more)


KNOWN_MODELS = (
    *(KnownModel(f"Qwen/Qwen2.5-VL-{size}-Instruct") for size in ("3B", "7B", "72B")),
    *(KnownModel(f"Qwen/Qwen3-VL-{size}-Instruct") for size in ("2B", "4B", "8B", "32B")),
    KnownModel("google/paligemma-3b-mix-448"),
    KnownModel("google/paligemma2-3b-mix-448"),
    *(KnownModel(f"unsloth/Qwen2.5-VL-{size}-Instruct-unsloth-bnb-4bit", True) for size in ("3B", "7B", "72B")),
    *(KnownModel(f"unsloth/Qwen3-VL-{size}-Instruct-unsloth-bnb-4bit", True) for size in ("2B", "4B", "8B", "32B")),
)
