"""The prompts of a sample of pictures, rendered before anything is paid."""

from collections.abc import Sequence

from vqa_tui.config.templates import LacksTruth, PromptTemplate
from vqa_tui.domain.item import Item
from vqa_tui.engine.estimate import bytes_of


def prompt_sizes(template: PromptTemplate, sample: Sequence[Item]) -> list[int]:
    """Return the sizes of the prompts in bytes, of the pictures of which the dataset says what the recipe needs.

    Raises VqaError for a prompt, or a text of the reply, that cannot be rendered, and where no picture has what is
    needed.
    """
    sizes: list[int] = []
    lacking: LacksTruth | None = None
    for item in sample:
        try:
            template.reply_texts(item)
            sizes.append(bytes_of(template.render(item)))
        except LacksTruth as problem:
            lacking = problem
    if lacking is not None and not sizes:
        raise lacking
    return sizes
