"""Hashing videos: each is read once, whoever waits loses no time by it, and no file waits for another one."""

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from vqa_tui.video import fingerprint
from vqa_tui.video.fingerprint import sha256_of
from vqa_tui.video.leave import CalledOff, Leave, TimeIsUp


class Clock:
    """Stands in for the time that a leave looks at."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Held:
    """Reads files, but holds up the first reading of `path`, and then lets it end as `ending` says."""

    def __init__(self, path: Path) -> None:
        self.path, self.readings = path, 0
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.ending: Exception | None = None

    def __call__(self, path: Path, leave: Leave) -> str:
        if path == self.path:
            self.readings += 1
            if self.readings == 1:
                self.begun.set()
                assert self.let_go.wait(10)
                if self.ending is not None:
                    raise self.ending
        leave.require()
        return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("vqa_tui.video.leave.time", clock)
    return clock


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held(tmp_path / "a.mp4")
    held.path.write_bytes(b"a")
    monkeypatch.setattr(fingerprint, "_hashed", held)
    return held


@pytest.fixture
def threads(held: Held) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads
        held.let_go.set()


def reading(threads: ThreadPoolExecutor, path: Path, leave: Leave) -> "Future[str]":
    return threads.submit(sha256_of, path, os.stat(path), leave)


class Line:
    """A leave of ten seconds whose holder is seen to stand in line, and may be called out of it."""

    def __init__(self) -> None:
        self.seen, self.over = threading.Event(), False
        self.leave = Leave(10, called_off=self._looked)

    def _looked(self) -> bool:
        self.seen.set()
        return self.over


def test_the_time_of_another_reader_does_not_count(held: Held, clock: Clock, threads: ThreadPoolExecutor) -> None:
    first, line = reading(threads, held.path, Leave(1_000)), Line()
    assert held.begun.wait(10)
    second = reading(threads, held.path, line.leave)
    assert line.seen.wait(10)
    clock.now += 100
    held.let_go.set()
    assert first.result(10) == second.result(10) == hashlib.sha256(b"a").hexdigest()
    assert held.readings == 1
    line.leave.require()
    clock.now += 10
    with pytest.raises(TimeIsUp):
        line.leave.require()


def test_whoever_waits_reads_the_file_where_the_other_reader_failed(held: Held, threads: ThreadPoolExecutor) -> None:
    held.ending = TimeIsUp("could not be read within 1 s")
    first, line = reading(threads, held.path, Leave()), Line()
    assert held.begun.wait(10)
    second = reading(threads, held.path, line.leave)
    assert line.seen.wait(10)
    held.let_go.set()
    assert second.result(10) == hashlib.sha256(b"a").hexdigest() and held.readings == 2
    assert isinstance(first.exception(10), TimeIsUp)


def test_whoever_waits_can_be_called_off(held: Held, threads: ThreadPoolExecutor) -> None:
    reading(threads, held.path, Leave())
    line = Line()
    assert held.begun.wait(10)
    line.over = True
    assert isinstance(reading(threads, held.path, line.leave).exception(10), CalledOff)


def test_no_file_waits_for_another_one(held: Held, threads: ThreadPoolExecutor, tmp_path: Path) -> None:
    other = tmp_path / "b.mp4"
    other.write_bytes(b"b")
    first = reading(threads, held.path, Leave())
    assert held.begun.wait(10)
    assert reading(threads, other, Leave()).result(10) == hashlib.sha256(b"b").hexdigest()
    assert not first.done()
