"""The token of the API: without it nothing is told; where it comes from; that it is written nowhere."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from typer.testing import CliRunner

from tests.api.conftest import JOBS, TOKEN, Api
from vqa_tui.api.bearer import token_of_file, token_of_variable
from vqa_tui.cli.main import app
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.workspace import open_workspace

ADDRESSES = ("/openapi.json", "/metrics", "/api/v1/runs", JOBS, f"{JOBS}/1", f"{JOBS}/1/log", "/nothing")


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \u00e4"]
)
async def test_without_the_token_nothing_is_told(api: Api, path: str, given: str) -> None:
    answer = await api.ask("GET", path, headers={"Authorization": given})
    assert (answer.status, "token" in answer.message) == (401, True)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text


async def test_the_token_is_not_taken_from_the_address(api: Api) -> None:
    answer = await api.ask("GET", f"{JOBS}?access_token={TOKEN}", headers={"Authorization": ""})
    assert answer.status == 401


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "bad host"])
async def test_another_name_for_this_computer_is_refused(api: Api, name: str) -> None:
    answer = await api.ask("GET", JOBS, headers={"Host": name})
    assert answer.status in (400, 403)
    assert (await api.ask("GET", JOBS, headers={"Host": "localhost:99"})).status == 200


def test_a_token_file_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    with pytest.raises(VqaError, match="can be read by others"):
        token_of_file(path)
    path.chmod(0o600)
    assert token_of_file(path) == TOKEN
    path.write_bytes(b"\xff")
    with pytest.raises(VqaError, match="cannot be read"):
        token_of_file(path)


@pytest.mark.parametrize("value", ["", "short", "has a space in it, it has", "t\u00f6ken-t\u00f6ken-t\u00f6ken"])
def test_what_is_no_token_is_refused_without_being_told(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", value)
    with pytest.raises(VqaError) as refused:
        token_of_variable("MINE")
    assert "MINE" in str(refused.value) and (not value or value not in str(refused.value))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "other computers would reach the API"),
        (["--token-env", "A", "--token-file", "b"], "both say where the token is"),
        (["--token-env", "NOT_THERE"], "holds no token"),
        (["--token-file", "not-there"], "No such file"),
        ([], "there is no workspace"),
    ],
)
def test_what_the_command_refuses(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["api", *words], prog_name="vqa-tui")
    assert (result.exit_code, said in result.stderr) == (2, True), result.output
    assert not (tmp_path / ".vqa").exists()


@contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start the command; give it and the lines that it says before it serves."""
    command = [sys.executable, "-P", "-m", "vqa_tui", "api", "--workspace", str(folder), *words]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
    )
    try:
        lines: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if "Ctrl+C" in line:
                break
        yield process, lines
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def files_with(token: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


async def make_workspace(folder: Path) -> None:
    async with open_workspace(folder):
        pass


async def test_a_made_token_is_printed_once_and_written_nowhere(tmp_path: Path) -> None:
    await make_workspace(tmp_path)
    with serving(tmp_path) as (process, lines):
        address = lines[0]
        (token,) = [line for line in lines if re.fullmatch(r"[\w-]{43}", line)]
        async with ClientSession() as session, asyncio.timeout(60):
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{address}/api/v1/runs", headers=headers) as response:
                assert await response.json() == {"runs": []}
            # No HTTP: the header would stand in a log.
            reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            writer.write(f"GET / HTTP/1.1\r\nAuthorization: Bearer {token}\0\r\n\r\n".encode())
            await reader.read()
            writer.close()
        assert process.stdout is not None
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 0
    assert token not in rest and "Traceback" not in rest
    assert files_with(token, tmp_path) == []


async def test_a_given_token_is_not_printed(tmp_path: Path) -> None:
    await make_workspace(tmp_path)
    with serving(tmp_path, "--token-env", "MINE", MINE=TOKEN) as (_process, lines):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with ClientSession() as session, session.get(f"{lines[0]}/metrics", headers=headers) as response:
            assert response.status == 200
    assert TOKEN not in " ".join(lines)
