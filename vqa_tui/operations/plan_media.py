"""Before pictures and clips are asked about: which of them the endpoint takes in part, or not at all."""

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.engine.clips import fewer_frames, require_clips
from vqa_tui.engine.shown import too_many_pictures
from vqa_tui.operations.plan_cost import Load


def media_warnings(recipe: Recipe, endpoint: Endpoint, load: Load) -> tuple[str, ...]:
    """Return a sentence for each thing of which the endpoint takes less than the recipe would send.

    Raises VqaError where there are clips and they cannot be sent at all.
    """
    if load.has_clips:
        require_clips(recipe, endpoint)
    fewer = fewer_frames(recipe, endpoint) if load.has_clips else ""
    many = too_many_pictures(recipe, endpoint, load.sizes.most_in_one)
    return tuple(words for words in (fewer, many) if words)
