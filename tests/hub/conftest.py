"""The stand-in of the Hub, and where commands find it."""

from collections.abc import Iterator

import pytest

from tests.hub_stand_in import HubStandIn, hub_stand_in

TOKEN = "hf_planted_token_9f8e7d6c5b4a"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """A Hub that everything asks meanwhile, without a token."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    with hub_stand_in() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served
