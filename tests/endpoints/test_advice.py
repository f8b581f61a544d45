"""What a check says to do: for each vendor's address, for each reason not to connect, and for each kind of 4xx."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.conftest import KEY, MakeEndpoint
from vqa_tui.config.load import list_endpoints, load_endpoint
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.advice import advice_for
from vqa_tui.endpoints.check import CheckReport, CheckStep, check
from vqa_tui.endpoints.completion import read_completion
from vqa_tui.endpoints.vendor_addresses import right_address
from vqa_tui.paths import shipped_configs

RECORDED = Path(__file__).parent / "recorded"


def failing(report: CheckReport) -> CheckStep:
    (step,) = [step for step in report.steps if not step.ok]
    return step


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("https://generativelanguage.googleapis.com/v1beta", "/v1beta/openai/"),
        ("https://generativelanguage.googleapis.com/v1beta/models", "/v1beta/openai/"),
        ("https://aiplatform.googleapis.com/v1/projects/p", "/endpoints/openapi"),
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.anthropic.com/", "https://api.anthropic.com/v1/"),
        ("https://openrouter.ai/v1", "https://openrouter.ai/api/v1"),
        ("https://mine.openai.azure.com/", "/openai/deployments/DEPLOYMENT"),
        ("http://localhost:11434", "http://localhost:11434/v1"),
        ("http://gpu-box:8000/", "http://gpu-box:8000/v1"),
    ],
)
def test_a_wrong_path_at_a_known_host_is_told_with_the_right_one(wrong: str, right: str) -> None:
    assert right in right_address(wrong)


def test_the_shipped_addresses_are_right() -> None:
    folders = [shipped_configs() / "endpoints"]
    addresses = [load_endpoint(file.name, folders=folders).base_url for file in list_endpoints(folders)]
    assert [address for address in addresses if right_address(address)] == []


@pytest.mark.parametrize("path", ["/v1beta", "/v1beta/models"])
async def test_gemini_without_its_openai_is_found_by_a_real_request(
    server: Any, make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    # Through a proxy on loopback, so that the request really is for Google's host.
    monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
    server.answers(404, "<html>The requested URL was not found on this server.</html>")
    report = await check(make_endpoint(), f"http://generativelanguage.googleapis.com{path}", {"main": KEY})
    step = failing(report)
    assert step.name == "address" and "https://generativelanguage.googleapis.com/v1beta/openai/" in step.advice
    assert len(server.seen) == 1


async def test_a_deployment_that_is_not_there_is_no_wrong_address(
    server: Any, make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
    recorded = json.loads((RECORDED / "azure_404_deployment_not_found.json").read_text())
    server.answers(404, recorded["body"])
    address = "http://mine.openai.azure.com/openai/deployments/gpt-4o-mini"
    step = failing(await check(make_endpoint(), address, {"main": KEY}))
    assert step.name == "model" and "names the deployment" in step.advice


async def test_the_nearest_model_is_named_first(server: Any, make_endpoint: MakeEndpoint) -> None:
    from aiohttp import web

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/models"):
            names = ("models/gemini-3.5-flash-lite", "models/gemini-3.8-flash", "models/embedding-9")
            return web.json_response({"data": [{"id": name} for name in names]})
        return web.json_response({"error": {"message": "not found", "status": "NOT_FOUND"}}, status=404)

    server.handler = handler
    report = await check(make_endpoint(model="gemini-3.5-flash-light"), server.base_url, {"main": KEY})
    assert failing(report).advice.startswith("Did you mean gemini-3.5-flash-lite? ")


@pytest.mark.parametrize("name", ["gemini_429_day_paid", "gemini_429_day_says_one_second"])
async def test_a_day_that_is_used_up_says_when_it_begins_anew(
    server: Any, make_endpoint: MakeEndpoint, name: str
) -> None:
    server.answers(429, json.loads((RECORDED / f"{name}.json").read_text())["body"])
    endpoint = make_endpoint(day_resets="America/Los_Angeles")
    step = failing(await check(endpoint, server.base_url, {"main": KEY}))
    assert "begin anew at midnight (America/Los_Angeles)" in step.advice and "another project" in step.advice


async def test_a_429_says_how_long_to_wait_and_a_403_is_no_401(server: Any, make_endpoint: MakeEndpoint) -> None:
    told = {}
    for status, headers in ((429, {"Retry-After": "37"}), (403, {}), (401, {})):
        server.answers(status, {"error": {"message": "no"}}, headers)
        told[status] = failing(await check(make_endpoint(), server.base_url, {"main": KEY})).advice
    assert told[429].startswith("It asks to wait 37 s.") and "requests_per_minute" in told[429]
    assert "not allowed to do this" in told[403] and "VPN" in told[403]
    assert "holds the whole key" in told[401]


async def test_a_server_of_ones_own_that_is_not_running(make_endpoint: MakeEndpoint) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    step = failing(await check(make_endpoint(), address, {"main": KEY}))
    assert step.name == "address" and step.advice.startswith("Start the server")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://localhost:11434/v1", "`ollama serve`"),
        ("http://localhost:8000/v1", "`vllm serve MODEL`"),
        ("https://ai-gateway.dev.cloudops.cloudera.com/v1", "only from inside their own network"),
        ("https://api.openai.com/v1", "a firewall may want a proxy"),
    ],
)
def test_who_cannot_be_reached_decides_what_to_do(address: str, words: str) -> None:
    gone = Failure(FailureKind.NETWORK, "no connection", never_sent=True)
    assert words in advice_for(gone, address)


def test_a_proxy_in_the_way_is_named() -> None:
    gone = Failure(FailureKind.NETWORK, "the proxy refused to connect us (HTTP 407)", never_sent=True)
    assert "HTTPS_PROXY" in advice_for(gone, "https://api.openai.com/v1")


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "[]"])
def test_what_is_no_completion_is_taken_for_another_server_and_not_for_a_model_that_thinks(body: str) -> None:
    failure = read_completion(body).failure
    assert failure is not None
    advice = advice_for(failure, "http://localhost:11434")
    assert "login page" in advice and "http://localhost:11434/v1" in advice
    assert "thinks" not in advice
