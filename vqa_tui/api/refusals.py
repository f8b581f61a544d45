"""Errors as the API tells them: `{"error": {"message", "hint"}}` with a status, never a traceback."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from vqa_tui.domain.failure import NotInstalled, RunGone, VqaError, WorkFailed
from vqa_tui.domain.plain_json import as_json
from vqa_tui.store.db import StoreTrouble

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GUARDED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer: none is kept on the way, nor taken for a page."""
_JSON = "application/json"
_log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that gets an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str, hint: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.headers = headers or {}


def json_answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a document as a response, in pure ASCII."""
    headers = {**GUARDED, **(headers or {})}
    return web.Response(text=as_json(document) + "\n", status=status, content_type=_JSON, headers=headers)


@contextlib.contextmanager
def refusing_with(status: int) -> Iterator[None]:
    """Let what an operation refuses be an error of that status, or of 503 where the request was right."""
    try:
        yield
    except RunGone as error:
        raise Refused(404, error.message, error.hint) from error
    except (NotInstalled, StoreTrouble, WorkFailed) as error:
        raise Refused(503, error.message, error.hint) from error
    except VqaError as error:
        raise Refused(status, error.message, error.hint) from error


@web.middleware
async def errors_in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every request that cannot be served with JSON; what is our own fault goes to the log of the server."""
    try:
        with refusing_with(422):
            return await handler(request)
    except Refused as refused:
        return _answer(refused)
    except web.HTTPException as error:
        return _answer(_of_the_server(request, error))
    except OSError as error:
        return _answer(Refused(503, f"the machine refused: {error.strerror or error}"))
    except Exception:
        _log.exception("a request could not be served")
        return _answer(Refused(500, "an error of vqa-tui itself", "Its server's terminal says more; please report it."))


def _of_the_server(request: web.Request, error: web.HTTPException) -> Refused:
    match error:
        case web.HTTPNotFound():
            return Refused(404, f"there is nothing at {request.path}", "/openapi.json lists what there is.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return Refused(405, f"{error.method} cannot be asked of it", f"Allowed: {allowed}.", {"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return Refused(413, "the body is too large")
    return Refused(error.status, error.reason)


def _answer(refused: Refused) -> web.Response:
    document = {"error": {"message": refused.message, "hint": refused.hint}}
    return json_answer(document, status=refused.status, headers=refused.headers)
