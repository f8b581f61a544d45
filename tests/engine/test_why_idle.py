"""The sentence that names what slots wait for is never missing while one of them is idle."""

import asyncio
import re
import time
from typing import Any

import pytest
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.run import Limits
from vqa_tui.engine.board import Board
from vqa_tui.engine.idle import why_idle
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.line import LineLoad


@pytest.fixture
def ring() -> Keyring:
    keys = (KeyConfig(name="b", quota=Quota(requests_per_minute=1)),)
    used = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=keys)
    return Keyring(used, {"b": SecretStr("x")}, Limits(), {})


def _why(board: Board, ring: Keyring, *, next_due: float | None = 0.0, trouble: str = "", **more: Any) -> str:
    return why_idle(board, ring, slots=16, next_due=next_due, trouble=trouble, **more)


def _line(sending: int | None, looks: int = 40) -> LineLoad:
    """What was seen over `looks` looks, four a second, at 3 MB a look."""
    load = LineLoad()
    for look in range(looks):
        load.look(sending=sending, asking=16, at=look / 4, sent_bytes=look * 3_000_000)
    return load


async def test_only_full_slots_need_no_reason(ring: Keyring) -> None:
    assert _why(Board(asking=16), ring) == ""
    for asking in range(16):
        for next_due in (None, 0.0, time.time() + 100):
            assert _why(Board(asking=asking), ring, next_due=next_due).startswith(f"{16 - asking} of 16 slots")


async def test_a_key_at_its_quota_is_named_with_the_time(ring: Keyring) -> None:
    await ring.borrow()
    waiting = asyncio.create_task(ring.borrow())
    await asyncio.sleep(0)
    told = _why(Board(asking=4, waiting_for_key=12), ring)
    assert re.fullmatch(r"12 of 16 slots idle: key b, requests/min, until \d\d:\d\d:\d\d", told)
    waiting.cancel()


async def test_more_workers_wait_than_there_are_slots_after_they_were_lowered(ring: Keyring) -> None:
    await ring.borrow()

    def told(**board: Any) -> str:
        return why_idle(Board(**board), ring, slots=4, next_due=0.0, trouble="")

    assert told(waiting_for_key=16).startswith("4 of 4 slots idle: key b, requests/min")
    assert told(asking=1, waiting_for_key=15).startswith("3 of 4 slots idle: key b, requests/min")
    assert told(waiting_for_budget=16).startswith("4 of 4 slots wait for money")
    assert told(preparing=16) == "4 of 4 slots prepare pictures"
    assert told(asking=9, waiting_for_key=7) == ""


async def test_a_cooling_key_is_told(ring: Keyring) -> None:
    ring.used(await ring.borrow(), Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=200))
    assert "the endpoint asked it to wait" in _why(Board(waiting_for_key=16), ring)


async def test_no_key_at_all_is_told_with_the_reason(ring: Keyring) -> None:
    ring.used(await ring.borrow(), Failure(FailureKind.AUTH, "wrong"))
    assert "no key is left: b is off: wrong" in _why(Board(waiting_for_key=16), ring)


async def test_trouble_with_the_store_comes_first_then_money_retries_and_pictures(ring: Keyring) -> None:
    assert _why(Board(asking=16), ring, trouble="the disk is full") == "the disk is full"
    assert "money" in _why(Board(asking=2, waiting_for_budget=14), ring)
    assert "prepare pictures" in _why(Board(asking=10, preparing=6), ring)
    assert "next retry is due at" in _why(Board(asking=1), ring, next_due=time.time() + 60)
    assert "nothing is left to start" in _why(Board(asking=1), ring, next_due=None)


async def test_processors_are_blamed_only_when_all_of_them_are_busy(ring: Keyring) -> None:
    told = _why(Board(asking=10, preparing=6, preparers=4), ring)
    assert told == "6 of 16 slots prepare pictures: this computer's processors are the limit"
    assert _why(Board(asking=10, preparing=6, preparers=8), ring) == "6 of 16 slots prepare pictures"


async def test_what_holds_most_slots_is_named(ring: Keyring) -> None:
    assert "prepare pictures" in _why(Board(asking=5, preparing=10, waiting_for_budget=1), ring)
    assert "money" in _why(Board(asking=5, preparing=2, waiting_for_budget=9), ring)


async def test_the_line_is_named_when_requests_were_mostly_going_out(ring: Keyring) -> None:
    told = _why(Board(asking=16), ring, line=_line(12))
    assert told.startswith("the line is the limit: 12 of 16 requests are still going out, 12.0 MB/s")
    for line in (_line(7), _line(12, looks=10), _line(None)):
        assert _why(Board(asking=16), ring, line=line) == ""
    assert "the line" not in _why(Board(asking=9, waiting_for_key=7), ring, line=_line(9))


def test_a_pause_makes_the_line_begin_anew() -> None:
    load = _line(16)
    assert load.is_the_limit
    load.look(sending=0, asking=0, at=11.0, sent_bytes=0)
    assert not load.is_the_limit


async def test_a_throttle_is_named_as_what_is_waited_for() -> None:
    used = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=(KeyConfig(name="b"),))
    ring = Keyring(used, {"b": SecretStr("x")}, Limits(concurrency=16), {})
    waiting = [asyncio.create_task(ring.borrow()) for _ in range(16)]
    await asyncio.sleep(0)
    held = ring.waiting
    assert held > 0
    told = _why(Board(asking=16 - held, waiting_for_key=held), ring)
    assert told.startswith(f"{held} of 16 slots idle: key b, slow start: ")
    for each in waiting:
        each.cancel()
