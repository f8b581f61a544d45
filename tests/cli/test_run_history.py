"""`run history` and `run events`: for people, for programs, and refused."""

import asyncio
import json
import sqlite3

import pytest

from tests.cli.conftest import Place, end_engines
from tests.tui.test_hostile_text import HOSTILE
from vqa_tui.domain.run import Phase

STORED = HOSTILE.replace("\ud800", "")
"""Lone surrogates are never stored."""
COURSE_KEYS = (
    "at per_second done failed in_flight slots throttle_slots throttle_groups p50_ms p95_ms rate_limited input_tokens "
    "output_tokens spent sent_bytes session"
)


def fill(place: Place, seconds: int = 90) -> None:
    """A run with a minute and a half of records, an event a second and one action."""
    place.ok("run", "start", "scans", "--recipe", "caption", "--endpoint", place.slow_endpoint, "--name", "long",
             "--yes", "--detach")  # fmt: skip
    asyncio.run(end_engines(place.folder))
    place.ok("run", "set", "long", "concurrency=7")
    with sqlite3.connect(place.folder / ".vqa" / "vqa.db") as file:
        (run_id, session) = file.execute("SELECT run_id, max(id) FROM session GROUP BY run_id").fetchone()
        file.execute("DELETE FROM metric")
        file.executemany(
            "INSERT INTO metric VALUES (?, ?, ?, ?, 1, 2, 8, 0, 900, 30, ?, 800, 1900, 5000, 4, NULL, NULL)",
            [(run_id, 1_000_000 + s, session, 5 * s, 1_000_000 * s) for s in range(seconds)],
        )
        file.executemany(
            "INSERT INTO event (run_id, at, level, message) VALUES (?, ?, 'warning', ?)",
            [(run_id, 1_000_000 + s, STORED if s == 3 else f"event {s}") for s in range(seconds)],
        )


@pytest.fixture
def long(place: Place) -> Place:
    fill(place)
    return place


def test_the_course_is_told_in_rows_for_people_and_for_programs(long: Place) -> None:
    table = long.ok("run", "history", "long").splitlines()
    assert table[0].split()[:3] == ["time", "rate", "done"]
    assert len(table) - 1 == 18
    assert "5.00/s" in table[-1] and "445" in table[-1] and "$0.089" in table[-1]
    rows = json.loads(long.ok("run", "history", "long", "--every", "30", "--json"))
    assert set(rows[0]) == set(COURSE_KEYS.split())
    assert [row["done"] for row in rows] == [95, 245, 395, 445]
    assert [row["per_second"] for row in rows] == [5.0, 5.0, 5.0, 5.0]
    assert rows[-1]["spent"] == 0.089


def test_every_event_and_action_is_told_with_who_and_old_and_new(long: Place) -> None:
    lines = long.ok("run", "events", "long").splitlines()
    assert len([line for line in lines if " warning " in line]) == 90
    assert any("set concurrency 2 → 7" in line and " action " in line for line in lines)
    assert "\x1b" not in "".join(lines)
    told = json.loads(long.ok("run", "events", "long", "--json"))
    assert STORED in {entry["message"] for entry in told}
    action = json.loads(long.ok("run", "events", "long", "--level", "action", "--json"))[0]
    assert (action["message"], action["old_value"], action["new_value"]) == ("set concurrency", "2", "7")
    assert action["who"]


def test_what_there_is_not_is_said_or_refused(place: Place) -> None:
    assert "there is no run" in place.refused("run", "history", "nobody")
    assert "Did you mean error?" in place.refused("run", "events", "nobody", "--level", "eror")


def test_a_run_that_never_worked_has_no_course(finished: Place) -> None:
    assert Phase.DONE.value in finished.ok("run", "list")
    assert "no run" in finished.refused("run", "events", "firts")
