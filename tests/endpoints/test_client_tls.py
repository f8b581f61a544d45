"""Certificates made on the spot: whom the client does not trust, it tells nothing."""

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endpoints.conftest import PLANTED, MakeEndpoint, failed
from vqa_tui.config.endpoint import Timeouts
from vqa_tui.domain.failure import FailureKind

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
LONG_AGO = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
AUTHORITY = """[ca]
default_ca = here
[here]
new_certs_dir = {folder}
database = {folder}/index
serial = {folder}/serial
default_md = sha256
policy = names
default_days = 2
[names]
commonName = supplied
[made]
subjectAltName = DNS:{name}
basicConstraints = CA:TRUE
"""
ASKER = """
import asyncio, json, sys
from pydantic import SecretStr
from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.endpoints.client import AskFailed, VisionClient

async def ask(url):
    endpoint = Endpoint(name="x", base_url=url, model="m", keys=(KeyConfig(name="a", env="K"),))
    async with VisionClient(endpoint, url, 1) as client:
        try:
            await client.ask(b"{}", SecretStr(sys.argv[2]))
        except AskFailed as error:
            failure = error.failure
            print(json.dumps([failure.kind, failure.message, failure.never_sent]))

asyncio.run(ask(sys.argv[1]))
"""


def certificate(folder: Path, name: str, *dates: str) -> tuple[Path, Path]:
    """Make a certificate for `name` that signs itself; return it and its key."""
    folder.mkdir()
    (folder / "index").touch()
    (folder / "serial").write_text("01")
    settings, key, request, made = (folder / part for part in ("ca.cnf", "key.pem", "request.pem", "made.pem"))
    settings.write_text(AUTHORITY.format(folder=folder, name=name))
    new = f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {key} -out {request}"
    sign = f"ca -config {settings} -batch -selfsign -keyfile {key} -in {request} -out {made} -extensions made -notext"
    for command in (new, f"{sign} {' '.join(dates)}"):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    return made, key


@pytest.mark.parametrize(
    ("name", "dates", "words"),
    [
        ("localhost", LONG_AGO, "the certificate of localhost is not trusted (certificate has expired)"),
        ("elsewhere.example", (), "the certificate of localhost is not trusted (Hostname mismatch"),
    ],
    ids=["expired", "of another host"],
)
async def test_a_wrong_certificate_of_a_trusted_authority(
    tmp_path: Path, name: str, dates: tuple[str, ...], words: str
) -> None:
    made, key = await asyncio.to_thread(certificate, tmp_path / "authority", name, *dates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as opened:
        url = f"https://localhost:{opened.sockets[0].getsockname()[1]}/v1"
        # A process of its own, because what it trusts is settled when it starts.
        asker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ASKER, url, PLANTED,
            env={"SSL_CERT_FILE": str(made), "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        said, errors = await asker.communicate()
    kind, message, never_sent = json.loads(said)
    assert (kind, never_sent) == (FailureKind.NETWORK, True) and message.startswith(words)
    assert not any(received) and PLANTED.encode() not in said + errors


async def test_a_handshake_that_is_never_answered_ends_with_the_time_to_connect(make_endpoint: MakeEndpoint) -> None:
    received: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            received.append(data)

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as opened:
        url = f"https://127.0.0.1:{opened.sockets[0].getsockname()[1]}/v1"
        error = await failed(make_endpoint(timeouts=Timeouts(connect_s=0.3, first_byte_s=5, total_s=5)), url)
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.TIMEOUT, True)
    assert error.failure.message == "no connection to the endpoint in the time allowed"
    assert not any(PLANTED.encode() in data for data in received)
