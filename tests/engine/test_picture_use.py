"""Pictures inside the engine: what must be changed is decoded once for all tries, and nothing of it on the loop."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import ImageFile

from tests.engine.conftest import MakeWorkshop, Workshop, answers, fails
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.endpoints.pictures import PreparedPicture


@pytest.fixture
def decoded_in(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the thread of every picture that Pillow really decodes."""
    threads = list[int]()
    load = ImageFile.ImageFile.load

    def counted(image: ImageFile.ImageFile) -> object:
        if image.tile:
            threads.append(threading.get_ident())
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    return threads


@pytest.fixture
def caching(make_workshop: MakeWorkshop, tmp_path: Path) -> Workshop:
    """A workshop whose one picture is too large, with a cache."""
    workshop = make_workshop()
    workshop.bench = replace(workshop.bench, pictures=PictureCache(tmp_path / "cache" / "pictures", 10**8))
    workshop.limits[0] = Limits(max_side=16)
    return workshop


async def test_a_picture_is_decoded_once_for_a_failed_request_its_retry_and_a_repair(
    caching: Workshop, decoded_in: list[int]
) -> None:
    caching.client.script = fails(FailureKind.SERVER, 500)
    assert (await caching.outcome()).status is TaskStatus.PENDING
    assert len(decoded_in) == 1
    caching.client.script = answers("no JSON at all")
    assert (await caching.outcome(caching.task(spent=1))).status is TaskStatus.PENDING
    caching.client.script = answers()
    repair = caching.task(spent=2, kind=FailureKind.BAD_REPLY, problem="not JSON")
    assert (await caching.outcome(repair)).status is TaskStatus.DONE
    assert len(caching.client.asked) == 3 and len(decoded_in) == 1


async def test_another_size_set_while_it_runs_is_prepared_anew(caching: Workshop, decoded_in: list[int]) -> None:
    await caching.outcome()
    caching.limits[0] = Limits(max_side=18)
    await caching.outcome()
    caching.limits[0] = Limits(max_side=16)
    await caching.outcome()
    assert len(decoded_in) == 2


async def test_a_picture_that_must_be_changed_is_decoded_and_encoded_outside_of_the_loop(
    caching: Workshop, decoded_in: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in = list[int]()
    build = RequestBody.build

    def watched(
        body: RequestBody, system: str, user: str, picture: PreparedPicture, max_tokens: int | None = None
    ) -> bytes:
        built_in.append(threading.get_ident())
        return build(body, system, user, picture, max_tokens)

    monkeypatch.setattr(RequestBody, "build", watched)
    assert (await caching.outcome()).status is TaskStatus.DONE
    assert len(decoded_in) == len(built_in) == 1
    assert threading.get_ident() not in {*decoded_in, *built_in}
