"""The real engine before an endpoint whose rate limit it is not told: settled throughput and the share of 429s.

    python bench/throttle.py [--rate 20] [--seconds 110] [--in-flight 64] [--latency-ms 200] [--burst-s 1]
                             [--retry-after]

The endpoint is a token bucket on loopback: it lets `rate` requests a second through, saves up to `burst-s` seconds of
them, and turns the others away with 429, at once; with `--retry-after` it says how long to wait. The engine runs as it
does for a person, over as many pictures as the limit lets through in `seconds`. Printed as JSON, and measured by the
endpoint's own clock: `settled_per_s` are the answers a second from 60 s after the first request to the last but two
seconds, `share_429` is of all requests, `share_429_settled` of those after the first 60 s.
"""

import argparse
import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession, web
from PIL import Image

from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import open_workspace

SETTLED_S = 60.0
REPLY = {
    "id": "1",
    "object": "chat.completion",
    "model": "bench",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A grey square of noise."}}
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 8, "total_tokens": 1008},
}
REFUSAL = {
    "error": {"message": "Rate limit reached, try again later", "type": "requests", "code": "rate_limit_exceeded"}
}


class Endpoint:
    """A token bucket before a model that always takes the same time."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._rate: float = arguments.rate
        self._burst = max(arguments.rate * arguments.burst_s, 1.0)
        self._tokens = self._burst
        self._at = time.monotonic()
        self._latency_s = arguments.latency_ms / 1000
        self._tells: bool = arguments.retry_after
        self.answered: list[float] = []
        self.rejected: list[float] = []

    async def chat(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        await request.read()
        if self._tokens < 1:
            self.rejected.append(now)
            wait = {"Retry-After": str(math.ceil((1 - self._tokens) / self._rate))} if self._tells else {}
            return web.json_response(REFUSAL, status=429, headers=wait)
        self._tokens -= 1
        self.answered.append(now)
        await asyncio.sleep(self._latency_s)
        return web.json_response(REPLY)

    async def report(self, request: web.Request) -> web.Response:
        first, last = min(self.answered + self.rejected), self.answered[-1] - 2
        settled = [at for at in self.answered if first + SETTLED_S <= at < last]
        refused = [at for at in self.rejected if first + SETTLED_S <= at < last]
        return web.json_response(
            {
                "requests": len(self.answered) + len(self.rejected),
                "rejected": len(self.rejected),
                "seconds": round(self.answered[-1] - first, 1),
                "settled_per_s": round(len(settled) / max(last - first - SETTLED_S, 1.0), 2),
                "settled_of_rate": round(len(settled) / max(last - first - SETTLED_S, 1.0) / self._rate, 3),
                "share_429": round(len(self.rejected) / (len(self.answered) + len(self.rejected)), 4),
                "share_429_settled": round(len(refused) / max(len(refused) + len(settled), 1), 4),
            }
        )


async def serve(arguments: argparse.Namespace) -> None:
    """Answer until standard input closes; the first line of standard output is the port."""
    endpoint = Endpoint(arguments)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", endpoint.chat)
    app.router.add_get("/report", endpoint.report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def engine_run(folder: Path, url: str, arguments: argparse.Namespace) -> None:
    """Let the engine work off every picture, or raise SystemExit."""
    (folder / "pictures").mkdir()
    for number in range(int(arguments.rate * arguments.seconds)):
        Image.effect_noise((48, 48), 60 + number % 40).save(folder / "pictures" / f"{number:06}.jpg", quality=80)
    config = folder / "bench.yaml"
    config.write_text(f"name: bench\nbase_url: {url}/v1\nmodel: bench\nkeys: [{{name: main}}]\n")
    async with open_workspace(folder) as workspace:
        await import_dataset(workspace, "folder", folder / "pictures", name="noise")
        request = RunRequest("noise", "caption", str(config), pilot=0, concurrency=arguments.in_flight)
        run_id = await create_run(workspace, request)
        engine = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "vqa_tui", "engine", str(run_id), "--workspace", str(workspace.paths.root),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if await engine.wait() != 0:
            raise SystemExit("the engine failed")


async def measure(arguments: argparse.Namespace) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", *sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(await server.stdout.readline())}"
        with tempfile.TemporaryDirectory() as name:
            await engine_run(Path(name), url, arguments)
        async with ClientSession() as session, session.get(f"{url}/report") as response:
            told = {"rate": arguments.rate, "in_flight": arguments.in_flight, "retry_after": arguments.retry_after}
            print(json.dumps(told | await response.json()))
    finally:
        server.terminate()
        await server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=110.0)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--burst-s", type=float, default=1.0)
    parser.add_argument("--retry-after", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments) if arguments.serve else measure(arguments))


if __name__ == "__main__":
    main()
