"""The terminal app in a real browser: it loads from this computer alone, a key press pauses the run."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import Stage
from tests.e2e.conftest import stage as stage
from tests.web.chromium import Page, browser_page, chromium_program
from vqa_tui.domain.run import Intent, Phase
from vqa_tui.operations.planning import RunRequest

needs_chromium = pytest.mark.skipif(chromium_program() is None, reason="Chromium is not installed")


@asynccontextmanager
async def serving(folder: Path, *options: str) -> AsyncIterator[str]:
    """Run `vqa-tui web` on the workspace in `folder`; give the address that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "vqa_tui", "web", "--workspace", str(folder), *options,
        stdout=asyncio.subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        while not (found := re.search(r"http://\S+", (await process.stdout.readline()).decode())):
            assert not process.stdout.at_eof()
        yield found.group()
    finally:
        process.terminate()
        assert await process.wait() == 0


async def slow_run(stage: Stage) -> int:
    """A run that is at work for minutes."""
    name = await stage.pictures(60)
    endpoint = stage.endpoint(latency_ms=4000, concurrency=1)
    run_id = await stage.run(RunRequest(name, "caption", endpoint, name="slow", pilot=0, yes=True))
    await stage.until_phase(run_id, Phase.RUNNING)
    return run_id


async def open_dashboard(page: Page) -> None:
    """Go to the dashboard of the run that is at work."""
    await page.until_shown("slow")
    await page.evaluate("document.querySelector('textarea.xterm-helper-textarea').focus()")
    await page.press("2")
    await page.until_shown("Throughput")
    await page.until_shown("why idle")


@needs_chromium
async def test_a_key_pressed_in_the_browser_pauses_the_run(stage: Stage, tmp_path: Path) -> None:
    run_id = await slow_run(stage)
    async with serving(tmp_path) as address, browser_page(tmp_path, address) as page:
        await open_dashboard(page)
        await page.press("p")
        await page.until_shown("Pausing")
        await stage.until(run_id, lambda view: view.intent is Intent.PAUSE)
        await stage.until_phase(run_id, Phase.PAUSED)
        assert page.errors == []
        from_elsewhere = {url for url in page.loaded if not url.startswith(("data:", "about:"))}
        assert from_elsewhere and all(address.split("/")[2] in url for url in from_elsewhere)


@needs_chromium
async def test_a_page_that_may_only_look_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    run_id = await slow_run(stage)
    async with serving(tmp_path, "--readonly") as address, browser_page(tmp_path, address) as page:
        await open_dashboard(page)
        await page.press("p")
        await page.until_shown("may only look")
        view = await stage.view(run_id)
        assert view.intent is Intent.RUN and view.phase is Phase.RUNNING


async def test_without_the_whole_secret_there_is_only_a_403(stage: Stage, tmp_path: Path) -> None:
    async with serving(tmp_path) as address, aiohttp.ClientSession() as session:
        refused: dict[str, tuple[str, dict[str, str]]] = {
            "wrong": (re.sub(r"/[^/]+/$", "/wrong/", address), {}),
            "none": (re.sub(r"/[^/]+/$", "/", address), {}),
            "cut": (address[:-2] + "/", {}),
            "wrong for the socket": (re.sub(r"/[^/]+/$", "/wrong/ws", address), {}),
            "another host name": (address, {"Host": "evil.example"}),
            "another page": (address + "ws", {"Origin": "http://evil.example"}),
            "none for a file": (re.sub(r"/[^/]+/$", "/static/js/textual.js", address), {}),
        }
        for what, (url, headers) in refused.items():
            async with session.get(url, headers=headers) as response:
                assert response.status == 403, what
                assert "vqa" not in await response.text(), what
            async with session.get(address) as response:
                assert response.status == 200, what
                assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_other_addresses_than_loopback_are_refused_unless_asked_for(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "vqa_tui", "web", "--host", "0.0.0.0", "--workspace", str(tmp_path),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _out, words = await process.communicate()
    assert process.returncode == 2
    assert b"--allow-network" in words and b"spend your money" in words
