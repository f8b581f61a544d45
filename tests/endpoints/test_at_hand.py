"""A picture is read on the event loop only where that cannot wait, and then it is the very picture of the import."""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.at_hand import LARGEST_BYTES, LONGEST_REST, LOOKS_AFTER_S, SHORTEST_REST, SLOW_S, PicturesAtHand
from vqa_tui.endpoints.pictures import PreparedPicture, prepare_picture
from vqa_tui.sources.probe import probe

pytestmark = pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="this system cannot read without waiting")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    Image.effect_noise((300, 200), 60).save(path, quality=80)
    path.read_bytes()
    return path


def read(
    path: Path, facts: PictureFacts, reader: PicturesAtHand | None = None, **changed: Any
) -> PreparedPicture | None:
    rules: dict[str, Any] = {"max_side": None, "max_bytes": 10_000_000, "formats": FORMATS, **changed}
    return (reader or PicturesAtHand()).read(path, facts, **rules)


def read_without_waiting_works(path: Path) -> bool:
    """Some file systems do not know the flag; there the answer is always None, which other tests cover."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(descriptor, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except OSError:
        return False
    finally:
        os.close(descriptor)


def test_what_is_at_hand_is_what_preparing_in_a_thread_gives(picture: Path) -> None:
    if not read_without_waiting_works(picture):
        pytest.skip("this file system cannot read without waiting")
    facts = probe(picture)
    prepared = prepare_picture(picture, facts, max_side=None, jpeg_quality=90, max_bytes=10_000_000, formats=FORMATS)
    assert read(picture, facts) == prepared
    assert prepared.data == picture.read_bytes()


@pytest.mark.parametrize(
    "changed",
    [{"max_side": 299}, {"max_bytes": 100}, {"formats": ("PNG",)}],
    ids=["too long a side", "too many bytes", "a format that is not accepted"],
)
def test_a_picture_that_must_be_changed_goes_to_a_thread(picture: Path, changed: dict[str, Any]) -> None:
    assert read(picture, probe(picture), **changed) is None


@pytest.mark.parametrize(
    "other",
    [
        lambda facts: replace(facts, orientation=6),
        lambda facts: replace(facts, format="GIF"),
        lambda facts: replace(facts, size_bytes=facts.size_bytes + 1),
        lambda facts: replace(facts, modified_ns=facts.modified_ns - 1),
        lambda facts: replace(facts, size_bytes=LARGEST_BYTES + 1),
    ],
    ids=["turned", "may move", "another size", "another time", "too large to copy here"],
)
def test_what_may_not_be_the_imported_picture_as_it_is_goes_to_a_thread(
    picture: Path, other: Callable[[PictureFacts], PictureFacts]
) -> None:
    assert read(picture, other(probe(picture))) is None


def test_what_cannot_be_opened_or_is_no_file_goes_to_a_thread_which_says_why(picture: Path, tmp_path: Path) -> None:
    facts = probe(picture)
    assert read(tmp_path / "gone.jpg", facts) is None
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    assert read(pipe, facts) is None
    assert read(tmp_path, facts) is None


def test_a_folder_on_a_network_is_never_touched_here(picture: Path) -> None:
    facts = probe(picture)
    picture.unlink()
    os.mkfifo(picture)
    assert read(picture, facts, PicturesAtHand(trusted=False)) is None


def test_a_file_that_is_not_in_memory_goes_to_a_thread_and_leaves_no_descriptor_open(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_there(*_arguments: object) -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    facts, before = probe(picture), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    monkeypatch.setattr(os, "preadv", not_there)
    assert read(picture, facts) is None
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_of_which_a_part_is_not_in_memory_goes_to_a_thread(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[int | BaseException] = iter([100, BlockingIOError(11, "Resource temporarily unavailable")])

    def partly(*_arguments: object) -> int:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(os, "preadv", partly)
    assert read(picture, probe(picture)) is None


async def test_a_file_that_the_kernel_is_reading_is_looked_at_again(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not read_without_waiting_works(picture):
        pytest.skip("this file system cannot read without waiting")
    preadv, refusals = os.preadv, [BlockingIOError(11, "Resource temporarily unavailable")]

    def not_at_first(*arguments: Any) -> int:
        if refusals:
            raise refusals.pop()
        return preadv(*arguments)

    monkeypatch.setattr(os, "preadv", not_at_first)
    fetched = await PicturesAtHand().fetch(
        picture, probe(picture), max_side=None, max_bytes=10_000_000, formats=FORMATS
    )
    assert fetched is not None and hashlib.sha256(fetched.data).hexdigest() == probe(picture).sha256


async def test_a_file_that_does_not_come_goes_to_a_thread_and_a_wrong_one_does_at_once(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def never(*_arguments: object) -> int:
        nonlocal looks
        looks += 1
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "preadv", never)
    reader, facts = PicturesAtHand(), probe(picture)
    rules: Any = {"max_side": None, "max_bytes": 10_000_000, "formats": FORMATS}
    assert await reader.fetch(picture, facts, **rules) is None
    assert looks == len(LOOKS_AFTER_S) + 1
    assert await reader.fetch(picture, replace(facts, modified_ns=1), **rules) is None
    assert looks == len(LOOKS_AFTER_S) + 1


def test_of_a_slow_disk_few_are_tried_and_one_late_answer_costs_little(picture: Path) -> None:
    if not read_without_waiting_works(picture):
        pytest.skip("this file system cannot read without waiting")
    slow = True

    def ticks() -> Iterator[float]:
        for began in itertools.count(step=10):
            yield float(began)
            yield began + (SLOW_S * 2 if slow else 0.0)

    clock = ticks()
    reader, facts = PicturesAtHand(clock=lambda: next(clock)), probe(picture)

    def rests(count: int) -> list[int]:
        """Return how many went to a thread before each of the next `count` that were tried here."""
        gaps = []
        for _ in range(count):
            gaps.append(0)
            while read(picture, facts, reader) is None:
                gaps[-1] += 1
        return gaps

    assert rests(9) == [0, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert rests(2) == [LONGEST_REST, LONGEST_REST]
    slow = False
    assert rests(50) == [LONGEST_REST] + [0] * 49
    slow = True
    assert rests(1) == [0]
    slow = False
    assert rests(50) == [SHORTEST_REST] + [0] * 49
