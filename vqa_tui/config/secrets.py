"""The values of API keys: found by name, held as SecretStr, and kept out of logs."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.google_tokens import GoogleToken, TokenTrouble, why_no_token

KEYRING_SERVICE = "vqa-tui"
NO_KEY_VALUE = "EMPTY"
"""Sent to servers without keys; not a secret."""
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class MissingKey:
    """A key whose value is nowhere to be found."""

    name: str
    reason: str
    """What is wrong and what to do, in words; never holds a value."""


def resolve_key(key: KeyConfig, endpoint: Endpoint, environ: Mapping[str, str]) -> SecretStr | GoogleToken | MissingKey:
    """Return the value of `key`: from its environment variable, else from the OS keyring when that extra is installed.

    In the keyring it stands under the service `vqa-tui` with the variable's name as the user. A key of the embedded
    endpoint is `embedded-<name>`; a key without a variable is the placeholder EMPTY. A key with `token` has
    something that makes values: see `value_now`. White space around a value, which `export KEY=$(cat file)` leaves
    behind, is dropped.
    """
    if endpoint.kind == "embedded":
        return SecretStr(f"embedded-{key.name}")
    if key.token == "google":
        missing = why_no_token(key.env, environ)
        return MissingKey(key.name, missing) if missing else GoogleToken(key.env, environ)
    if key.env is None:
        return SecretStr(NO_KEY_VALUE)
    value, problem = environ.get(key.env, "").strip(), ""
    if not value:
        value, problem = _from_keyring(key.env)
    if not value:
        state = "is set but empty" if key.env in environ else "is not set"
        return MissingKey(key.name, f"the variable {key.env} {state}{problem}; run `export {key.env}=…` first")
    if not (value.isascii() and value.isprintable()):
        return MissingKey(
            key.name, f"the value of {key.env} holds characters that no key has (a line break or a quote pasted along?)"
        )
    return SecretStr(value)


async def value_now(name: str, found: SecretStr | GoogleToken | MissingKey) -> SecretStr | MissingKey:
    """Return the value that the key `name` has at this moment, or why it has none."""
    if not isinstance(found, GoogleToken):
        return found
    try:
        return await found.value()
    except TokenTrouble as trouble:
        return MissingKey(name, trouble.message)


def _from_keyring(user: str) -> tuple[str, str]:
    """Return the stored value and an empty text, or an empty value and why there is none (for a sentence)."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return "", ""
    try:
        return (keyring.get_password(KEYRING_SERVICE, user) or "").strip(), " and the OS keyring does not hold it"
    except KeyringError as error:
        return "", f" and the OS keyring cannot be used ({type(error).__name__})"


class RedactingFilter(logging.Filter):
    """Replaces known secret values in every record: message, arguments, traceback, stack and extra fields.

    Put it on each handler, not on a logger: a logger's filters do not see records of the loggers below it.
    """

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        super().__init__()
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._formatter = logging.Formatter()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: SecretStr) -> None:
        """From now on hide `secret`, also in the form that it has inside a URL."""
        value = secret.get_secret_value()
        if value and value != NO_KEY_VALUE:
            self._known |= {value, quote(value, safe="")}
            # Longest first: a value that begins with another one must not leave its tail behind.
            longest_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(known) for known in longest_first))

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact `record` in place and let it pass."""
        if self._pattern is None:
            return True
        record.msg, record.args = self._redact(_message_of(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        # Without exc_info no later handler can format the exception again, unredacted.
        record.exc_info = None
        for name, value in record.__dict__.items():
            if isinstance(value, str):
                record.__dict__[name] = self._redact(value)
            elif name not in _HARMLESS and value is not None and self._redact(text := _text_of(value)) != text:
                record.__dict__[name] = self._redact(text)
        return True

    def _redact(self, text: str) -> str:
        return self._pattern.sub(REDACTED, text) if self._pattern else text


_HARMLESS = frozenset(vars(logging.makeLogRecord({})))
"""The fields that every record has; those of them that hold text are redacted as text."""


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a wrong format string, or an argument whose __str__ raises: a log line must never raise
        return f"{_text_of(record.msg)} {_text_of(record.args)}"


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # as above: any object can be logged
        return f"<{type(value).__name__} that cannot be shown>"
