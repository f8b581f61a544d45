"""What training needs beside the product itself, asked for before anything is made."""

from importlib.util import find_spec

from vqa_tui.domain.failure import NotInstalled

_TRAINING = ("torch", "transformers", "peft", "accelerate")
_JUDGING = ("rouge_score", "sacrebleu")


def missing_training_packages(*, judging: bool = False) -> list[str]:
    """Return the names of packages that training, and with `judging` an evaluation, needs and that are not there."""
    return [name for name in _TRAINING + (_JUDGING if judging else ()) if find_spec(name) is None]


def require_training_packages(*, judging: bool = False) -> None:
    """Raise NotInstalled where packages are missing that training, and with `judging` an evaluation, needs."""
    if missing := missing_training_packages(judging=judging):
        raise NotInstalled(
            f"{'this' if judging else 'training'} needs packages that are not installed: {', '.join(missing)}",
            hint="`pip install 'vqa-tui[train]'` brings them.",
        )
