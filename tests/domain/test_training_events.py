"""What a trainer tells of itself: lines that come back as they were, and lines that are passed over."""

import json

import pytest

from vqa_tui.domain.training import TrainingPhase
from vqa_tui.domain.training_events import (
    Answered,
    Ended,
    Event,
    LeftOut,
    Looked,
    Saved,
    Started,
    Stepped,
    event_line,
    events,
)
from vqa_tui.domain.training_row import TrainingRow, Turn

EVENTS: tuple[Event, ...] = (
    Started(1.0, 0, 30, 3.0, 16, 4, "CPU", "fp32", 100, 10, 1 << 30),
    Stepped(2.0, 1, 0.1, None, 1e-4, None, 0.5, 64, (3, 4), 1 << 20),
    Looked(3.0, 10, 0.5, 1.5),
    Answered(3.0, 10, 16, "a.png", "/a.png", "What\n?", "é", "\x1b[31mred"),
    Saved(4.0, 10, "checkpoints/checkpoint-10", 99, 0.5),
    LeftOut(5.0, 3, "b.png", "it cannot be read"),
    Ended(6.0, "done", "", 30, 1 << 20),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: type(each).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    line = event_line(event)
    assert "\n" not in line and list(events([line])) == [event]


def test_lines_that_are_no_events_are_passed_over() -> None:
    whole = event_line(EVENTS[2])
    lines = ["", "null", "[]", "{}", '{"event": "unknown"}', '{"event": ["step"]}', '{"event": "eval"}', whole[:-5]]
    assert list(events([*lines, whole])) == [EVENTS[2]]


def test_what_another_version_tells_more_is_left() -> None:
    told = {**json.loads(event_line(EVENTS[5])), "mood": "fine"}
    assert list(events([json.dumps(told)])) == [EVENTS[5]]


def test_a_number_that_is_none_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        event_line(Looked(1.0, 1, float("nan"), 1.0))


def test_which_phases_have_a_process() -> None:
    ended = {TrainingPhase.DONE, TrainingPhase.STOPPED, TrainingPhase.CANCELLED, TrainingPhase.FAILED}
    assert {phase for phase in TrainingPhase if not phase.is_live} == ended


def test_a_row_comes_back_as_it_was() -> None:
    turns = (Turn("system", ("Be short.",)), Turn("user", (0, "A\u2028b", 1)), Turn("assistant", ("\ud800 é",)))
    row = TrainingRow(3, "k", turns, ("/a.png", "/b.png"), "colour", ("Knife",), (7, 8))
    line = row.as_json()
    assert line.isascii() and "\n" not in line
    assert TrainingRow.of_json(line) == row and row.turns[1].text == "A\u2028b"


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"id": "x"}', '{"id": 1, "key": "k", "turns": [1], "pictures": []}'])
def test_what_is_no_row_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        TrainingRow.of_json(line)
