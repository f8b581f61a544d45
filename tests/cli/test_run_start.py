"""`run start` and what follows it, with real engines: approval, budget, detaching, exit codes."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

from tests.cli.conftest import PICTURES, Place


def start(place: Place, *options: str, endpoint: str = "embedded") -> tuple[str, ...]:
    return ("run", "start", "scans", "--recipe", "stcray", "--endpoint", endpoint, *options)


def shown(place: Place, run: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(place.ok("run", "show", run, "--json"))
    return document


def test_the_plan_stands_before_everything_else_and_json_alone_on_stdout(place: Place) -> None:
    result = place.call(*start(place, "--yes", "--json", "--budget", "1", "--limit", "5"))
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["phase"] == "done"
    assert document["counts"]["done"] == 5
    assert document["cost"]["cap"] == 1.0
    assert "pictures     5" in result.stderr
    assert "cost         about $" in result.stderr


def test_a_pilot_waits_for_approval_and_says_how_to_give_it(place: Place) -> None:
    said = place.ok(*start(place, "--pilot", "3", "--name", "careful"))
    assert "The pilot of 3 pictures is finished." in said
    assert "Measured cost: $" in said
    command = f"vqa-tui run approve careful --workspace {place.folder}"
    assert command in said
    waiting = shown(place, "careful")
    assert waiting["phase"] == "awaiting_approval"
    assert waiting["counts"]["done"] == 3
    assert waiting["engine"]["alive"]

    place.ok("run", "approve", "careful")
    assert f"{PICTURES} of {PICTURES} pictures answered" in place.ok("run", "watch", "careful")
    assert shown(place, "careful")["phase"] == "done"


def test_a_detached_run_goes_on_and_can_be_steered(place: Place) -> None:
    result = place.call(*start(place, "--pilot", "0", "--detach", "--name", "far"))
    assert result.exit_code == 0
    assert "vqa-tui run watch far" in result.stderr
    assert "far" in place.ok("run", "list")
    place.ok("run", "watch", "far")
    assert "there is nothing to pause" in place.refused("run", "pause", "far")
    assert "Nothing to ask again" in place.ok("run", "retry", "far")


def test_limits_change_while_a_run_works(place: Place) -> None:
    place.ok(*start(place, "--pilot", "1", "--name", "tuned", endpoint=place.slow_endpoint))
    assert "concurrency   3" in place.ok("run", "set", "tuned", "concurrency=3", "budget=2.5", "rpm.a=30")
    limits = shown(place, "tuned")["limits"]
    assert limits["concurrency"] == 3
    assert limits["budget_usd"] == 2.5
    assert limits["requests_per_minute"] == {"a": 30}
    assert json.loads(place.ok("run", "set", "tuned", "budget=none", "--json"))["budget_usd"] is None
    said = place.ok("run", "set", "tuned", "max_side=256", "hedge=on", "tpm.b=5000", "rpm.a=none")
    assert "max_side      256  (set for this run, else 1024)" in said and "hedge         on" in said
    assert "tpm.b         5000" in said and "rpm.a" not in said
    told = place.ok("run", "show", "tuned")
    assert "max_side 256  (set for this run, else 1024)" in told and "of the estimate, over 1 reply" in told
    assert "Did you mean concurrency?" in place.refused("run", "set", "tuned", "concurency=4")


def test_a_run_that_pauses_by_itself_is_no_success_for_a_script(place: Place) -> None:
    result = place.call(*start(place, "--yes", "--budget", "0.000001", "--name", "poor"))
    assert result.exit_code == 1, result.output
    assert "vqa-tui run set poor budget=" in result.stdout
    assert shown(place, "poor")["phase"] == "paused"


def test_a_killed_engine_is_told_and_one_command_goes_on(place: Place) -> None:
    result = place.call(
        *start(place, "--pilot", "0", "--detach", "--json", "--name", "shot", endpoint=place.slow_endpoint)
    )
    os.kill(json.loads(result.stdout)["engine"]["pid"], signal.SIGKILL)
    watched = place.call("run", "watch", "shot")
    assert watched.exit_code == 1, watched.output
    assert "The engine of this run is gone." in watched.stdout
    assert "vqa-tui run resume shot" in watched.stdout
    assert not shown(place, "shot")["engine"]["alive"]
    assert "engine lost" in place.ok("run", "list")

    place.ok("run", "resume", "shot")
    assert f"{PICTURES} of {PICTURES} pictures answered" in place.ok("run", "watch", "shot")
    assert shown(place, "shot")["counts"]["done"] == PICTURES


def test_a_run_of_which_nothing_was_answered_fails(place: Place) -> None:
    (place.folder / "broken.yaml").write_text(
        "name: broken\nkind: embedded\nmodel: m\nkeys: [{name: a}]\nembedded: {latency_ms: 1, fail: {refused: 1.0}}\n"
    )
    result = place.call(*start(place, "--yes", "--name", "no", endpoint=str(place.folder / "broken.yaml")))
    assert result.exit_code == 1, result.output
    assert f"{PICTURES} failed" in result.stdout
    assert "vqa-tui item list no --status failed" in result.stdout
    assert "refused" in place.ok("item", "list", "no", "--status", "failed", "--kind", "refused")
    assert shown(place, "no")["failures"] == {"refused": PICTURES}


def test_the_workspace_may_stand_before_the_command(place: Place) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "vqa_tui", "--workspace", str(place.folder), "dataset", "list", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert [each["name"] for each in json.loads(result.stdout)] == ["scans"]


def test_a_reader_that_goes_away_is_no_trouble(finished: Place) -> None:
    result = subprocess.run(
        f"{sys.executable} -m vqa_tui item show first 1 --workspace {finished.folder} | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr
