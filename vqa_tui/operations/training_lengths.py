"""Measuring a training file in the trainer's arithmetic, before a GPU is rented for it."""

from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.qwen_grid import FAMILIES
from vqa_tui.domain.text_tokens import TEXT_RULE, estimated_tokens
from vqa_tui.exporters.training_lengths import CountText, LengthReport, LengthRules, measure_lengths
from vqa_tui.exporters.validation import files_with_records

__all__ = ["TEXT_RULE", "LengthReport", "measure_file"]


def measure_file(
    path: Path,
    *,
    family: str = "qwen2.5-vl",
    cutoff: int | None = None,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    tokenizer: Path | None = None,
) -> LengthReport:
    """Return how many tokens the rows of a training file, or of an export, have, and what `cutoff` does to them.

    Pictures are exact by the grid of `family` (qwen2-vl, qwen2.5-vl or qwen3-vl) and the bounds in pixels, which
    default to those of qwen-vl-utils. Text is counted by `tokenizer`, a `tokenizer.json`, else by TEXT_RULE.
    Blocks while the header of every picture is read. Raises VqaError when something of it cannot be used.
    """
    known = FAMILIES.get(family)
    if known is None:
        raise VqaError(f"unknown model family {family!r}", hint=f"Known are {', '.join(FAMILIES)}.")
    least = known.min_pixels if min_pixels is None else min_pixels
    most = known.max_pixels if max_pixels is None else max_pixels
    if least < 1 or most < max(least, known.factor**2):
        raise VqaError(
            f"pictures cannot have {least:,} to {most:,} pixels",
            hint=f"At least one token ({known.factor**2} pixels) must fit, and the first number be the smaller.",
        )
    if cutoff is not None and cutoff < 1:
        raise VqaError(f"a cutoff of {cutoff} tokens leaves nothing", hint="Give 1 or more, such as 2048.")
    count_text = estimated_tokens if tokenizer is None else _counted_by(tokenizer)
    path = path.expanduser().absolute()
    try:
        form, files = files_with_records(path)
        return measure_lengths(files, LengthRules(known, least, most, cutoff, count_text), expected=form)
    except OSError as error:
        raise VqaError(f"cannot read {error.filename or path}: {error.strerror or error}") from error


def _counted_by(file: Path) -> CountText:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise VqaError(
            "counting with a tokenizer needs the extra `tokenizers`",
            hint="Install it with: pip install 'vqa-tui[tokenizers]', or leave out the tokenizer for an estimate.",
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(file.expanduser()))
    except Exception as error:  # The library raises bare Exception for whatever is wrong with the file.
        raise VqaError(
            f"{file} is no tokenizer that can be read: {' '.join(str(error).split())[:200]}",
            hint="Name the tokenizer.json that lies beside the model's weights.",
        ) from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
