"""Why idle: one sentence that names what the slots wait for."""

import time

from vqa_tui.engine.board import Board
from vqa_tui.engine.keyring import Keyring


def why_idle(board: Board, keyring: Keyring, *, slots: int, next_due: float | None, trouble: str) -> str:
    """Return what keeps slots from asking, most binding first; '' while all of them ask."""
    if trouble:
        return trouble
    if board.waiting_for_key:
        return _waiting_for_key(board, keyring, slots)
    if board.waiting_for_budget:
        return f"{board.waiting_for_budget} of {slots} slots wait for money that is set aside for requests in flight"
    idle = slots - board.asking
    if idle <= 0:
        return ""
    if board.preparing and board.preparing >= idle:
        return f"{board.preparing} of {slots} slots prepare pictures"
    if next_due is None:
        return f"{idle} of {slots} slots idle: nothing is left to start"
    if next_due > time.time():
        return f"{idle} of {slots} slots idle: the next retry is due at {_clock(next_due)}"
    return f"{idle} of {slots} slots are about to ask"


def _waiting_for_key(board: Board, keyring: Keyring, slots: int) -> str:
    head = f"{board.waiting_for_key} of {slots} slots idle"
    free = keyring.next_free()
    if free is None:
        return f"{head}: {keyring.why_out()}"
    key, wait, reason = free
    if wait == float("inf"):
        return f"{head}: key {key.name}, {reason}"
    return f"{head}: key {key.name}, {reason}, until {_clock(time.time() + wait)}"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
