"""Watching in a real terminal: the display, the question about the pilot, Ctrl+C once and twice."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import CTRL_C, PICTURES, Place, Terminal
from vqa_tui.cli.run_watch import RunWatch
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view, start_engine
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.safe_text import clean

InTerminal = Callable[..., Terminal]


def start(place: Place, name: str, *options: str, endpoint: str = "embedded") -> tuple[str, ...]:
    where = ("--workspace", str(place.folder))
    return ("run", "start", "scans", "--recipe", "stcray", "--endpoint", endpoint, "--name", name, *options, *where)


def phase(place: Place, run: str) -> str:
    return str(json.loads(place.ok("run", "show", run, "--json"))["phase"])


def test_the_display_shows_progress_cost_and_keys(place: Place, in_terminal: InTerminal) -> None:
    terminal = in_terminal(*start(place, "seen", "--yes"))
    assert terminal.exit_code() == 0, terminal.shown
    shown = clean(terminal.shown)
    assert "seen: done" in shown
    assert f"{PICTURES} of {PICTURES} (100.0 %)" in shown
    assert "requests" in shown and "429" in shown
    assert f"{PICTURES} of {PICTURES} pictures answered" in shown


def test_yes_lets_the_run_go_on(place: Place, in_terminal: InTerminal) -> None:
    terminal = in_terminal(*start(place, "asked", "--pilot", "2"))
    terminal.wait_for("Go on with the rest?")
    assert "The whole run will cost about $" in terminal.shown
    terminal.press("perhaps\n")
    terminal.wait_for("Please type y or n.")
    terminal.press("y\n")
    assert terminal.exit_code() == 0, terminal.shown
    assert phase(place, "asked") == "done"


def test_no_leaves_the_run_waiting(place: Place, in_terminal: InTerminal) -> None:
    terminal = in_terminal(*start(place, "unsure", "--pilot", "2"))
    terminal.wait_for("Go on with the rest?")
    terminal.press("n\n")
    assert terminal.exit_code() == 0
    assert "vqa-tui run approve unsure" in terminal.shown
    assert phase(place, "unsure") == "awaiting_approval"


def test_approval_from_elsewhere_ends_the_question(place: Place, in_terminal: InTerminal) -> None:
    terminal = in_terminal(*start(place, "joint", "--pilot", "2"))
    terminal.wait_for("Go on with the rest?")
    place.ok("run", "approve", "joint")
    assert terminal.exit_code() == 0
    assert phase(place, "joint") == "done"


def test_ctrl_c_pauses_and_waits_for_what_is_in_flight(place: Place, in_terminal: InTerminal) -> None:
    slower = place.folder / "slower.yaml"
    slower.write_text(Path(place.slow_endpoint).read_text().replace("300", "1000"))
    terminal = in_terminal(*start(place, "halted", "--pilot", "0", endpoint=str(slower)))
    terminal.wait_for("2 of 2 in flight")
    terminal.press(CTRL_C)
    assert terminal.exit_code() == 130
    assert "vqa-tui run resume halted" in terminal.shown
    document = json.loads(place.ok("run", "show", "halted", "--json"))
    assert document["phase"] == "paused"
    assert document["counts"]["leased"] == 0
    assert document["engine"]["alive"]

    place.ok("run", "resume", "halted")
    assert f"{PICTURES} of {PICTURES} pictures answered" in place.ok("run", "watch", "halted")


def test_a_second_ctrl_c_leaves_the_run_to_itself(place: Place, in_terminal: InTerminal) -> None:
    stuck = place.folder / "stuck.yaml"
    stuck.write_text(Path(place.slow_endpoint).read_text().replace("name: slow", "name: stuck").replace("300", "60000"))
    terminal = in_terminal(*start(place, "left", "--pilot", "0", endpoint=str(stuck)))
    terminal.wait_for("2 of 2 in flight")
    terminal.press(CTRL_C)
    terminal.wait_for("Ctrl+C again")
    terminal.press(CTRL_C)
    assert terminal.exit_code() == 130
    assert "vqa-tui run watch left" in terminal.shown
    document = json.loads(place.ok("run", "show", "left", "--json"))
    assert document["engine"]["alive"]
    assert len(document["in_flight"]) == 2


def test_ctrl_c_at_the_question_leaves_the_run_waiting(place: Place, in_terminal: InTerminal) -> None:
    terminal = in_terminal(*start(place, "thinking", "--pilot", "2"))
    terminal.wait_for("Go on with the rest?")
    terminal.press(CTRL_C)
    assert terminal.exit_code() == 130
    assert phase(place, "thinking") == "awaiting_approval"


@pytest.mark.parametrize("stay", [True, False])
async def test_ctrl_c_while_the_engine_starts_pauses_what_it_begins(
    place: Place, capsys: pytest.CaptureFixture[str], stay: bool
) -> None:
    """The plan is on screen then, and its price is what makes a person press it."""
    async with open_workspace(place.folder) as workspace:
        run_id = await create_run(workspace, RunRequest("scans", "stcray", place.slow_endpoint, name="dear", pilot=0))

        async def begin() -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await start_engine(workspace, run_id)

        watch = RunWatch(workspace, run_id, place.folder)
        assert await watch.to_the_end(begin, stay=stay) == 130
        assert (await run_view(workspace, run_id)).phase is Phase.PAUSED
    assert "run resume dear" in capsys.readouterr().out
