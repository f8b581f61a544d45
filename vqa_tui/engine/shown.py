"""What one request shows of an item: its picture, all of its pictures, or its clip."""

from collections.abc import Sequence
from pathlib import Path

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.item import Item, PictureFile
from vqa_tui.endpoints.body import Media
from vqa_tui.endpoints.pictures import BadPicture, KeptPictures, PreparedPicture, prepare_picture
from vqa_tui.engine.clips import clip_as_sent
from vqa_tui.video.leave import Leave


def too_many_pictures(recipe: Recipe, endpoint: Endpoint, most: int) -> str:
    """Return the sentence that says so where items of `most` pictures are more than a request may hold; else ''."""
    taken = endpoint.picture.per_request
    if recipe.modality == "text" or taken is None or most <= taken:
        return ""
    return (
        f"Items have up to {most} pictures, and the endpoint {endpoint.name} takes {taken} in a request "
        "(`picture.per_request` in its file): items with more fail without being asked."
    )


def media_of(
    recipe: Recipe,
    endpoint: Endpoint,
    root: Path,
    item: Item,
    max_side: int | None,
    cache: KeptPictures | None,
    leave: Leave,
) -> Media:
    """Return what a request about `item` shows, ready to be sent. `root` is the folder of the dataset.

    Several pictures come in their order; where together they have more than the endpoint's `max_bytes`, as files or as
    they are sent, each gets an equal share of them. Blocks: call it in a thread. Raises BadPicture, also where the
    endpoint takes fewer pictures in a request, and CalledOff where `leave` is, which a clip is read with.
    """
    if item.truth.clip is not None:
        return clip_as_sent(recipe, endpoint, root / item.path, item.facts, item.truth.clip, max_side, cache, leave)
    limits, pictures = endpoint.picture, item.pictures
    if limits.per_request is not None and len(pictures) > limits.per_request:
        raise BadPicture(
            f"has {len(pictures)} pictures, and the endpoint {endpoint.name} takes {limits.per_request} in a request "
            "(`picture.per_request` in its file)"
        )

    def prepared(max_bytes: int) -> tuple[PreparedPicture, ...]:
        return _prepared(recipe, endpoint, root, pictures, max_side, max_bytes, cache)

    share = limits.max_bytes // len(pictures)
    if sum(picture.facts.size_bytes for picture in pictures) > limits.max_bytes:
        shown = prepared(share)
    else:
        shown = prepared(limits.max_bytes)
        # A picture may grow by being written in another format.
        if sum(len(picture.data) for picture in shown) > limits.max_bytes:
            shown = prepared(share)
    return shown[0] if len(shown) == 1 else shown


def _prepared(
    recipe: Recipe,
    endpoint: Endpoint,
    root: Path,
    pictures: Sequence[PictureFile],
    max_side: int | None,
    max_bytes: int,
    cache: KeptPictures | None,
) -> tuple[PreparedPicture, ...]:
    """Return the pictures ready to be sent, each of at most `max_bytes` bytes. Raises BadPicture, which names one."""
    shown: list[PreparedPicture] = []
    for number, picture in enumerate(pictures, start=1):
        try:
            shown.append(
                prepare_picture(
                    root / picture.path,
                    picture.facts,
                    max_side=max_side,
                    jpeg_quality=recipe.picture.jpeg_quality,
                    max_bytes=max_bytes,
                    formats=endpoint.picture.formats,
                    cache=cache,
                )
            )
        except BadPicture as problem:
            if len(pictures) == 1:
                raise
            reason = f"picture {number} of {len(pictures)}, `{picture.path}`: {problem.reason}"
            raise BadPicture(reason, passing=problem.passing) from problem
    return tuple(shown)
