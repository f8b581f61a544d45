"""Keys: where their values come from, and that no log line shows one."""

import io
import logging
import sys
from types import ModuleType

import pytest
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.secrets import MissingKey, RedactingFilter, resolve_key

PLANTED = "planted/9f8e7d-value"
KEY = KeyConfig(name="main", env="SOME_KEY")
ENDPOINT = Endpoint(name="e", base_url="https://api.example.org/v1", model="m", keys=(KEY,))


def value_of(found: object) -> str:
    assert isinstance(found, SecretStr)
    return found.get_secret_value()


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


class FakeKeyring:
    """Stands in for the optional package, whose real backends need a desktop session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stored: dict[tuple[str, str], str], *, locked: bool) -> None:
        errors = ModuleType("keyring.errors")
        kind = type("KeyringError", (Exception,), {})
        errors.__dict__["KeyringError"] = kind
        keyring = ModuleType("keyring")

        def get_password(service: str, user: str) -> str | None:
            if locked:
                raise kind(PLANTED)
            return stored.get((service, user))

        keyring.__dict__["get_password"] = get_password
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeKeyring(monkeypatch, {("vqa-tui", "SOME_KEY"): "from-the-keyring"}, locked=False)
    assert value_of(resolve_key(KEY, ENDPOINT, {"SOME_KEY": f" {PLANTED}\n"})) == PLANTED
    assert value_of(resolve_key(KEY, ENDPOINT, {})) == "from-the-keyring"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "the variable SOME_KEY is not set; run `export SOME_KEY=…` first"),
        ({"SOME_KEY": "  "}, "the variable SOME_KEY is set but empty; run `export SOME_KEY=…` first"),
    ],
)
@pytest.mark.usefixtures("no_keyring")
def test_a_missing_key_says_what_to_do(environ: dict[str, str], reason: str) -> None:
    assert resolve_key(KEY, ENDPOINT, environ) == MissingKey("main", reason)


def test_a_keyring_that_cannot_be_used_is_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeKeyring(monkeypatch, {}, locked=True)
    found = resolve_key(KEY, ENDPOINT, {})
    assert isinstance(found, MissingKey)
    assert "the OS keyring cannot be used (KeyringError)" in found.reason
    assert PLANTED not in found.reason


@pytest.mark.parametrize("value", [f"{PLANTED}\nx", f"“{PLANTED}”", f"{PLANTED}\x00"])
def test_a_value_that_no_header_can_carry_is_refused_unseen(value: str) -> None:
    found = resolve_key(KEY, ENDPOINT, {"SOME_KEY": value})
    assert isinstance(found, MissingKey)
    assert PLANTED not in repr(found)


def test_keys_without_values() -> None:
    embedded = Endpoint(name="e", kind="embedded", model="m", keys=(KeyConfig(name="a", env="SOME_KEY"),))
    assert value_of(resolve_key(embedded.keys[0], embedded, {"SOME_KEY": PLANTED})) == "embedded-a"
    assert value_of(resolve_key(KeyConfig(name="local"), ENDPOINT, {})) == "EMPTY"


def logged(*secrets: str, fill: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(where)s", defaults={"where": ""}))
    handler.addFilter(RedactingFilter(SecretStr(each) for each in secrets))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    assert callable(fill)
    fill(logger)
    return stream.getvalue()


class Holder:
    def __str__(self) -> str:
        return f"holds {PLANTED}"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(PLANTED)


def fail(logger: logging.Logger) -> None:
    try:
        try:
            raise KeyError(PLANTED)
        except KeyError as error:
            raise RuntimeError(f"with {PLANTED}") from error
    except RuntimeError:
        logger.exception("failed for %s", PLANTED, stack_info=True)


@pytest.mark.parametrize(
    "fill",
    [
        lambda logger: logger.warning(f"key {PLANTED}"),
        lambda logger: logger.warning("key %s and %r", PLANTED, {"Authorization": f"Bearer {PLANTED}"}),
        lambda logger: logger.warning("%s", Holder()),
        lambda logger: logger.warning(Holder()),
        lambda logger: logger.warning("%d", PLANTED),
        lambda logger: logger.warning("%s %s", PLANTED, Broken()),
        lambda logger: logger.warning("at https://x/?key=planted%2F9f8e7d-value"),
        lambda logger: logger.warning("extra", extra={"where": PLANTED}),
        lambda logger: logger.warning("extra", extra={"where": Holder()}),
        fail,
    ],
)
def test_no_record_shows_a_secret(fill: object) -> None:
    text = logged(PLANTED, fill=fill)
    assert "[redacted]" in text
    assert "9f8e7d" not in text


def test_a_secret_that_begins_with_another_leaves_no_tail() -> None:
    assert "tail" not in logged("short", "short-tail", fill=lambda logger: logger.warning("a short-tail b"))


def test_other_text_is_left_alone() -> None:
    assert logged("EMPTY", "", fill=lambda logger: logger.warning("EMPTY %d%%", 5)) == "EMPTY 5% \n"
    assert logged(PLANTED, fill=lambda logger: logger.warning("all %s", "well")) == "all well \n"
