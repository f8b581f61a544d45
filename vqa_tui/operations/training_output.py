"""Where a training leaves a copy of what it learned."""

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.named_path import expanded


def with_free_output(config: TrainingConfig) -> TrainingConfig:
    """Return `config` with an absolute `output`, since its processes work in another folder.

    Raises VqaError when something is there already: hours later it would be too late to say so.
    """
    if not config.output:
        return config
    output = expanded(config.output, "output")
    try:
        taken = output.is_symlink() or (output.exists() and (not output.is_dir() or any(output.iterdir())))
    except (OSError, ValueError) as error:
        raise VqaError(f"output: {config.output!r} cannot be looked at: {error}") from error
    if taken:
        raise VqaError(
            f"output: {output} is there already, and is no empty folder",
            hint="Name another folder, or move that one away.",
        )
    return config.model_copy(update={"output": str(output)})
