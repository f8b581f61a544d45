"""A rendered prompt with the facts about it."""

from textual.content import Content

from vqa_tui.operations.preview import PromptPreview
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import QUIET, WARN
from vqa_tui.tui.present.rows import text

_LONGEST = 20_000
"""Characters of a prompt that are shown."""


def preview_head(preview: PromptPreview) -> Content:
    """Return which picture it is."""
    return text(preview.name, "bold")


def preview_facts(preview: PromptPreview) -> Content:
    """Return the size of the picture, or how many there are and that of the first, and what the prompt takes."""
    several = f"{preview.pictures} pictures, the first " if preview.pictures > 1 else ""
    return Content(f"{several}{preview.width}×{preview.height} · text ≈ {count(preview.prompt_tokens)} tokens")


def user_title(preview: PromptPreview) -> str:
    """Return what stands over the message of the user."""
    if not preview.with_picture:
        return "User · no picture is sent"
    return f"User · stands {'before' if preview.text_first else 'after'} the picture"


def prompt_text(prompt: str) -> Content:
    """Return one message of a prompt as it would be sent, made safe for a terminal."""
    return Content(clean(prompt, limit=_LONGEST)) if prompt.strip() else Content.styled("empty", QUIET)


def preview_problem(words: str) -> Content:
    """Return why there is no prompt."""
    return Content.styled(f"▲ {clean(words, limit=1_000)}", WARN)
