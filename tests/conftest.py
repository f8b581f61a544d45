"""What holds for every test: no network but loopback, no home directory, no keys and no workspace of the developer."""

import asyncio
import gc
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import db

_PRIVATE_MARKS = ("_API_KEY", "_APPLICATION_CREDENTIALS", "_PROXY", "_proxy")
_PRIVATE_NAMES = ("VQA_WORKSPACE", "API_KEY", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TMUX", "STY")

# The tests rewrite 250 files and start hundreds of Pythons: none should compile again what another has compiled.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# huggingface_hub reads these once, when whichever test comes first loads it; the product sets them before it does.
os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

# No test reaches an address that the authorities of the machine vouch for, and reading them takes each process that can
# speak TLS 60 ms. One certificate stands for them, since a file without any is an error to some libraries.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobody.pem"))
os.environ["SSL_CERT_DIR"] = os.devnull

# No test measures time.
settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")


class NetworkForbidden(AssertionError):
    """A test reached for an address outside this machine."""


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True
    host = address[0]
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def only_loopback(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address):
            raise NetworkForbidden(f"a test may not connect to {address!r}")
        return connect(self, address)

    return only_loopback


def pytest_collection_finish() -> None:
    """Look for garbage more seldom, and never in what importing and collecting made: it stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session", autouse=True)
def made_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let each new workspace in this process begin as a copy of one that was made step by step, which takes 70 ms.

    A file that is there already is brought up to date as ever.
    """
    made = WorkspacePaths(tmp_path_factory.mktemp("made") / ".vqa")

    async def make() -> None:
        async with db.Database.open(made):
            pass

    asyncio.run(make())
    open_and_close = db._open_and_close

    def from_the_copy(database: Path) -> None:
        if database.parent.is_dir() and not database.exists():
            shutil.copyfile(made.database, database)
        open_and_close(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_open_and_close", from_the_copy)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the devices of the developer's own trainings out of it, also of what lives longer than one test."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("locks")
        patch.setenv("VQA_LOCKS", str(folder / "session"))
        yield folder


@pytest.fixture(autouse=True)
def sealed_off(monkeypatch: pytest.MonkeyPatch, empty_home: Path, own_locks: Path) -> None:
    """Refuse connections outside loopback and take the developer's own settings out of the environment."""
    # A folder for each test and the processes it starts: none waits for the device of another.
    monkeypatch.setenv("VQA_LOCKS", str(own_locks / uuid4().hex))
    monkeypatch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("LOGNAME", "ann")  # who acts decides where a review begins
    for name in list(os.environ):
        if name in _PRIVATE_NAMES or name.endswith(_PRIVATE_MARKS) or name.startswith("XDG_"):
            monkeypatch.delenv(name)
