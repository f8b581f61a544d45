"""Who may ask the API: whoever sends the token, and calls this computer by its name."""

import hmac
import os
import secrets
import stat
from pathlib import Path

from aiohttp import web

from vqa_tui.api.refusals import Handler, Refused
from vqa_tui.domain.failure import VqaError
from vqa_tui.web.gate import host_of

_TOKEN_BYTES = 32
_SHORTEST = 16
_SCHEME = "Bearer"


def made_token() -> str:
    """Return a new token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_of_variable(name: str) -> str:
    """Return the token that an environment variable holds. Raises VqaError, without the value, when it is none."""
    return _checked(os.environ.get(name, ""), f"the variable {name}")


def token_of_file(path: Path) -> str:
    """Return the token that stands alone in a file. Raises VqaError when it is none, or others may read the file."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VqaError(f"{path} can be read by others, and holds a token", hint=f"Type: chmod 600 {path}")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VqaError(f"the token file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return _checked(text.strip(), str(path))


def _checked(token: str, place: str) -> str:
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise VqaError(
            f"{place} holds no token: it must be at least {_SHORTEST} letters, digits and signs, without spaces",
            hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token


class Bearer:
    """Lets requests through that carry the token; all others get 401 and learn nothing.

    A page in a browser that reaches this computer under a name of its own (DNS rebinding) has no token; its Host is
    refused all the same, unless `names` is None.
    """

    def __init__(self, token: str, names: frozenset[str] | None) -> None:
        self._token = token.encode()
        self._names = names

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request in. Raises Refused (401, 403)."""
        if self._names is not None and host_of(request) not in self._names:
            raise Refused(403, "this address is for this computer alone", "Ask 127.0.0.1, through a tunnel if need be.")
        if not self._carries_the_token(request):
            raise Refused(
                401,
                "the token is missing or wrong",
                "Send `Authorization: Bearer TOKEN`; `vqa-tui api` printed it when it started.",
                {"WWW-Authenticate": f'{_SCHEME} realm="vqa-tui"'},
            )
        return await handler(request)

    def _carries_the_token(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._token)
        return right and scheme.lower() == _SCHEME.lower()
