"""A stand-in of the Hugging Face Hub's HTTP API on loopback, as much as downloads and uploads of datasets use of it."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40
CONVERTED_COMMIT = "d" * 40
PATIENCE_S = 60.0
_LARGE = (".parquet", ".rar", ".png", ".jpg", ".bin")
_PIECE = 1 << 20


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    authorization: str | None
    span: str | None


@dataclass
class Repo:
    """A dataset repository with its files."""

    files: dict[str, bytes] = field(default_factory=dict)
    token: str | None = None
    """Without this token it is not shown."""
    gated: bool = False
    private: bool | None = None
    messages: list[str] = field(default_factory=list)


@dataclass
class HubStandIn:
    """What it holds and how it behaves; a test changes both meanwhile."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    converted: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """For repositories the files of `refs/convert/parquet`."""
    asked: list[Asked] = field(default_factory=list)
    sent_bytes: int = 0
    """Of file contents."""
    stops_after: int | None = None
    """Bytes of one file's content after which it sends no more until `goes_on` is set."""
    stopped: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)
    spoils: bool = False
    """Whether the first byte of each content is another one."""
    knows_parts: bool = True
    """Whether it sends the part of a file that is asked for, and not all of it."""
    cuts: int = 0
    """So many of the next contents end half-way."""
    status: int | None = None
    """An error that answers everything."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    """Large contents by SHA-256 that were put, and belong to no commit yet."""


@contextmanager
def hub_stand_in() -> Iterator[HubStandIn]:
    """Serve meanwhile, from threads of its own."""
    hub = HubStandIn()

    class Handler(_Handler):
        stand_in = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.goes_on.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    stand_in: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass

    def do_HEAD(self) -> None:
        self._handled(b"")

    def do_GET(self) -> None:
        self._handled(b"")

    def do_POST(self) -> None:
        self._handled(self._body())

    def do_PUT(self) -> None:
        self._handled(self._body())

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _handled(self, body: bytes) -> None:
        hub, path = self.stand_in, unquote(urlsplit(self.path).path)
        hub.asked.append(Asked(self.command, path, self.headers.get("Authorization"), self.headers.get("Range")))
        if hub.status is not None:
            self._answer(hub.status, {"error": f"refused by the stand-in for {self.headers.get('Authorization')}"})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/put/([0-9a-f]{64})", path):
            hub.uploads[match[1]] = body
            self._answer(200, {})
        elif match := re.match(r"/(?:api/)?datasets/([^/]+/[^/]+?)(?:\.git)?(?:/|$)(.*)", path):
            self._of_repo(match[1], match[2], body)
        else:
            self._answer(404, {"error": f"the stand-in knows no {path}"})

    def _of_repo(self, repo_id: str, rest: str, body: bytes) -> None:
        repo = self.stand_in.repos.get(repo_id)
        is_known = repo is not None and self.headers.get("Authorization") in (f"Bearer {repo.token}", *_free(repo))
        if repo is None or not is_known:
            self._answer(401 if not self.headers.get("Authorization") else 404, {}, {"X-Error-Code": "RepoNotFound"})
        elif repo.gated:
            self._answer(403, {"error": "ask for access"}, {"X-Error-Code": "GatedRepo"})
        elif rest == "revision/refs/convert/parquet" and repo_id in self.stand_in.converted:
            siblings = [_sibling(name, data) for name, data in self.stand_in.converted[repo_id].items()]
            self._answer(200, {"id": repo_id, "sha": CONVERTED_COMMIT, "siblings": siblings})
        elif rest.startswith("resolve/"):
            _, commit, name = rest.split("/", 2)
            files = self.stand_in.converted[repo_id] if commit == CONVERTED_COMMIT else repo.files
            self._content(files, name)
        elif rest == "" or rest.startswith("revision/"):
            if rest.removeprefix("revision/") not in ("", "main", COMMIT):
                self._answer(404, {}, {"X-Error-Code": "RevisionNotFound"})
                return
            siblings = [_sibling(name, data) for name, data in repo.files.items()]
            self._answer(200, {"id": repo_id, "sha": COMMIT, "private": repo.private, "siblings": siblings})
        elif rest.startswith("preupload/"):
            modes = [
                {"path": each["path"], "uploadMode": "lfs" if each["path"].endswith(_LARGE) else "regular"}
                for each in json.loads(body)["files"]
            ]
            self._answer(200, {"files": [{**each, "shouldIgnore": False, "oid": None} for each in modes]})
        elif rest == "info/lfs/objects/batch":
            self._answer(
                200, {"transfer": "basic", "objects": [self._object(each) for each in json.loads(body)["objects"]]}
            )
        elif rest.startswith("commit/"):
            self._commit(repo_id, repo, body)
        else:
            self._answer(404, {"error": f"the stand-in knows no {rest}"})

    def _object(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self.stand_in.uploads:
            return wanted
        return {**wanted, "actions": {"upload": {"href": f"{self.stand_in.url}/put/{wanted['oid']}"}}}

    def _create(self, wanted: dict[str, Any]) -> None:
        repo_id = f"{wanted['organization']}/{wanted['name']}"
        if repo_id in self.stand_in.repos:
            self._answer(409, {"error": "it exists", "url": f"{self.stand_in.url}/datasets/{repo_id}"})
            return
        is_private = wanted.get("private", wanted.get("visibility") == "private")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        self.stand_in.repos[repo_id] = Repo(private=is_private, token=token)
        self._answer(200, {"url": f"{self.stand_in.url}/datasets/{repo_id}", "id": repo_id, "name": repo_id})

    def _commit(self, repo_id: str, repo: Repo, body: bytes) -> None:
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "header":
                repo.messages.append(value["summary"])
            elif entry["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                repo.files[value["path"]] = self.stand_in.uploads[value["oid"]]
        url = f"{self.stand_in.url}/datasets/{repo_id}/commit/{COMMIT}"
        self._answer(200, {"success": True, "commitOid": COMMIT, "commitUrl": url})

    def _content(self, files: dict[str, bytes], name: str) -> None:
        hub = self.stand_in
        if name not in files:
            self._answer(404, {}, {"X-Error-Code": "EntryNotFound"})
            return
        data = files[name]
        if hub.spoils:
            data = b"\0" + data[1:]
        span = self.headers.get("Range") if hub.knows_parts else None
        first, last = (span or "bytes=0-").removeprefix("bytes=").split("-")
        start, size = int(first), len(data)
        data = data[: int(last) + 1] if last else data
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if span:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{size}")
        self.send_header("ETag", f'"{_git_id(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "HEAD":
            return
        if hub.cuts:
            hub.cuts -= 1
            self.wfile.write(data[start : (start + len(data)) // 2])
            self.close_connection = True
            return
        try:
            while start < len(data):
                end = min(start + _PIECE, len(data))
                if hub.stops_after is not None and end > hub.stops_after:
                    hub.stopped.set()
                    hub.goes_on.wait(PATIENCE_S)
                self.wfile.write(data[start:end])
                hub.sent_bytes += end - start
                start = end
        except OSError:
            # Whoever asked was killed.
            self.close_connection = True

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _free(repo: Repo) -> tuple[str | None, ...]:
    """Return what counts beside the token: nothing at all, where none is wanted."""
    return () if repo.token else (None,)


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": _git_id(data)}
    if name.endswith(_LARGE):
        found["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return found


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
