"""A headless Chromium that a test drives over its debugging protocol; it reaches nothing but loopback."""

import asyncio
import base64
import itertools
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_S = 60.0
_BINARY = 2
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\\\)|\x1b.")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--window-size=1400,900",
)  # fmt: skip


def chromium_program() -> str | None:
    """Return where Chromium is installed, if it is."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.loaded: list[str] = []
        """Addresses from which the page got an answer."""
        self.errors: list[str] = []
        self.shown = ""
        """Text that came to the terminal in the page, in the order in which it was drawn."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; what the page reports meanwhile is noted."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=PATIENCE_S)
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.responseReceived":
                self.loaded.append(parameters["response"]["url"])
            case "Network.webSocketCreated":
                self.loaded.append(parameters["url"])
            case "Network.webSocketFrameReceived":
                if parameters["response"]["opcode"] == _BINARY:
                    drawn = base64.b64decode(parameters["response"]["payloadData"]).decode("utf-8", "replace")
                    self.shown += _ESCAPES.sub(" ", drawn)
            case "Runtime.exceptionThrown":
                self.errors.append(str(parameters["exceptionDetails"]))

    async def evaluate(self, expression: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    async def until_shown(self, words: str) -> None:
        """Wait until the terminal in the page has been sent `words` since the last such wait."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.shown:
            assert time.monotonic() < deadline, f"waited in vain for {words!r}; shown: {self.shown[-2000:]}"
            await asyncio.sleep(0.05)
            await self.evaluate("1")
        self.shown = self.shown.partition(words)[2]

    async def press(self, key: str) -> None:
        """Press and release a key that types one character."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def screenshot(self, path: Path) -> None:
        shot = await self.call("Page.captureScreenshot")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser_page(folder: Path, address: str) -> AsyncIterator[Page]:
    """Open `address` in a Chromium of its own, with its profile in `folder`."""
    program = chromium_program()
    assert program is not None
    profile = folder / "chromium"
    process = await asyncio.create_subprocess_exec(
        program, *_FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await _debugging_port(profile / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as response:
                target = await response.json()
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Page", "Runtime", "Network"):
                    await page.call(f"{domain}.enable")
                await page.call("Page.navigate", url=address)
                yield page
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _debugging_port(file: Path, process: asyncio.subprocess.Process) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        if lines := await asyncio.to_thread(_lines_of, file):
            return int(lines[0])
        assert process.returncode is None, f"Chromium ended with {process.returncode}"
        assert time.monotonic() < deadline, "Chromium did not come up"
        await asyncio.sleep(0.05)


def _lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
