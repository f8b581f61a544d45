"""Why idle: one sentence that names what the slots wait for."""

import time

from vqa_tui.engine.board import Board
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.line import LineLoad

_SOON_S = 1.0
"""A wait shorter than this needs no time of day."""


def why_idle(
    board: Board,
    keyring: Keyring,
    *,
    slots: int,
    next_due: float | None,
    trouble: str,
    line: LineLoad | None = None,
) -> str:
    """Return what keeps slots from asking, most binding first; '' while all of them ask and nothing slows them.

    After `slots` was lowered more workers wait than there are slots: they are not counted.
    `trouble` is a sentence about the store or an endpoint that is gone, '' while both are well.
    """
    if trouble:
        return trouble
    idle = max(slots - board.asking, 0)
    preparing = min(board.preparing, idle)
    for_key, for_budget = min(board.waiting_for_key, idle), min(board.waiting_for_budget, idle)
    if for_key and for_key >= preparing:
        return _waiting_for_key(for_key, board, keyring, slots)
    if for_budget and for_budget >= preparing:
        return f"{for_budget} of {slots} slots wait for money that is set aside for requests in flight"
    if line is not None and line.is_the_limit and board.asking + preparing >= slots:
        return line.sentence
    if not idle:
        return ""
    if preparing and preparing + for_key + for_budget >= idle:
        busy = 0 < board.preparers <= preparing
        return f"{preparing} of {slots} slots prepare pictures" + (
            ": this computer's processors are the limit" if busy else ""
        )
    if next_due is None:
        return f"{idle} of {slots} slots idle: nothing is left to start"
    if next_due > time.time():
        return f"{idle} of {slots} slots idle: the next retry is due at {_clock(next_due)}"
    return f"{idle} of {slots} slots are about to ask"


def what_requests_wait_for(board: Board, keyring: Keyring) -> str:
    """Name the key that requests wait for, with the reason and until when, or the money; '' where they wait for
    neither."""
    if board.waiting_for_key:
        free = keyring.next_free()
        if free is None:
            return keyring.why_out()
        key, wait, reason = free
        soon = wait < _SOON_S or wait == float("inf")
        return f"key {key.name}, {reason}" + ("" if soon else f", until {_clock(time.time() + wait)}") if reason else ""
    return "money that is set aside for requests in flight" if board.waiting_for_budget else ""


def _waiting_for_key(waiting: int, board: Board, keyring: Keyring, slots: int) -> str:
    head = f"{waiting} of {slots} slots idle"
    if reason := what_requests_wait_for(board, keyring):
        return f"{head}: {reason}"
    return f"{waiting} of {slots} slots are about to ask"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
