"""Before pictures and clips are asked about: which of them the endpoint takes in part, or not at all."""

from collections.abc import Iterable

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
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


def require_addresses(recipe: Recipe, sample: Iterable[Item]) -> None:
    """Raise VqaError where the recipe sends addresses of clips, and a sample is of clips that lie at none."""
    if recipe.modality == "text" or recipe.video.send != "uri":
        return
    clips = [item.truth.clip for item in sample]
    if clips and not any(clip is None or clip.uri for clip in clips):
        raise VqaError(
            f"the recipe {recipe.name} sends the addresses of clips, and none of {len(clips)} clips looked at has one",
            hint="Import the dataset again with --clips-to s3://… or gs://…, or write `video: {send: frames}` in a "
            "copy of the recipe.",
        )
