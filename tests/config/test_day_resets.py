"""The time zone of an endpoint's day is checked where it is written."""

import pytest
from pydantic import ValidationError

from vqa_tui.config.endpoint import Endpoint


def endpoint(zone: str) -> Endpoint:
    return Endpoint.model_validate(
        {"name": "e", "base_url": "http://127.0.0.1:1/v1", "model": "m", "keys": [{"name": "a"}], "day_resets": zone}
    )


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Europe/Berlin"])
def test_iana_names_are_taken(zone: str) -> None:
    assert endpoint(zone).day_resets == zone


@pytest.mark.parametrize("zone", ["", "Pacific time", "../etc/passwd", "/etc/localtime", "America", "\0", "x" * 5000])
def test_anything_else_is_refused_with_what_to_write(zone: str) -> None:
    with pytest.raises(ValidationError, match=r"is no time zone; write an IANA name such as America/Los_Angeles"):
        endpoint(zone)


def test_a_near_miss_is_pointed_out() -> None:
    with pytest.raises(ValidationError, match="is it America/Los_Angeles"):
        endpoint("America/LosAngeles")
