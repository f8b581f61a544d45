"""The real program in a real tmux, as a person uses it: what the terminal shows, and what the database holds then."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from PIL import Image

from tests.e2e.loopback import caption_reply, listening
from tests.e2e.tmux import PATIENCE_S, Tmux

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

KEY_VALUE = "planted-value-of-a-key-in-tmux"
KEY_VARIABLE = "VQA_TEST_TMUX_KEY"
NAME = "scans-caption"
"""What the wizard calls a run."""
PICTURES = 50
PILOT = 10
"""What the wizard offers."""
_ENDED = ("done", "stopped", "failed")


def scans(folder: Path, count: int) -> None:
    """Draw a folder of pictures, all different."""
    (folder / "scans").mkdir()
    for number in range(count):
        Image.new("RGB", (24, 16), (number * 5 % 256, number, 99)).save(folder / "scans" / f"{number:03}.png")


def endpoint(folder: Path, name: str, **fields: object) -> None:
    """Write an endpoint beside the workspace that is to be."""
    (folder / "endpoints").mkdir(exist_ok=True)
    document = {"name": name, "prices": {"input_per_million": "1", "output_per_million": "1"}, **fields}
    (folder / "endpoints" / f"{name}.yaml").write_text(yaml.safe_dump(document))


def column(folder: Path, sql: str) -> list[object]:
    """Return the first column of a query on the workspace of `folder`."""
    connection = sqlite3.connect(f"file:{folder}/.vqa/vqa.db?mode=ro", uri=True, timeout=PATIENCE_S)
    try:
        return [row[0] for row in connection.execute(sql)]
    finally:
        connection.close()


def phase(folder: Path) -> object:
    return column(folder, "SELECT phase FROM run_state")[0]


def tasks(folder: Path, status: str) -> int:
    return len(column(folder, f"SELECT id FROM task WHERE status = '{status}'"))


def verdicts(folder: Path) -> list[object]:
    return column(folder, "SELECT verdict FROM sample WHERE verdict IS NOT NULL ORDER BY verdict")


def until(fact: Callable[[], bool], terminal: Tmux) -> None:
    """Wait until `fact` holds of the database; fails with what the terminal shows when it does not in time."""
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline, f"waited in vain; the terminal shows:\n{terminal.text}"
        time.sleep(0.05)


def cli(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-m", "vqa_tui", *arguments]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)


def assert_nothing_tells_the_key(folder: Path, terminal: Tmux) -> None:
    """The key's value is in no file that was written, in no argument of a process, and on no screen."""
    assert terminal.seen and not [text for text in terminal.seen if KEY_VALUE in text]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"vqa.db", "engine.log"} <= {path.name for path in files} or {"vqa.db"} <= {path.name for path in files}
    assert not [path for path in files if KEY_VALUE.encode() in path.read_bytes()]


def taken(terminal: Tmux, name: str) -> None:
    """Go down the list of a wizard's step to `name`, and take it."""
    text = terminal.until("▌    ")
    while f"▌    {name}" not in text:
        # What stands to the right of the list changes a moment after the cursor has moved.
        under = text[text.index("▌") :].partition("│")[0]
        terminal.press("j")
        text = terminal.until("▌    ", without=[under])
    terminal.press("Enter")


def imported(terminal: Tmux) -> None:
    """From the welcome of an empty workspace to the dataset `scans`."""
    terminal.until("Welcome to vqa-tui", "i   Import my own pictures")
    terminal.press("i")
    terminal.until("Import a dataset", "Path")
    terminal.type("scans")
    terminal.press("C-s")
    terminal.until("imported into scans", "no problem")
    terminal.press("Enter")
    terminal.until("scans", "folder", without=["Import a dataset", "No dataset yet"])


def planned(terminal: Tmux, endpoint_name: str) -> None:
    """From the datasets through the wizard to its plan."""
    terminal.press("n")
    terminal.until("▸1 dataset", "▌    scans")
    taken(terminal, "scans")
    terminal.until("▸2 recipe", "caption", "000.png")
    taken(terminal, "caption")
    terminal.until("▸3 endpoint", "What is known of it", "address")
    taken(terminal, endpoint_name)
    terminal.until("▸4 size", "Longest px")
    terminal.press("C-n")
    terminal.until("▸5 plan", "tokens each ≈", "^s start")


def test_from_an_empty_folder_to_a_valid_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scans(tmp_path, PICTURES)
    monkeypatch.setenv(KEY_VARIABLE, KEY_VALUE)
    flaky = {"latency_ms": 300, "latency_spread": 0, "fail": {"refused": 0.3}, "seed": 4}
    endpoint(
        tmp_path, "flaky", kind="embedded", model="vqa-embedded-1", keys=[{"name": "a"}], concurrency=2, embedded=flaky
    )
    endpoint(tmp_path, "keyed", base_url="http://127.0.0.1:9/v1", model="m", keys=[{"name": "a", "env": KEY_VARIABLE}])
    with Tmux(tmp_path, {}, columns=80, rows=24) as terminal:
        terminal.start()
        imported(terminal)
        assert column(tmp_path, "SELECT count(*) FROM item") == [PICTURES]

        planned(terminal, "flaky")
        assert column(tmp_path, "SELECT id FROM run") == []
        terminal.press("C-s")
        terminal.until(NAME, "needs approval", f"{PILOT} / {PICTURES}")
        assert column(tmp_path, "SELECT pilot_size FROM run") == [PILOT]
        assert (phase(tmp_path), tasks(tmp_path, "pending")) == ("awaiting_approval", PICTURES - PILOT)

        terminal.press("a")
        terminal.until("running", "p pause", without=["needs approval"])
        until(lambda: tasks(tmp_path, "pending") < PICTURES - PILOT - 3, terminal)
        terminal.press("p")
        terminal.until("paused", "p resumes")
        until(lambda: phase(tmp_path) == "paused", terminal)
        finished = tasks(tmp_path, "done") + tasks(tmp_path, "failed")
        assert PILOT < finished < PICTURES

        terminal.resize(50, 12)
        terminal.until("paused", NAME)
        terminal.resize(80, 24)
        terminal.until("why idle", "Throughput")
        terminal.press("r")
        terminal.until("done", f"{PICTURES} / {PICTURES}", "e exports")
        until(lambda: phase(tmp_path) == "done", terminal)
        failed = tasks(tmp_path, "failed")
        assert failed and tasks(tmp_path, "done") == PICTURES - failed

        look_at_an_item(terminal)
        failed_again(terminal, tmp_path, failed)
        judge(terminal, tmp_path)
        export(terminal, tmp_path)

        terminal.press("q")
        assert terminal.ended() == 0
        assert_nothing_tells_the_key(tmp_path, terminal)


def look_at_an_item(terminal: Tmux) -> None:
    terminal.press("3")
    terminal.until("items", "000.png")
    terminal.press("g", "Enter")
    terminal.until("000.png", "▀▀▀", "Attempts (1)")
    terminal.press("Escape")
    terminal.until("001.png", "002.png", "003.png")


def failed_again(terminal: Tmux, folder: Path, failed: int) -> None:
    """Look at the failures and ask for those pictures again, until fewer have failed."""
    before = column(folder, "SELECT count(*) FROM attempt")[0]
    terminal.press("4")
    terminal.until("What went wrong", "refused", f"{failed} failed pictures in 1 cluster")
    terminal.press("R")
    terminal.until("Ask these pictures again?", f"Retry {failed} (y)")
    terminal.press("y")
    until(lambda: column(folder, "SELECT count(*) FROM attempt")[0] != before, terminal)
    until(lambda: phase(folder) == "done", terminal)
    assert tasks(folder, "failed") < failed and tasks(folder, "pending") == 0
    assert column(folder, "SELECT count(DISTINCT task_id) FROM sample") == [tasks(folder, "done")]


def judge(terminal: Tmux, folder: Path) -> None:
    """Accept, reject, mend, and take one verdict back."""
    terminal.press("5")
    terminal.until("review", "a accept", "of this session")
    terminal.press("a")
    until(lambda: verdicts(folder) == ["accepted"], terminal)
    terminal.press("x")
    until(lambda: verdicts(folder) == ["accepted", "rejected"], terminal)
    terminal.press("e")
    terminal.until("^s save")
    terminal.type(" Mended by hand.")
    terminal.press("C-s")
    until(lambda: verdicts(folder) == ["accepted", "accepted", "rejected"], terminal)
    (mended,) = column(folder, "SELECT edited_answer FROM sample WHERE edited_answer IS NOT NULL")
    assert str(mended).endswith(" Mended by hand.")
    terminal.press("x")
    until(lambda: verdicts(folder) == ["accepted", "accepted", "rejected", "rejected"], terminal)
    terminal.press("u")
    until(lambda: verdicts(folder) == ["accepted", "accepted", "rejected"], terminal)
    assert column(folder, "SELECT count(*) FROM review_log WHERE undone_at IS NOT NULL") == [1]


def export(terminal: Tmux, folder: Path) -> None:
    """Write a file from the dialog; what it holds is what the person decided."""
    terminal.press("2")
    terminal.until(NAME, "Throughput")
    terminal.press("e")
    terminal.until("Export", "Format", "Path")
    terminal.press("C-s")
    terminal.until("✔ valid")
    terminal.press("Escape")
    terminal.until("Throughput", without=["Format"])
    (written,) = folder.glob(f"{NAME}*.jsonl")
    (pairs,) = column(folder, "SELECT count(*) FROM sample")
    lines = written.read_text().splitlines()
    assert len(lines) == int(str(pairs)) - 1
    assert "Mended by hand." in written.read_text() and all(json.loads(line) for line in lines)
    assert cli(folder, "validate", str(written)).returncode == 0


async def test_leaving_and_coming_back_while_the_engine_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real address with a real key, on a wide terminal that is resized; work goes on without the program."""
    scans(tmp_path, 300)
    monkeypatch.setenv(KEY_VARIABLE, KEY_VALUE)
    keys_sent: set[str] = set()
    thinking = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        keys_sent.add(request.headers["Authorization"])
        if not thinking.is_set():
            # How long a model thinks, so that the program is left in the middle of the work.
            await asyncio.sleep(0.3)
        return caption_reply()

    async with listening(answer) as port:
        keys = [{"name": "main", "env": KEY_VARIABLE}]
        endpoint(tmp_path, "slow", base_url=f"http://127.0.0.1:{port}/v1", model="m", keys=keys, concurrency=4)
        await asyncio.to_thread(leave_and_come_back, tmp_path, thinking.set)
    assert keys_sent == {f"Bearer {KEY_VALUE}"}


def leave_and_come_back(folder: Path, hurry: Callable[[], None]) -> None:
    with Tmux(folder, {}, columns=200, rows=50) as terminal:
        terminal.start()
        imported(terminal)
        planned(terminal, "slow")
        terminal.press("C-s")
        terminal.until(NAME, "needs approval")
        terminal.press("a")
        terminal.until(NAME, "running", "Throughput", "Keys")
        until(lambda: tasks(folder, "done") > PILOT + 3, terminal)
        for columns, rows in ((80, 24), (200, 50)):
            terminal.resize(columns, rows)
            text = terminal.until(NAME, "running", "Throughput", "why idle")
            assert terminal.size == (columns, rows)
            assert max(map(len, text.splitlines())) <= columns
        terminal.press("q")
        assert terminal.ended() == 0
        left_at = tasks(folder, "done")
        until(lambda: tasks(folder, "done") > left_at + 4, terminal)
        assert column(folder, "SELECT phase FROM run_state") == ["running"]

        terminal.start()
        terminal.until("runs", NAME)
        terminal.press("Enter")
        terminal.until(NAME, "running", "Throughput")
        hurry()
        terminal.until(NAME, "done", "300 / 300")
        until(lambda: phase(folder) == "done", terminal)
        assert (tasks(folder, "done"), tasks(folder, "failed")) == (300, 0)
        assert column(folder, "SELECT count(*) FROM session") == [1]
        assert column(folder, "SELECT count(*) FROM attempt WHERE kind = 'ok'") == [300]
        terminal.press("q")
        assert terminal.ended() == 0
        assert_nothing_tells_the_key(folder, terminal)
