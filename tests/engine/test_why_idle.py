"""The sentence that names what slots wait for is never missing while one of them is idle."""

import asyncio
import re
import time

import pytest
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.engine.board import Board
from vqa_tui.engine.idle import why_idle
from vqa_tui.engine.keyring import Keyring


@pytest.fixture
def ring() -> Keyring:
    keys = (KeyConfig(name="b", quota=Quota(requests_per_minute=1)),)
    used = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=keys)
    return Keyring(used, {"b": SecretStr("x")}, {}, {})


def _why(board: Board, ring: Keyring, *, next_due: float | None = 0.0, trouble: str = "") -> str:
    return why_idle(board, ring, slots=16, next_due=next_due, trouble=trouble)


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


async def test_a_cooling_key_and_no_key_are_told_apart(ring: Keyring) -> None:
    loan = await ring.borrow()
    ring.used(loan, Failure(FailureKind.RATE_LIMITED, "slow", retry_after_s=200))
    assert "the endpoint asked it to wait" in _why(Board(waiting_for_key=16), ring)
    ring.used(loan, Failure(FailureKind.AUTH, "wrong"))
    assert "no key is left: b is off: wrong" in _why(Board(waiting_for_key=16), ring)


async def test_trouble_with_the_store_comes_first_then_money_retries_and_pictures(ring: Keyring) -> None:
    assert _why(Board(asking=16), ring, trouble="the disk is full") == "the disk is full"
    assert "money" in _why(Board(asking=2, waiting_for_budget=14), ring)
    assert "prepare pictures" in _why(Board(asking=10, preparing=6), ring)
    assert "next retry is due at" in _why(Board(asking=1), ring, next_due=time.time() + 60)
    assert "nothing is left to start" in _why(Board(asking=1), ring, next_due=None)
