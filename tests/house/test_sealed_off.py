"""The seal around every test holds: no address outside this machine, no home, no key of the developer."""

import os
import socket
from pathlib import Path

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.com", 443), ("10.0.0.1", 8000)])
def test_an_address_outside_this_machine_is_refused(address: tuple[str, int]) -> None:
    with socket.socket() as outward, pytest.raises(AssertionError, match="may not connect"):
        outward.connect(address)
    with socket.socket() as outward, pytest.raises(AssertionError, match="may not connect"):
        outward.connect_ex(address)


def test_loopback_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_the_developer_has_no_home_and_no_keys_here(empty_home: Path) -> None:
    assert Path.home() == empty_home
    assert not [name for name in os.environ if name.endswith("_API_KEY") or name == "VQA_WORKSPACE"]
