"""Endpoints that are gone, that nobody may trust, or that point elsewhere: a clear state, and nothing is lost."""

import asyncio
import gzip
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import DOLLAR_A_MILLION, listening, own_endpoint
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.queue_edits import retry_failed
from vqa_tui.operations.runs import resume_run, stop_run

RECORDED = Path(__file__).parents[1] / "endpoints" / "recorded"
PLANTED = "planted-value-of-a-key-that-nobody-may-see"
VARIABLE = "VQA_TEST_FAULTS_KEY"
ANSWER = {
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "A picture of one plain colour."}}],
    "usage": {"prompt_tokens": 900, "completion_tokens": 30},
}


class Asked:
    """What a server saw."""

    def __init__(self) -> None:
        self.requests = 0
        self.keys: set[str] = set()


@asynccontextmanager
async def serving(
    asked: Asked, *, port: int = 0, redirect: str = "", recorded: str = "", packed: bytes = b"", **site: Any
) -> AsyncIterator[int]:
    """Answer every question well, or as somebody's server was seen to, or send it elsewhere; yields the port.

    `packed` is sent as the body of a gzip reply.
    """
    seen = json.loads((RECORDED / f"{recorded}.json").read_text()) if recorded else {}

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        asked.requests += 1
        asked.keys.add(request.headers.get("Authorization", ""))
        if redirect:
            return web.Response(status=307, headers={"Location": redirect})
        if packed:
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        if seen:
            return web.json_response(seen["body"], status=seen["status"])
        # How long a model thinks, so that requests overlap; no test waits for it.
        await asyncio.sleep(0.05)
        return web.json_response(ANSWER)

    async with listening(answer, port=port, **site) as taken:
        yield taken


@pytest.fixture
def endpoint_at(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return the path of an endpoint file for a base URL, with a planted key."""
    monkeypatch.setenv(VARIABLE, PLANTED)

    def write(base_url: str) -> str:
        timeouts = {"connect_s": 2, "first_byte_s": 5, "total_s": 10}
        keys = [{"name": "main", "env": VARIABLE}]
        return own_endpoint(stage.folder, base_url, keys=keys, prices=DOLLAR_A_MILLION, timeouts=timeouts)

    return write


def nobody_sees_the_key(stage: Stage) -> None:
    for path in stage.workspace.paths.root.rglob("*"):
        assert not path.is_file() or PLANTED.encode() not in path.read_bytes(), path


async def every_attempt_is_accounted(stage: Stage, view: RunView, requests: int, *, cut: int) -> None:
    """Those that may have arrived are the requests of the server, but for `cut` that may have met a closing socket."""
    (sent,) = await stage.column("SELECT count(*) FROM attempt WHERE kind = 'ok' OR uncertain_nano > 0")
    assert requests <= int(str(sent)) <= requests + cut
    assert await stage.column("SELECT count(*) FROM attempt WHERE kind = 'ok'") == [view.counts.done]
    billed = await stage.column("SELECT coalesce(sum(cost_nano), 0) FROM attempt")
    assert [view.cost.spent * 10**9] == billed


async def stopped(stage: Stage, run_id: int) -> RunView:
    await stop_run(stage.workspace, run_id)
    return await stage.until_ended(run_id)


async def test_an_endpoint_that_goes_and_comes_back_needs_no_person(
    stage: Stage, endpoint_at: Callable[[str], str]
) -> None:
    before, after = Asked(), Asked()
    dataset = await stage.pictures(150)
    async with serving(before) as port:
        path = endpoint_at(f"http://127.0.0.1:{port}/v1")
        run_id = await stage.run(RunRequest(dataset, "caption", path, pilot=0, concurrency=8))
        await stage.until_done(run_id, 20)
    view = await stage.until(run_id, lambda view: "cannot be reached since" in view.why_idle)
    assert f"no connection to 127.0.0.1:{port}: nothing listens there" in view.why_idle
    assert view.phase is Phase.RUNNING and view.counts.failed == 0
    async with serving(after, port=port):
        view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 150, 0)
    assert any("the endpoint answers again" in event.message for event in view.events)
    await every_attempt_is_accounted(stage, view, before.requests + after.requests, cut=8)


async def test_a_name_that_never_resolves_is_told_and_costs_nothing(
    stage: Stage, endpoint_at: Callable[[str], str]
) -> None:
    path = endpoint_at("https://no-such-host.invalid/v1")
    request = RunRequest(await stage.pictures(20), "caption", path, pilot=0, concurrency=4)
    run_id = await stage.run(request)
    view = await stage.until(run_id, lambda view: "no-such-host.invalid cannot be resolved" in view.why_idle)
    assert view.phase is Phase.RUNNING and "cannot be reached since" in view.why_idle
    view = await stopped(stage, run_id)
    assert (view.phase, view.counts.pending) == (Phase.STOPPED, 20)
    assert view.cost.spent == view.cost.uncertain == view.cost.reserved == 0
    assert await stage.column("SELECT DISTINCT attempts_spent FROM task") == [0]
    nobody_sees_the_key(stage)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_a_certificate_that_nobody_trusts_is_told_and_the_key_stays_here(
    stage: Stage, endpoint_at: Callable[[str], str], tmp_path: Path
) -> None:
    key, made = tmp_path / "key.pem", tmp_path / "made.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {key} -out {made}"
    await asyncio.to_thread(subprocess.run, command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    asked = Asked()
    async with serving(asked, ssl_context=context) as port:
        path = endpoint_at(f"https://localhost:{port}/v1")
        run_id = await stage.run(RunRequest(await stage.pictures(20), "caption", path, pilot=0, concurrency=4))
        view = await stage.until(run_id, lambda view: "certificate of localhost is not trusted" in view.why_idle)
        assert view.phase is Phase.RUNNING
        view = await stopped(stage, run_id)
    assert (view.counts.pending, asked.requests) == (20, 0) and view.cost.uncertain == 0
    nobody_sees_the_key(stage)


async def test_a_redirect_pauses_the_run_and_the_other_host_never_hears_of_the_key(
    stage: Stage, endpoint_at: Callable[[str], str]
) -> None:
    asked, elsewhere = Asked(), Asked()
    async with serving(elsewhere) as other:
        wrong = f"http://127.0.0.1:{other}/v1/chat/completions"
        async with serving(asked, redirect=wrong) as port:
            path = endpoint_at(f"http://127.0.0.1:{port}/v1")
            run_id = await stage.run(RunRequest(await stage.pictures(40), "caption", path, pilot=0, concurrency=4))
            view = await stage.until_phase(run_id, Phase.PAUSED)
            assert "redirects to 127.0.0.1" in view.phase_reason and "write the final address" in view.phase_reason
            assert view.counts.failed <= 8 and view.counts.pending + view.counts.failed == 40
            assert (elsewhere.requests, elsewhere.keys) == (0, set())
        async with serving(asked, port=port):
            await retry_failed(stage.workspace, run_id, kinds=["model_not_found"])
            await resume_run(stage.workspace, run_id)
            view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, 40)
    assert elsewhere.requests == 0
    nobody_sees_the_key(stage)


@pytest.mark.parametrize(
    ("recorded", "state", "words"),
    [
        ("openai_429_insufficient_quota", "parked", "check your plan and billing"),
        ("litellm_400_budget", "parked", "Budget has been exceeded"),
        ("gemini_400_key_invalid", "off", "API key not valid"),
        ("gemini_400_location", "off", "User location is not supported"),
    ],
)
async def test_a_key_that_is_used_up_or_dead_is_asked_with_once_and_the_run_says_so(
    stage: Stage, endpoint_at: Callable[[str], str], recorded: str, state: str, words: str
) -> None:
    asked = Asked()
    async with serving(asked, recorded=recorded) as port:
        path = endpoint_at(f"http://127.0.0.1:{port}/v1")
        run_id = await stage.run(RunRequest(await stage.pictures(12), "caption", path, pilot=0, concurrency=1))
        view = await stage.until_phase(run_id, Phase.PAUSED)
        assert "no key is left" in view.phase_reason and words in view.phase_reason
        assert [key.state for key in view.keys] == [state]
        assert asked.requests == 1
        view = await stopped(stage, run_id)
    assert (view.counts.pending, view.counts.failed) == (12, 0)
    assert await stage.column("SELECT DISTINCT attempts_spent FROM task") == [0]


async def test_replies_that_drip_or_never_end_are_given_up_and_what_they_may_cost_is_kept_in_mind(stage: Stage) -> None:
    endpoint = stage.endpoint(
        fail={"drip": 0.15, "huge": 0.15}, seed=4, timeouts={"connect_s": 1, "first_byte_s": 1, "total_s": 1}
    )
    run_id = await create_run(stage.workspace, RunRequest(await stage.pictures(60), "caption", endpoint, pilot=0))
    await set_limits(stage.workspace, run_id, {"max_attempts": "1"})
    await stage.start(run_id)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.DONE and view.counts.done + view.counts.failed == 60
    assert dict(view.failures) == dict(view.attempt_failures)
    assert view.failures["timeout"] > 2 and view.failures["bad_reply"] > 2
    problems = await stage.column("SELECT DISTINCT last_problem FROM task WHERE status = 'failed' ORDER BY 1")
    assert problems == [
        "no complete reply in the time allowed",
        "the answer is longer than 4 MiB and was not read to its end",
    ]
    # None of them told its usage, so what was set aside for each may have been billed.
    uncertain = await stage.column("SELECT count(*) FROM attempt WHERE uncertain_nano > 0")
    assert uncertain == [view.counts.failed]


async def test_a_gzip_bomb_is_a_bad_reply_and_the_engine_stays_small(
    stage: Stage, endpoint_at: Callable[[str], str]
) -> None:
    asked = Asked()
    async with serving(asked, packed=gzip.compress(bytes(300_000_000), 9)) as port:
        path = endpoint_at(f"http://127.0.0.1:{port}/v1")
        request = RunRequest(await stage.pictures(12), "caption", path, pilot=0, concurrency=8)
        run_id = await create_run(stage.workspace, request)
        await set_limits(stage.workspace, run_id, {"max_attempts": "1"})
        await stage.start(run_id)
        most_kb = 0

        def ended(view: RunView) -> bool:
            nonlocal most_kb
            if view.engine.pid is not None:
                most_kb = max(most_kb, peak_kb(view.engine.pid))
            return view.phase is Phase.DONE

        view = await stage.until(run_id, ended)
        await stage.until_ended(run_id)
    assert dict(view.failures) == {"bad_reply": 12} and asked.requests == 12
    # Sixty megabytes of program, and a few times what a reply may be.
    assert 0 < most_kb < 160_000


def peak_kb(pid: int) -> int:
    """Return the most memory that a process has ever had in use; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
