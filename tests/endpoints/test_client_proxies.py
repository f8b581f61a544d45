"""The client behind the proxies that an environment names, and beside a ~/.netrc."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.conftest import PLANTED, MakeCompletion, MakeEndpoint, StartRaw, ask, failed
from vqa_tui.domain.failure import FailureKind, VqaError
from vqa_tui.endpoints.client import VisionClient


async def test_the_proxy_of_the_environment_is_used_with_its_password(
    raw_server: StartRaw, make_endpoint: MakeEndpoint, completion: MakeCompletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []
    body = json.dumps(completion()).encode()

    def proxy(request: bytes) -> bytes:
        requests.append(request)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    monkeypatch.setenv("http_proxy", f"http://user:pass@{await raw_server(proxy)}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert (await ask(make_endpoint(), "http://far.example/v1")).text == "Two knives."
    assert requests[0].startswith(b"POST http://far.example/v1/chat/completions HTTP/1.1")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in requests[0]


@pytest.mark.parametrize("reply", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"x"])
async def test_a_proxy_that_refuses_has_not_let_the_request_through(
    raw_server: StartRaw, make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    sent: list[bytes] = []

    def proxy(request: bytes) -> bytes:
        sent.append(request)
        return reply

    monkeypatch.setenv("https_proxy", f"http://{await raw_server(proxy)}")
    error = await failed(make_endpoint(), "https://far.example/v1")
    assert error.failure.kind is FailureKind.NETWORK
    assert PLANTED.encode() not in b"".join(sent)
    assert error.failure.never_sent is reply.startswith(b"HTTP")


async def test_this_computer_is_never_asked_for_through_a_proxy(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server.answers(200, completion())
    assert (await ask(make_endpoint(), server.base_url)).http_status == 200


async def test_an_entry_in_netrc_does_not_replace_the_key(
    server: Any,
    make_endpoint: MakeEndpoint,
    completion: MakeCompletion,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers(200, completion())
    await ask(make_endpoint(), server.base_url)
    assert server.seen[0].headers["authorization"] == f"Bearer {PLANTED}"


@pytest.mark.parametrize("variable", ["no_proxy", "http_proxy"])
def test_no_proxy_and_socks(make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    if variable == "no_proxy":
        monkeypatch.setenv("no_proxy", "far.example")
        VisionClient(make_endpoint(), "http://far.example/v1", 1)
    else:
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(VqaError, match="names a socks5 proxy"):
            VisionClient(make_endpoint(), "http://far.example/v1", 1)
