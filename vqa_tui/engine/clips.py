"""How a recipe and an endpoint together send clips of videos, and what keeps them from it."""

from pathlib import Path

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.clip import Clip, frame_times
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.body import Media
from vqa_tui.endpoints.clips import prepare_frames, prepare_video, video_at
from vqa_tui.endpoints.pictures import KeptPictures
from vqa_tui.video.leave import Leave
from vqa_tui.video.reader import video_reader


def require_clips(recipe: Recipe, endpoint: Endpoint) -> None:
    """Make sure that clips can be sent at all.

    Raises VqaError where the endpoint does not take what the recipe sends, or nothing is installed that reads videos.
    """
    send = recipe.video.send
    if recipe.modality == "text":
        return
    if send != "frames" and send not in endpoint.video.takes:
        what = "a video in the request" if send == "data" else "the address of a video"
        raise VqaError(
            f"the recipe {recipe.name} sends {what}, which the endpoint {endpoint.name} does not take",
            hint=f"Write `video: {{send: frames}}` in a copy of the recipe, or, where the server does take it, "
            f"`video: {{takes: [{send}]}}` in a copy of the endpoint.",
        )
    if send != "uri":
        video_reader()


def fewer_frames(recipe: Recipe, endpoint: Endpoint) -> str:
    """Return the sentence that says so where the endpoint takes fewer frames than the recipe would send; else ''."""
    wanted = recipe.video.max_frames
    taken = endpoint.picture.frames(wanted)
    if recipe.video.send != "frames" or recipe.modality == "text" or taken == wanted:
        return ""
    return (
        f"The endpoint {endpoint.name} takes {taken} pictures in a request, so a clip is sent as at most {taken} "
        f"frames, not {wanted}, spread over all of it."
    )


def clip_as_sent(
    recipe: Recipe,
    endpoint: Endpoint,
    path: Path,
    facts: PictureFacts,
    clip: Clip,
    max_side: int | None,
    cache: KeptPictures | None,
    leave: Leave,
) -> Media:
    """Return what is sent of a clip of the video at `path`. Blocks: call it in a thread.

    Raises BadPicture, and CalledOff where `leave` is.
    """
    rules, limits, video = recipe.video, endpoint.picture, endpoint.video
    if rules.send == "uri":
        return video_at(clip, part=video.part)
    if rules.send == "data":
        return prepare_video(
            path,
            facts,
            clip,
            part=video.part,
            max_side=max_side,
            max_bytes=video.max_bytes,
            sound=rules.sound,
            leave=leave,
        )
    return prepare_frames(
        path,
        facts,
        frame_times(clip, rules.fps, limits.frames(rules.max_frames)),
        max_side=max_side,
        jpeg_quality=recipe.picture.jpeg_quality,
        max_bytes=limits.max_bytes,
        formats=limits.formats,
        cache=cache,
        leave=leave,
    )
