"""The yardstick of the benchmarks: an aiohttp loop that posts prebuilt bodies and throws the answers away.

    python bench/_bare.py --url URL --in-flight 64 --requests 1000 --pictures DIR

It runs in a process of its own and writes one JSON object: the times of all answers, and the CPU seconds between the
first request and the last answer.
"""

import argparse
import asyncio
import base64
import json
import resource
import time
from itertools import cycle
from pathlib import Path

import aiohttp

_BODIES = 256
"""Different bodies, sent in turn; as many as there are pictures would only take memory."""


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def prebuilt(folder: Path) -> list[bytes]:
    """Return the bodies of requests about the first pictures of a folder."""
    bodies = []
    for path in sorted(folder.iterdir())[:_BODIES]:
        picture = base64.b64encode(path.read_bytes()).decode()
        content = [
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}},
            {"type": "text", "text": "Describe this picture."},
        ]
        fields = {"model": "bench", "max_tokens": 400, "messages": [{"role": "user", "content": content}]}
        bodies.append(json.dumps(fields).encode())
    return bodies


async def ask_all(url: str, bodies: list[bytes], requests: int, in_flight: int) -> dict[str, object]:
    """Send `requests` requests, `in_flight` at a time; return the Unix times of the answers, and the CPU seconds."""
    left = requests
    turn = cycle(bodies)
    answered: list[float] = []

    async def ask(session: aiohttp.ClientSession) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            async with session.post(url, data=next(turn), headers={"Content-Type": "application/json"}) as response:
                await response.read()
            answered.append(time.time())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        started, before = time.time(), cpu_s()
        await asyncio.gather(*(ask(session) for _ in range(in_flight)))
        return {"started": started, "answered": answered, "cpu_s": cpu_s() - before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--pictures", type=Path, required=True)
    arguments = parser.parse_args()
    bodies = prebuilt(arguments.pictures)
    print(json.dumps(asyncio.run(ask_all(arguments.url, bodies, arguments.requests, arguments.in_flight))))


if __name__ == "__main__":
    main()
