"""The flight journal, also after its writer was killed."""

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from vqa_tui.domain.quota import RequestSize
from vqa_tui.domain.work import Flight
from vqa_tui.store.inflight import CAPACITY, FlightJournal, JournalView, read_beat, read_flights, read_journal

_WRITER = """
import sys, time
from pathlib import Path
from vqa_tui.domain.work import Flight
from vqa_tui.store.inflight import FlightJournal
journal = FlightJournal(Path(sys.argv[1]))
for task in range(1, 21):
    journal.enter(Flight(task, float(task), task * 10, "key-ä"))
for task in range(1, 11):
    journal.leave(task)
print("written", flush=True)
time.sleep(600)
"""


def test_what_entered_and_did_not_leave_is_read(tmp_path: Path) -> None:
    journal = FlightJournal(tmp_path / "inflight")
    numbers = {task: journal.enter(Flight(task, float(task), 7, "main")) for task in (3, 1, 2)}
    numbers[4] = journal.enter(Flight(4, 4.0, 7, "main", size=RequestSize(900, 2**40)))
    journal.leave(numbers[2])
    journal.leave(99)
    assert read_flights(tmp_path / "inflight") == [
        Flight(1, 1.0, 7, "main"),
        Flight(3, 3.0, 7, "main"),
        Flight(4, 4.0, 7, "main", size=RequestSize(900, 2**32 - 1)),
    ]
    journal.close()


def test_slots_are_used_again_and_a_full_journal_says_so(tmp_path: Path) -> None:
    journal = FlightJournal(tmp_path / "inflight")
    for task in range(1, CAPACITY + 1):
        journal.enter(Flight(task, 0.0, 0, "k"))
    with pytest.raises(IndexError):
        journal.enter(Flight(CAPACITY + 1, 0.0, 0, "k"))
    journal.leave(5)
    journal.enter(Flight(CAPACITY + 1, 0.0, 0, "k"))
    assert len(read_flights(tmp_path / "inflight")) == CAPACITY
    journal.close()


def test_no_journal_or_a_foreign_file_is_no_flights(tmp_path: Path) -> None:
    assert read_flights(tmp_path / "nowhere") == []
    (tmp_path / "other").write_bytes(b"something else")
    assert read_flights(tmp_path / "other") == []


def test_a_killed_writer_leaves_the_truth_behind(tmp_path: Path) -> None:
    path = tmp_path / "inflight"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None and writer.stdout.readline() == b"written\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    finally:
        writer.kill()
        if writer.stdout:
            writer.stdout.close()
    assert read_flights(path) == [Flight(task, float(task), task * 10, "key-ä") for task in range(11, 21)]


def test_an_answered_flight_is_still_there_until_its_commit(tmp_path: Path) -> None:
    journal = FlightJournal(tmp_path / "inflight")
    number = journal.enter(Flight(4, 1.0, 7, "x" * 60))
    journal.answer(number, 5)
    journal.answer(number + 1, 1)
    assert read_flights(tmp_path / "inflight") == [Flight(4, 1.0, 5, "x" * 39, answered=True)]
    journal.leave(number)
    journal.enter(Flight(6, 2.0, 7, "y"))
    assert read_flights(tmp_path / "inflight") == [Flight(6, 2.0, 7, "y", answered=False)]
    journal.close()


def test_a_heartbeat_and_trouble_are_read_beside_the_flights(tmp_path: Path) -> None:
    journal = FlightJournal(tmp_path / "inflight")
    assert read_journal(tmp_path / "inflight") == JournalView((), None, "")
    assert read_beat(tmp_path / "inflight") is None and read_beat(tmp_path / "none") is None
    journal.enter(Flight(4, 1.0, 7, "x"))
    journal.beat(12.5, "the disk is full ä" + "!" * 1000)
    seen = read_journal(tmp_path / "inflight")
    assert read_beat(tmp_path / "inflight") == 12.5
    assert seen.flights == (Flight(4, 1.0, 7, "x"),) and seen.beat_at == 12.5
    assert seen.trouble.startswith("the disk is full ä!!!") and len(seen.trouble) < 500
    journal.beat(13.0, "")
    assert read_journal(tmp_path / "inflight").trouble == ""
    assert (tmp_path / "inflight").stat().st_mode & 0o777 == 0o600
    journal.close()


def test_the_journal_that_an_older_program_left_is_read_after_an_upgrade(tmp_path: Path) -> None:
    header = struct.pack("<8sd496s", b"vqaflt02", 12.5, b"")
    slots = [struct.pack("<QdQ39s?", 0, 0.0, 0, b"", False), struct.pack("<QdQ39s?", 4, 1.0, 5_000_000, b"main", True)]
    (tmp_path / "inflight").write_bytes(header + b"".join(slots) + bytes(64 * 4094))
    assert read_flights(tmp_path / "inflight") == [Flight(4, 1.0, 5_000_000, "main", answered=True)]


def test_flights_are_found_wherever_they_lie_among_unused_slots(tmp_path: Path) -> None:
    journal = FlightJournal(tmp_path / "inflight")
    numbers = [journal.enter(Flight(task, float(task), 7, "main")) for task in range(1, 301)]
    for number in numbers[:290]:
        journal.leave(number)
    assert [flight.task_id for flight in read_flights(tmp_path / "inflight")] == list(range(291, 301))
    journal.close()
