"""Access tokens of Google Cloud: made by the real google-auth, from a token service on loopback."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.google_stand_in import TokenService, token_service
from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.google_tokens import GoogleToken, TokenTrouble, why_no_token
from vqa_tui.config.secrets import MissingKey, resolve_key, value_now

KEY = KeyConfig(name="main", token="google", env="CREDENTIALS")
ENDPOINT = Endpoint(name="e", base_url="https://api.example.org/v1", model="m", keys=(KEY,))


@pytest.fixture
def service() -> Iterator[TokenService]:
    with token_service() as serving:
        yield serving


def token(service: TokenService, folder: Path) -> GoogleToken:
    found = resolve_key(KEY, ENDPOINT, {"CREDENTIALS": str(service.credentials_file(folder))})
    assert isinstance(found, GoogleToken)
    return found


async def test_one_token_serves_many_until_it_ends_soon(service: TokenService, tmp_path: Path) -> None:
    made, told = token(service, tmp_path), list[str]()
    made.on_new = lambda value: told.append(value.get_secret_value())
    values = await asyncio.gather(*(made.value() for _ in range(20)))
    assert {value.get_secret_value() for value in values} == {"token-of-the-stand-in-1"}
    assert service.given == told == ["token-of-the-stand-in-1"]


async def test_a_token_that_ends_soon_is_replaced_and_used_while_no_other_can_be_had(
    service: TokenService, tmp_path: Path
) -> None:
    made = token(service, tmp_path)
    service.lasts_s = 100  # Within google-auth's margin of 225 s: good yet, but to be replaced.
    assert (await made.value()).get_secret_value() == "token-of-the-stand-in-1"
    assert (await made.value()).get_secret_value() == "token-of-the-stand-in-2"
    service.status = 503
    assert (await made.value()).get_secret_value() == "token-of-the-stand-in-2"
    service.status, service.lasts_s = 200, 3600
    assert [(await made.value()).get_secret_value() for _ in range(2)] == ["token-of-the-stand-in-3"] * 2


async def test_an_account_that_is_refused_says_so_without_its_key(service: TokenService, tmp_path: Path) -> None:
    made = token(service, tmp_path)
    service.status = 400
    with pytest.raises(TokenTrouble, match="Account has been deleted") as caught:
        await made.value()
    assert not caught.value.passing and "PRIVATE KEY" not in repr(caught.value.__dict__)
    assert caught.value.__cause__ is None


async def test_a_service_that_is_gone_is_a_passing_trouble(tmp_path: Path) -> None:
    with token_service() as service:
        made = token(service, tmp_path)
    with pytest.raises(TokenTrouble, match="cannot be reached") as caught:
        await made.value()
    assert caught.value.passing
    found = await value_now("main", made)
    assert found == MissingKey("main", "Google's token service cannot be reached")
    assert await value_now("main", SecretStr("x")) == SecretStr("x")


def test_what_is_missing_is_said_without_a_look_at_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_token("CREDENTIALS", {}).startswith("the variable CREDENTIALS is not set")
    assert why_no_token(None, {"GOOGLE_APPLICATION_CREDENTIALS": "/no/file"}).endswith("is not there: /no/file")
    assert why_no_token(None, {"GCE_METADATA_HOST": "x"}) == ""
    (tmp_path / "application_default_credentials.json").touch()
    assert why_no_token(None, {"CLOUDSDK_CONFIG": str(tmp_path)}) == ""
    monkeypatch.setitem(sys.modules, "google.auth", None)
    assert "pip install 'vqa-tui[vertex]'" in why_no_token(None, {})


async def test_a_file_that_holds_no_credentials(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    made = resolve_key(KEY, ENDPOINT, {"CREDENTIALS": str(path)})
    assert isinstance(made, GoogleToken)
    with pytest.raises(TokenTrouble, match="CREDENTIALS names holds no account"):
        await made.value()
