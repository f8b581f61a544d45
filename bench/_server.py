"""The endpoint of the benchmarks: answers every POST with one fixed completion, as cheaply as Python can.

    python bench/_server.py [--latency-ms 200] [--reply caption|pairs]

It runs in a process of its own, writes its port as the first line of standard output and answers until standard input
closes. A request's body is counted and thrown away in one buffer that all connections share: nothing is parsed, kept or
checked, so that the server is never what a benchmark measures. Each line on standard input arms a mark: the next
request makes it write the line `first`, by which a benchmark knows that a program's start-up is over.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress

CAPTION = "A grey square of noise without any object in it, evenly lit, with no text and nothing that stands out."
PAIRS = json.dumps(
    [
        {
            "question": f"What can be said about part {number} of this picture?",
            "answer": f"Part {number} shows grey noise of even brightness and no object that could be named.",
            "question_type": "description",
        }
        for number in range(1, 11)
    ]
)
_LENGTH = b"content-length:"
_BUFFER = memoryview(bytearray(512 * 1024))
_LARGEST_HEAD = 64 * 1024


def http_answer(text: str) -> bytes:
    """Return a whole HTTP/1.1 answer that holds `text` as the reply of a model."""
    completion = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": len(text) // 4, "total_tokens": 1000 + len(text) // 4},
    }
    body = json.dumps(completion).encode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req-bench\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.BufferedProtocol):
    """One connection: counts bytes up to the end of a request, and answers after the latency."""

    def __init__(self, answer: bytes, latency_s: float, noted: Callable[[], None]) -> None:
        self._answer = answer
        self._latency_s = latency_s
        self._noted = noted
        self._head = bytearray()
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._missing > 0:
            self._missing -= nbytes
        else:
            self._head += _BUFFER[:nbytes]
            if not self._begin():
                return
        if self._missing == 0:
            self._respond()
        elif self._missing < 0:
            raise ValueError("requests that follow each other without waiting are not spoken here")

    def _begin(self) -> bool:
        """Read the length of the body once the head is whole; False while it is not."""
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if len(self._head) > _LARGEST_HEAD:
                self._transport.abort()
            return False
        head = bytes(self._head[:end]).lower()
        start = head.find(_LENGTH)
        if b"expect: 100-continue" in head:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        self._missing = length - (len(self._head) - end - 4)
        self._head.clear()
        self._noted()
        return True

    def _respond(self) -> None:
        if self._latency_s > 0:
            asyncio.get_running_loop().call_later(self._latency_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._answer)


async def serve(latency_s: float, text: str) -> None:
    armed = False
    answer = http_answer(text)

    def note() -> None:
        nonlocal armed
        if armed:
            armed = False
            print("first", flush=True)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer, latency_s, note), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        armed = True
        print("armed", flush=True)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=200)
    parser.add_argument("--reply", choices=("caption", "pairs"), default="caption")
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.latency_ms / 1000, PAIRS if arguments.reply == "pairs" else CAPTION))


if __name__ == "__main__":
    main()
