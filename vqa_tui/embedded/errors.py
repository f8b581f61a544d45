"""Errors in the shape of the OpenAI API: `{"error": {message, type, param, code}}`."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web


class ApiError(Exception):
    """A request that gets an error instead of a completion; `status` is the HTTP status of the response."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.body = body
        """What is sent as JSON in place of OpenAI's object, when it is not None."""

    def to_response(self) -> web.Response:
        """Return the HTTP response for this error."""
        if self.body is not None:
            return web.json_response(self.body, status=self.status, headers=self.headers)
        body = {"message": self.message, "type": self.error_type, "param": self.param, "code": self.code}
        return web.json_response({"error": body}, status=self.status, headers=self.headers)


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the 400 for a request that cannot be understood; `param` names the offending field."""
    return ApiError(400, message, param=param, code=code)


def unknown_model(model: str, served: str) -> ApiError:
    """Return the 404 for a model that this server does not have."""
    return ApiError(
        404,
        f"The model {model!r} does not exist here; this server has {served!r}.",
        code="model_not_found",
        param="model",
    )


def wrong_key() -> ApiError:
    """Return the 401; it never repeats what the client sent."""
    return ApiError(
        401, "The API key is missing or not accepted. Keys look like embedded-<key name>.", code="invalid_api_key"
    )


def server_error(status: int, headers: Mapping[str, str]) -> ApiError:
    """Return the 500 or 503 of a server in trouble."""
    said = "The server is overloaded; try again later." if status == 503 else "The server had an error."
    return ApiError(status, said, error_type="server_error", headers=headers)
