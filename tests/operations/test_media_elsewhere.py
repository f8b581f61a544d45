"""Items of several pictures and clips, asked again and elsewhere: counted as in a run, and what is refused is said."""

from typing import Any

import pytest
import yaml

from tests.operations.priced import endpoint, task_ids
from tests.operations.test_several_pictures import pictured
from tests.tui.workshop import DONE, Workshop
from tests.videos import draw_video
from vqa_tui.domain.changes import UNCHANGED
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.asking_again import plan_again
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.follow_ups import Elsewhere, follow_up, plan_elsewhere
from vqa_tui.operations.planning import RunRequest, plan_run
from vqa_tui.store import runs


async def filmed(workshop: Workshop) -> None:
    """Import two videos, of 4 and 8 seconds, as a clip each."""
    for name, seconds in (("a", 4), ("b", 8)):
        draw_video(workshop.folder / "films" / f"{name}.mp4", seconds=seconds, fps=5, size=(64, 48))
    await import_dataset(workshop.workspace, "video", workshop.folder / "films", name="films")


def caption(workshop: Workshop, **video: Any) -> str:
    fields = {
        "name": "film",
        "prompt": {"user": "What happens? Plain text."},
        "reply": {"kind": "text", "question": "What happens?"},
        "video": video,
    }
    path = workshop.folder / "film.yaml"
    path.write_text(yaml.safe_dump(fields))
    return str(path)


async def test_clips_asked_again_take_as_much_as_in_their_run(workshop: Workshop) -> None:
    await filmed(workshop)
    recipe, own = caption(workshop, send="frames"), endpoint(workshop, "own")
    plan = await plan_run(workshop.workspace, RunRequest("films", recipe, own))
    run_id = await workshop.run([DONE] * 2, dataset="films", recipe=recipe, endpoint=own)
    ids = await task_ids(workshop, run_id)
    again = await plan_again(workshop.workspace, run_id, ids, UNCHANGED)
    elsewhere = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), uncapped=True))
    for other in (again, elsewhere):
        assert other.picture_tokens_per_item == plan.picture_tokens_per_item > 0
        assert [row.sent_bytes for row in other.sizes] == [row.sent_bytes for row in plan.sizes]
        assert not any("frames, not" in words for words in other.warnings)


async def test_an_endpoint_that_takes_fewer_frames_says_so(workshop: Workshop) -> None:
    await filmed(workshop)
    recipe = caption(workshop, send="frames", max_frames=8)
    run_id = await workshop.run([DONE] * 2, dataset="films", recipe=recipe)
    few = endpoint(workshop, "few", picture={"per_request": 2})
    plan = await plan_elsewhere(
        workshop.workspace, run_id, await task_ids(workshop, run_id), Elsewhere(few, uncapped=True)
    )
    assert any("few takes 2 pictures in a request, so a clip is sent as at most 2 frames" in w for w in plan.warnings)


async def test_an_endpoint_that_takes_no_clips_is_refused_before_anything_is_stored(workshop: Workshop) -> None:
    await filmed(workshop)
    able = endpoint(workshop, "able", video={"takes": ["data"]})
    run_id = await workshop.run([DONE] * 2, dataset="films", recipe=caption(workshop, send="data"), endpoint=able)
    ids = await task_ids(workshop, run_id)
    assert (await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(able, "m-3", uncapped=True))).requests == 2
    for refused in (plan_elsewhere, follow_up):
        with pytest.raises(VqaError, match="sends a video in the request, which the endpoint other does not take"):
            await refused(workshop.workspace, run_id, ids, Elsewhere(endpoint(workshop), uncapped=True))
    assert len(await runs.run_names(workshop.workspace.db)) == 1


async def test_an_endpoint_that_takes_fewer_pictures_says_so(workshop: Workshop) -> None:
    await pictured(workshop, [(1, 2, 3), (1,), (2, 4)])
    run_id = await workshop.run([DONE] * 3, dataset="sets")
    ids = await task_ids(workshop, run_id)
    for taken, told in ((2, True), (3, False)):
        few = endpoint(workshop, "few", picture={"per_request": taken})
        plan = await plan_elsewhere(workshop.workspace, run_id, ids, Elsewhere(few, uncapped=True))
        assert any("Items have up to 3 pictures, and the endpoint few takes 2" in w for w in plan.warnings) is told
