"""Who is asking: the key name behind an Authorization header."""

import hashlib
import re
from collections.abc import Collection

from vqa_tui.embedded.errors import wrong_key

KEY_PREFIX = "embedded-"
_KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def is_key_name(text: str) -> bool:
    """Return whether a key may be called `text`."""
    return _KEY_NAME.fullmatch(text) is not None


class KeyRing:
    """Turns `Bearer embedded-<key name>` into the key name, or refuses it."""

    def __init__(self, accepted: Collection[str], bad: Collection[str]) -> None:
        """With no `accepted` names every key passes, except the `bad` ones."""
        self._accepted = frozenset(accepted)
        self._bad = frozenset(bad)

    def admit(self, authorization: str | None) -> str:
        """Return the name of the key. Raises ApiError 401."""
        name = key_name(authorization)
        if name in self._bad or (self._accepted and name not in self._accepted):
            raise wrong_key()
        return name


def key_name(authorization: str | None) -> str:
    """Return the name in `Bearer embedded-<name>`.

    Any other value may be a real key of somebody: it becomes `other-<digest>`, so that limits and counts still tell
    keys apart but no value is ever kept or shown. No key at all is `nobody`.
    """
    scheme, _, value = (authorization or "").partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not value:
        return "nobody"
    name = value.removeprefix(KEY_PREFIX)
    if value.startswith(KEY_PREFIX) and is_key_name(name):
        return name
    return f"other-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"
