"""Showing the picture of a file in a widget, once the cursor rests on its row."""

import asyncio

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.present.rows import text
from vqa_tui.tui.services import Services
from vqa_tui.tui.widgets.picture import Picture

_REST_S = 0.15


async def show_file(picture: Picture, services: Services, path: str) -> None:
    """Show the picture at `path`, or in its place why it cannot be shown; to be called in an exclusive worker."""
    await asyncio.sleep(_REST_S)
    try:
        image = await services.thumbnail(path)
    except VqaError as error:
        picture.show_remark(text(error.message, "$text-warning"))
        return
    picture.show_picture(image)
    picture.call_after_refresh(picture.draw_native)
