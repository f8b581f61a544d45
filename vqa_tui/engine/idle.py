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

    `trouble` is a sentence about the store or an endpoint that is gone, '' while both are well.
    """
    if trouble:
        return trouble
    idle = slots - board.asking
    preparing = board.preparing
    if board.waiting_for_key and board.waiting_for_key >= preparing:
        return _waiting_for_key(board, keyring, slots)
    if board.waiting_for_budget and board.waiting_for_budget >= preparing:
        return f"{board.waiting_for_budget} of {slots} slots wait for money that is set aside for requests in flight"
    if line is not None and line.is_the_limit and board.asking + preparing >= slots:
        return line.sentence
    if idle <= 0:
        return ""
    if preparing and preparing + board.waiting_for_key + board.waiting_for_budget >= idle:
        busy = 0 < board.preparers <= preparing
        return f"{preparing} of {slots} slots prepare pictures" + (
            ": this computer's processors are the limit" if busy else ""
        )
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
    if not reason:
        return f"{board.waiting_for_key} of {slots} slots are about to ask"
    soon = wait < _SOON_S or wait == float("inf")
    return f"{head}: key {key.name}, {reason}" + ("" if soon else f", until {_clock(time.time() + wait)}")


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
