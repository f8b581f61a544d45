"""Exceptions of a request that got no complete answer, as kinds of failure."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp

from vqa_tui.domain.failure import Failure, FailureKind

_REASONS = {
    errno.ECONNREFUSED: "nothing listens there (connection refused)",
    errno.EHOSTUNREACH: "there is no way to that host",
    errno.ENETUNREACH: "there is no network",
    errno.ETIMEDOUT: "it did not answer",
    errno.EMFILE: "this process has too many open files",
}


def classify_exception(error: BaseException) -> Failure:
    """Return the failure that `error`, raised while asking, means. Never raises, and quotes nothing that was sent.

    `never_sent` is True only for what happens before a request can leave: resolving the name, connecting, the TLS
    handshake and opening a tunnel through a proxy.
    """
    match error:
        case aiohttp.ConnectionTimeoutError():
            return _failure(FailureKind.TIMEOUT, "no connection to the endpoint in the time allowed", never_sent=True)
        case aiohttp.SocketTimeoutError():
            return _failure(FailureKind.TIMEOUT, "the endpoint sent nothing for the time allowed")
        case aiohttp.ClientConnectorDNSError():
            return _failure(FailureKind.NETWORK, f"the name {error.host} cannot be resolved", never_sent=True)
        case aiohttp.ClientConnectorCertificateError():
            return _failure(
                FailureKind.NETWORK,
                _untrusted(error.host, _certificate_reason(error)),
                never_sent=True,
            )
        case aiohttp.ClientConnectorSSLError():
            return _failure(FailureKind.NETWORK, f"no secure connection to {error.host} (TLS failed)", never_sent=True)
        case aiohttp.ClientProxyConnectionError():
            return _failure(FailureKind.NETWORK, f"the proxy {_place(error)}", never_sent=True)
        case aiohttp.ClientConnectorError():
            return _failure(FailureKind.NETWORK, f"no connection to {_place(error)}", never_sent=True)
        case aiohttp.ClientHttpProxyError():
            return _failure(
                FailureKind.NETWORK, f"the proxy refused to connect us (HTTP {error.status})", never_sent=True
            )
        case aiohttp.InvalidURL():
            return _failure(FailureKind.REJECTED, "the address of the endpoint is not a valid URL", never_sent=True)
        case UnicodeError():
            return _failure(FailureKind.NETWORK, "the name of the endpoint's host cannot be a name", never_sent=True)
        case TimeoutError():
            return _failure(FailureKind.TIMEOUT, "no complete reply in the time allowed")
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() if "content-encoding" in str(error).lower():
            return _failure(FailureKind.NETWORK, "the reply is compressed in a way that cannot be unpacked")
        case aiohttp.ClientPayloadError():
            return _failure(FailureKind.NETWORK, "the connection was cut in the middle of the reply")
        case aiohttp.ServerDisconnectedError() | ConnectionError() | aiohttp.ClientOSError():
            return _failure(FailureKind.NETWORK, "the connection was cut before the reply")
        case aiohttp.ClientResponseError():
            return _failure(FailureKind.NETWORK, "what came back is not HTTP")
        case asyncio.CancelledError():
            return _failure(FailureKind.CANCELLED, "cancelled while in flight")
        case _:
            return _failure(FailureKind.NETWORK, f"the request failed ({type(error).__name__})")


def classify_connection_error(error: BaseException, url: str) -> Failure:
    """Return the failure that `error` of another HTTP library means: by the system's error at the root of its causes.

    Words and `never_sent` are those of `classify_exception`, and nothing of `error` itself is quoted.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = getattr(cause, "verify_message", "") or type(cause).__name__
            return _failure(FailureKind.NETWORK, _untrusted(host, reason), never_sent=True)
        if isinstance(cause, ssl.SSLError):
            return _failure(FailureKind.NETWORK, f"no secure connection to {host} (TLS failed)", never_sent=True)
        if isinstance(cause, socket.gaierror):
            return _failure(FailureKind.NETWORK, f"the name {host} cannot be resolved", never_sent=True)
        if isinstance(cause, OSError) and cause.errno in _REASONS:
            message = f"no connection to {host}:{port}: {_REASONS[cause.errno]}"
            return _failure(FailureKind.NETWORK, message, never_sent=True)
    return _failure(FailureKind.NETWORK, f"the connection failed ({type(error.__cause__ or error).__name__})")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _untrusted(host: str, reason: str) -> str:
    return f"the certificate of {host} is not trusted ({reason})"


def _failure(kind: FailureKind, message: str, *, never_sent: bool = False) -> Failure:
    return Failure(kind, message, never_sent=never_sent)


def _place(error: aiohttp.ClientConnectorError) -> str:
    reason = _REASONS.get(error.os_error.errno or 0) or error.os_error.strerror or "it cannot be reached"
    return f"{error.host}:{error.port}: {reason}"


def _certificate_reason(error: aiohttp.ClientConnectorCertificateError) -> str:
    return getattr(error.certificate_error, "verify_message", "") or type(error.certificate_error).__name__
