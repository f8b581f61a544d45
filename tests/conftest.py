"""What holds for every test: no network but loopback, no home directory, no keys and no workspace of the developer."""

import gc
import os
import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

_PRIVATE_MARKS = ("_API_KEY", "_APPLICATION_CREDENTIALS", "_PROXY", "_proxy")
_PRIVATE_NAMES = ("VQA_WORKSPACE", "API_KEY", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TMUX", "STY")

# The tests rewrite 250 files and start hundreds of Pythons: none should compile again what another has compiled.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# huggingface_hub reads these once, when whichever test comes first loads it; the product sets them before it does.
os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

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


@pytest.fixture(autouse=True)
def sealed_off(monkeypatch: pytest.MonkeyPatch, empty_home: Path) -> None:
    """Refuse connections outside loopback and take the developer's own settings out of the environment."""
    monkeypatch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
    monkeypatch.setenv("HOME", str(empty_home))
    monkeypatch.setenv("LOGNAME", "ann")  # who acts decides where a review begins
    for name in list(os.environ):
        if name in _PRIVATE_NAMES or name.endswith(_PRIVATE_MARKS) or name.startswith("XDG_"):
            monkeypatch.delenv(name)
