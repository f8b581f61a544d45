"""`vqa-tui simulate`: what it prints, what it refuses, and that Ctrl+C is its normal end."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from vqa_tui.cli.errors import CommandGroup
from vqa_tui.cli.simulate import simulate
from vqa_tui.config.endpoint import Endpoint

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import typer; from vqa_tui.cli.simulate import simulate; typer.run(simulate)"


def refused(*arguments: str) -> str:
    app = typer.Typer(cls=CommandGroup, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command("simulate")(simulate)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert result.exit_code == 2, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fail", "rest=0.1"), "Did you mean reset?"),
        (("--fail", "oops=0.1"), "Known faults: 500, 503, reset, truncated, bad_json, refused, empty, timeout, drip"),
        (("--fail", "500=2"), "from 0 to 1"),
        (("--rpm-key", "a"), "not NAME=N"),
        (("--rpm-key", "a=0"), "not NAME=N"),
        (("--keys", "a,b c"), "cannot be the name of a key"),
        (("--bad-keys", "ä"), "cannot be the name of a key"),
        (("--keys", "a,a"), "--keys: a is given twice"),
        (("--keys", "a,b", "--bad-keys", "zz"), "--bad-keys: there is no key zz"),
        (("--bad-keys", "zz"), "--keys main,zz"),
        (("--keys", "a", "--rpm-key", "b=3"), "--rpm-key: there is no key b"),
        (("--keys", "a", "--rpm-key", "a=3", "--rpm-key", "a=4"), "given twice"),
        (("--rpm", "99999999999999"), "--rpm: should be"),
        (("--tpm-key", "a"), "--tpm-key: 'a' is not NAME=N"),
        (("--keys", "a", "--tpm-key", "b=3"), "--tpm-key: there is no key b"),
        (("--limits-told", "loudly"), "--limits-told: should be 'openai', 'gemini' or 'nothing'"),
        (("--latency", "1e300"), "--latency: should be"),
        (("--fail", "500=0.7,503=0.7"), "add up to 1.4"),
        (("--rpm", "0"), "--rpm"),
        (("--port", "70000"), "--port"),
    ],
)
def test_wrong_options_exit_with_2_and_say_what_is_right(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_endpoint_that_loads_and_serves_until_it_is_ended(ending: signal.Signals) -> None:
    options = [
        "--latency",
        "0",
        "--keys",
        "a,b.2",
        "--bad-keys",
        "b.2",
        "--rpm",
        "60",
        "--fail",
        "empty=1",
        "--seed",
        "3",
    ]
    served = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *options], stdout=subprocess.PIPE, cwd=ROOT, text=True, encoding="utf-8"
    )
    assert served.stdout is not None
    try:
        base_url = served.stdout.readline().strip()
        printed = ""
        while "Ctrl+C" not in printed:
            line = served.stdout.readline()
            assert line, "it ended early"
            printed += line
        endpoint = Endpoint.model_validate(yaml.safe_load(printed.split("# Key values")[0]))
        assert endpoint.base_url == base_url and endpoint.kind == "openai-compatible"
        assert [key.name for key in endpoint.keys] == ["a", "b.2"]
        assert f"export {endpoint.keys[1].env}=embedded-b.2" in printed
        body = json.dumps({"model": endpoint.model, "messages": [{"role": "user", "content": "x"}]}).encode()
        request = urllib.request.Request(
            f"{base_url}/chat/completions", body, headers={"Authorization": "Bearer embedded-a"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert json.load(response)["choices"][0]["message"]["content"] == ""
            assert response.headers["x-ratelimit-limit-requests"] == "60"
        served.send_signal(ending)
        assert served.wait(10) == 0
        assert served.stdout.read().strip() == "1 requests, 1 answered, 1 empty"
    finally:
        served.kill()
        served.wait()
        served.stdout.close()


def test_heavy_imports_wait_until_it_runs() -> None:
    program = "import sys, vqa_tui.cli.simulate; print([m for m in ('aiohttp', 'PIL', 'pydantic') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert loaded.stdout.strip() == "[]"
