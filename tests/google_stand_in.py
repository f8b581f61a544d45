"""A stand-in of Google's token service on loopback, and a service account that asks it for access tokens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class TokenService:
    """Gives out `token-of-the-stand-in-1`, `-2`, …, each good for `lasts_s` seconds."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.lasts_s = 3600
        self.status = 200
        self.given: list[str] = []

    def credentials_file(self, folder: Path) -> Path:
        """Write a service account that asks here; return its file."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        account = {
            "type": "service_account",
            "project_id": "a-project",
            "private_key_id": "1",
            "private_key": key.private_bytes(encoding, form, serialization.NoEncryption()).decode(),
            "client_email": "robot@a-project.iam.gserviceaccount.com",
            "token_uri": self.uri,
        }
        path = folder / "credentials.json"
        path.write_text(json.dumps(account))
        return path

    def answer(self) -> tuple[int, dict[str, object]]:
        if self.status != 200:
            return self.status, {"error": "invalid_grant", "error_description": "Account has been deleted"}
        self.given.append(f"token-of-the-stand-in-{len(self.given) + 1}")
        return 200, {"access_token": self.given[-1], "expires_in": self.lasts_s, "token_type": "Bearer"}


@contextmanager
def token_service() -> Iterator[TokenService]:
    """Serve tokens meanwhile, from a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = service.answer()
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Tests keep their output to themselves."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = TokenService(f"http://127.0.0.1:{server.server_address[1]}/token")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
