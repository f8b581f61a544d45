"""The flight journal: which requests are under way, in a small mapped file that survives kill -9.

The kernel keeps what was written to a shared mapping when the writer is killed, so after a crash the next engine
knows exactly which requests had been sent and not yet committed, at no cost per request. A loss of power may lose it;
then the leases in the database still say which tasks to ask again.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.work import Flight

CAPACITY = 4096
_MAGIC = b"vqaflt03"
_HEADER = struct.Struct("<8sd496s")
"""Magic, Unix time of the newest heartbeat, and what is wrong with the store (UTF-8, zero-padded)."""
_SLOT = struct.Struct("<QdQ39sII?")
_OLDER_MAGIC = b"vqaflt02"
_OLDER_SLOT = struct.Struct("<QdQ39s?")
"""What an engine of an older program wrote: the same without tokens. Its last journal is read after an upgrade."""
_MOST_TOKENS = 2**32 - 1
_SLOTS_AT_ONCE = 64
_COST, _COST_OFFSET = struct.Struct("<Q"), 16


class FlightJournal:
    """The engine's end of the journal: `enter` before a request, `leave` after its commit.

    A flight is known by the number that `enter` gives it, because a straggler's task has two of them.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = _HEADER.size + CAPACITY * _SLOT.size
        with open(path, "w+b") as file:
            file.write(_MAGIC + bytes(size - len(_MAGIC)))
            os.fchmod(file.fileno(), 0o600)
            file.flush()
            self._map = mmap.mmap(file.fileno(), size)
        self._free = list(range(CAPACITY - 1, -1, -1))
        self._slot_of: dict[int, int] = {}
        self._entered = 0

    def enter(self, flight: Flight) -> int:
        """Note a request before it is sent, and return its number, from 1. Raises IndexError when CAPACITY requests
        are uncommitted."""
        slot = self._free.pop()
        self._entered += 1
        self._slot_of[self._entered] = slot
        self._write(slot, flight)
        return self._entered

    def answer(self, number: int, cost_nano: int) -> None:
        """Note that the reply is here and what it may have cost; unknown numbers are ignored."""
        slot = self._slot_of.get(number)
        if slot is not None:
            _COST.pack_into(self._map, self._offset(slot) + _COST_OFFSET, cost_nano)
            self._map[self._offset(slot) + _SLOT.size - 1] = 1

    def leave(self, number: int) -> None:
        """Forget a request whose result has been committed; unknown numbers are ignored."""
        slot = self._slot_of.pop(number, None)
        if slot is not None:
            self._write(slot, Flight(0, 0.0, 0, ""))
            self._free.append(slot)

    def beat(self, at: float, trouble: str) -> None:
        """Note that the engine lives and, in words, why it cannot reach the store; this works on a full disk too."""
        _HEADER.pack_into(self._map, 0, _MAGIC, at, trouble.encode("utf-8", "replace")[:495])

    def close(self) -> None:
        self._map.close()

    def _write(self, slot: int, flight: Flight) -> None:
        name = flight.key_name.encode("utf-8")[:39]
        _SLOT.pack_into(
            self._map,
            self._offset(slot),
            flight.task_id,
            flight.started_at,
            flight.reserved_nano,
            name,
            min(flight.size.input_tokens, _MOST_TOKENS),
            min(flight.size.output_tokens, _MOST_TOKENS),
            flight.answered,
        )

    @staticmethod
    def _offset(slot: int) -> int:
        return _HEADER.size + slot * _SLOT.size


@dataclass(frozen=True, slots=True)
class JournalView:
    """What the journal says to a reader."""

    flights: tuple[Flight, ...] = ()
    """Oldest first."""
    beat_at: float | None = None
    trouble: str = ""


def read_journal(path: Path) -> JournalView:
    """Return what the journal at `path` says; nothing when there is no readable journal."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return JournalView()
    if len(content) < _HEADER.size or not content.startswith((_MAGIC, _OLDER_MAGIC)):
        return JournalView()
    _magic, beat_at, trouble = _HEADER.unpack_from(content)
    return JournalView(_flights(content), beat_at or None, trouble.rstrip(b"\0").decode("utf-8", "replace"))


def read_beat(path: Path) -> float | None:
    """Return the Unix time of the newest heartbeat in the journal at `path`; None when there is none."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except FileNotFoundError:
        return None
    if len(header) < _HEADER.size or not header.startswith((_MAGIC, _OLDER_MAGIC)):
        return None
    _magic, beat_at, _trouble = _HEADER.unpack(header)
    return beat_at or None


def read_flights(path: Path) -> list[Flight]:
    """Return the requests noted in the journal at `path`, oldest first."""
    return list(read_journal(path).flights)


def _flights(content: bytes) -> tuple[Flight, ...]:
    """Return the requests noted in a journal, oldest first."""
    is_older = not content.startswith(_MAGIC)
    slot = _OLDER_SLOT if is_older else _SLOT
    # Most slots are unused, which is all zeros: comparing whole stretches passes over them faster than reading each.
    stretch = bytes(_SLOTS_AT_ONCE * slot.size)
    end = len(content) - (len(content) - _HEADER.size) % slot.size
    names: dict[bytes, str] = {}
    sizes: dict[tuple[int, int], RequestSize] = {}
    flights = []
    for start in range(_HEADER.size, end, len(stretch)):
        part = content[start : min(start + len(stretch), end)]
        if part == stretch:
            continue
        for noted in slot.iter_unpack(part):
            task_id, started_at, reserved, name, inputs, outputs, answered = (
                (*noted[:4], 0, 0, noted[4]) if is_older else noted
            )
            if not task_id:
                continue
            key_name = names.get(name)
            if key_name is None:
                key_name = names[name] = name.rstrip(b"\0").decode("utf-8", "replace")
            size = sizes.get((inputs, outputs))
            if size is None:
                size = sizes[inputs, outputs] = RequestSize(inputs, outputs)
            flights.append(Flight(task_id, started_at, reserved, key_name, answered, size))
    flights.sort(key=attrgetter("started_at"))
    return tuple(flights)
