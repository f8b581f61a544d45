"""What a file is refused for beyond its model: what breaks later, or does not do what it says.

The models do not ask this themselves: what was stored with a run or a training before is read with them, and stays
readable.
"""

from vqa_tui.config.training import TrainingConfig
from vqa_tui.config.yaml_document import YamlDocument


def check_training(config: TrainingConfig, document: YamlDocument) -> None:
    """Raise VqaError, with file and line, for a configuration that no training can be made of."""
    if config.name.isdecimal():
        raise document.error(
            ("name",),
            "name: is digits alone, and a training of that name would be taken for the one with that number",
            hint=f"Write a letter into it, such as `name: train_{config.name}`.",
        )
