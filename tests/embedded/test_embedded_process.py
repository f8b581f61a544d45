"""The endpoint as a child process: it starts, answers, and ends with its parent in whatever way that ends."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from vqa_tui.config.endpoint import EmbeddedSettings, Endpoint, KeyConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.process import start_embedded

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys
from vqa_tui.config.endpoint import Endpoint
from vqa_tui.embedded.process import start_embedded
running = start_embedded(Endpoint.model_validate_json(sys.argv[1]))
print(running.pid, running.base_url, flush=True)
sys.stdin.read()
"""


def endpoint_of(**changes: object) -> Endpoint:
    fields: dict[str, object] = {
        "name": "built-in",
        "kind": "embedded",
        "model": "vqa-embedded-1",
        "keys": (KeyConfig(name="a"), KeyConfig(name="b")),
        "embedded": EmbeddedSettings(latency_ms=0),
    }
    return Endpoint.model_validate(fields | changes)


def models_status(base_url: str, key: str) -> int:
    request = urllib.request.Request(f"{base_url}/models", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def wait_for_end(pid: int) -> None:
    """Return when `pid`, which need not be our child, is gone or a zombie; the test's own time limit is 20 s."""
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], 20)
        assert ended, f"process {pid} still lives"
    finally:
        os.close(descriptor)


def test_it_serves_its_keys_and_stops_twice() -> None:
    running = start_embedded(endpoint_of())
    try:
        assert running.base_url.startswith("http://127.0.0.1:")
        statuses = [models_status(running.base_url, key) for key in ("embedded-a", "embedded-b", "embedded-c")]
        assert statuses == [200, 200, 401]
    finally:
        running.stop()
    running.stop()
    with pytest.raises(urllib.error.URLError):
        models_status(running.base_url, "embedded-a")
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_as_a_context_manager_it_stops_and_nothing_secret_is_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/")
    with start_embedded(endpoint_of()) as running:
        line = Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")
        assert line[1:-1] == [b"-P", b"-m", b"vqa_tui.embedded"]
        pid = running.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_files_of_the_current_folder_do_not_stand_in_for_modules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "aiohttp.py").write_text("raise SystemExit('the wrong aiohttp')\n")
    monkeypatch.chdir(tmp_path)
    with start_embedded(endpoint_of()) as running:
        assert models_status(running.base_url, "embedded-a") == 200


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_its_parent_is_killed(ending: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, endpoint_of().model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdin is not None and parent.stdout is not None
    try:
        pid, base_url = parent.stdout.readline().split()
        assert models_status(base_url.decode(), "embedded-a") == 200
        parent.send_signal(ending)
        assert parent.wait(10) == -ending
        wait_for_end(int(pid))
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()


def test_it_ignores_the_interrupt_key() -> None:
    with start_embedded(endpoint_of()) as running:
        assert os.getpgid(running.pid) != os.getpgid(0)
        os.kill(running.pid, signal.SIGINT)
        assert models_status(running.base_url, "embedded-a") == 200


def broken_python(tmp_path: Path, script: str) -> str:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return str(program)


def test_what_the_child_reports_is_told_in_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    report = json.dumps({"error": "no port is free", "hint": "Close something."})
    monkeypatch.setattr(sys, "executable", broken_python(tmp_path, f"read settings; echo '{report}'; exit 2"))
    with pytest.raises(VqaError) as refused:
        start_embedded(endpoint_of())
    assert "endpoint built-in" in refused.value.message and "no port is free" in refused.value.message
    assert refused.value.hint == "Close something."


def test_a_child_that_dies_shows_its_stderr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", broken_python(tmp_path, "echo no such module >&2; exit 3"))
    with pytest.raises(VqaError) as refused:
        start_embedded(endpoint_of())
    assert "exit status 3" in refused.value.message
    assert "no such module" in refused.value.hint


def test_a_child_that_says_nothing_is_ended_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "embedded.log"
    log.parent.mkdir()
    log.write_text("from an earlier run\n")
    monkeypatch.setattr(sys, "executable", broken_python(tmp_path, "echo waiting >&2; exec cat >/dev/null"))
    with pytest.raises(VqaError) as refused:
        start_embedded(endpoint_of(), log=log, start_timeout_s=2.0)
    assert "waiting" in refused.value.hint and "earlier" not in refused.value.hint
    assert log.read_text() == "from an earlier run\nwaiting\n"


def test_stderr_goes_to_the_log_and_nowhere_without_one(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "embedded.log"
    with start_embedded(endpoint_of(), log=log) as running:
        assert os.readlink(f"/proc/{running.pid}/fd/2") == str(log)
    with start_embedded(endpoint_of()) as running:
        assert os.readlink(f"/proc/{running.pid}/fd/2") == os.devnull
        assert os.readlink(f"/proc/{running.pid}/fd/1") == os.devnull
    assert log.stat().st_mode & 0o077 == 0


def test_settings_reach_the_child() -> None:
    endpoint = endpoint_of(
        model="another", embedded=EmbeddedSettings(latency_ms=0, fail={"503": 1.0}), image_tokens={"rule": "fixed"}
    )
    with start_embedded(endpoint) as running:
        body = json.dumps({"model": "another", "messages": [{"role": "user", "content": "x"}]}).encode()
        request = urllib.request.Request(
            f"{running.base_url}/chat/completions", body, headers={"Authorization": "Bearer embedded-a"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 503
