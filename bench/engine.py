"""The whole engine against a bare aiohttp loop on the same server: throughput as a ratio, CPU per picture.

    python bench/engine.py [--pictures 3000] [--in-flight 64] [--latency-ms 200] [--kilobytes 100]

The server answers every request with one fixed reply after the given latency. The bare loop sends bodies that were
built beforehand and throws the answers away; the engine reads the queue, opens the files, builds the bodies, reads the
replies and commits them. Both run one after the other on the same machine, so only their ratio means anything.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from aiohttp import web
from PIL import Image

from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view
from vqa_tui.operations.workspace import open_workspace

REPLY = {
    "id": "1",
    "object": "chat.completion",
    "model": "bench",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A grey square of noise."}}
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 8, "total_tokens": 1008},
}


async def serve(latency_s: float) -> None:
    """Answer until standard input closes; the first line of standard output is the port."""
    answer = json.dumps(REPLY).encode()

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(latency_s)
        return web.Response(body=answer, content_type="application/json")

    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def bare_loop(url: str, body: bytes, count: int, in_flight: int) -> float:
    """Return requests a second of `in_flight` loops that post one prebuilt body."""
    left = count

    async def loop(session: aiohttp.ClientSession) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        started = time.perf_counter()
        await asyncio.gather(*(loop(session) for _ in range(in_flight)))
        return count / (time.perf_counter() - started)


def draw(folder: Path, count: int, kilobytes: int) -> None:
    """Draw different noise pictures of about `kilobytes` each."""
    folder.mkdir()
    side = int((kilobytes * 1000 / 0.55) ** 0.5)
    for number in range(count):
        picture = Image.effect_noise((side, side), 60 + number % 40)
        picture.save(folder / f"{number:06}.jpg", quality=80)


async def engine_run(folder: Path, url: str, in_flight: int) -> tuple[float, float, int]:
    """Return (pictures a second between first request and last commit, CPU ms per picture, pictures)."""
    endpoint = folder / "bench.yaml"
    endpoint.write_text(f"name: bench\nbase_url: {url}\nmodel: bench\nkeys: [{{name: main}}]\n")
    async with open_workspace(folder) as workspace:
        await import_dataset(workspace, "folder", folder / "pictures", name="noise")
        request = RunRequest("noise", "caption", str(endpoint), pilot=0, concurrency=in_flight)
        run_id = await create_run(workspace, request)
        engine = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "vqa_tui", "engine", str(run_id), "--workspace", str(workspace.paths.root),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if await engine.wait() != 0:
            raise SystemExit("the engine failed")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        view = await run_view(workspace, run_id)
        first, last = (
            await workspace.db.read("SELECT min(started_at), max(started_at + latency_ms / 1000) FROM attempt")
        )[0]
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return view.counts.done / (last - first), cpu * 1000 / view.counts.done, view.counts.done


async def compare(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "pictures", arguments.pictures, arguments.kilobytes)
        server = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--serve", "--latency-ms", str(arguments.latency_ms),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(await server.stdout.readline())}/v1"
            size = sum(path.stat().st_size for path in (folder / "pictures").iterdir()) / arguments.pictures
            body = os.urandom(int(size * 4 / 3))
            bare = await bare_loop(f"{url}/chat/completions", body, arguments.pictures, arguments.in_flight)
            engine, cpu_ms, done = await engine_run(folder, url, arguments.in_flight)
        finally:
            server.terminate()
            await server.wait()
    print(
        json.dumps(
            {
                "in_flight": arguments.in_flight,
                "latency_ms": arguments.latency_ms,
                "pictures": done,
                "kilobytes": round(size / 1000),
                "bare_per_s": round(bare, 1),
                "engine_per_s": round(engine, 1),
                "ratio": round(engine / bare, 3),
                "engine_cpu_ms_per_picture": round(cpu_ms, 3),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.latency_ms / 1000) if arguments.serve else compare(arguments))


if __name__ == "__main__":
    main()
