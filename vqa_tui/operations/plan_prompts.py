"""The prompts of a sample of pictures, rendered before anything is paid."""

from collections.abc import Sequence
from dataclasses import dataclass

from vqa_tui.config.templates import LacksTruth, PromptTemplate
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import Part
from vqa_tui.engine.estimate import bytes_of


@dataclass(frozen=True, slots=True)
class PromptSizes:
    """The prompts of a sample of pictures."""

    sizes: tuple[int, ...]
    """In bytes, of each request about a picture of which the dataset says what the recipe needs."""
    pictures: int
    """That were looked at."""
    lacking: int
    """Those of them of which the dataset does not say it."""


def prompt_sizes(template: PromptTemplate, sample: Sequence[tuple[Item, Part]]) -> PromptSizes:
    """Return the sizes of the prompts of some requests.

    Raises VqaError for a prompt, or a text of the reply, that cannot be rendered, and where no picture has what is
    needed.
    """
    sizes: list[int] = []
    lacking: dict[int, LacksTruth] = {}
    for item, part in sample:
        try:
            template.reply_texts(item, part)
            sizes.append(bytes_of(template.render(item, part)))
        except LacksTruth as problem:
            lacking[item.id] = problem
    if lacking and not sizes:
        raise next(reversed(lacking.values()))
    return PromptSizes(tuple(sizes), len({item.id for item, _part in sample}), len(lacking))
