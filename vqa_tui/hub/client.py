"""The client of the Hub, loaded when it is first wanted, and its errors in words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from vqa_tui.domain.failure import VqaError, WorkFailed

TOKEN_VARIABLE = "HF_TOKEN"
PATIENCE_S = 30.0
"""Seconds without a byte after which a request counts as cut."""
_HUB = "https://huggingface.co"
_SAID_LIMIT = 300
_SETTINGS = {
    # Only plain HTTP can go on with half a file; the parts of Xet are put together in memory of one process.
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
"""What the library reads from the environment once, when it is loaded; a person's own settings stand."""


def library() -> Any:
    """Return the module `huggingface_hub`. Raises VqaError naming the extra when it is not installed."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.file_download
        import huggingface_hub.utils
    except ImportError as error:
        raise VqaError(
            "the Hugging Face Hub needs huggingface_hub, which is not installed",
            hint="Install it with: pip install 'vqa-tui[hub]'",
        ) from error
    return huggingface_hub


def endpoint() -> str:
    """Return the address of the Hub: `HF_ENDPOINT`, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/")


def token() -> str | bool:
    """Return the value of `HF_TOKEN`, or False: what a login of another program stored is never sent."""
    return os.environ.get(TOKEN_VARIABLE, "").strip() or False


def api() -> Any:
    """Return the HfApi that asks `endpoint` with `token`. Raises VqaError as `library` does."""
    return library().HfApi(endpoint=endpoint(), token=token())


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """Turn what the library raises about the dataset `repo_id` into VqaError, or WorkFailed where the wish was right.

    A full disk and other refusals of this machine pass as OSError.
    """
    hub = library()
    import httpx2

    try:
        yield
    except hub.errors.GatedRepoError as error:
        raise VqaError(
            f"the dataset {repo_id} is gated: its owners must let your account in",
            hint=f"Accept its terms at {endpoint()}/datasets/{repo_id}, then set {TOKEN_VARIABLE} to a token of that "
            "account (in a fine-grained one, allow reading gated repositories).",
        ) from error
    except hub.errors.RevisionNotFoundError as error:
        raise VqaError(f"the dataset {repo_id} has no such revision", hint="Leave out --revision.") from error
    except hub.errors.HfHubHTTPError as error:
        raise _refused(repo_id, error) from error
    except hub.errors.OfflineModeIsEnabled as error:
        raise VqaError(
            "the Hub is not asked, because HF_HUB_OFFLINE is set", hint="Unset HF_HUB_OFFLINE and try again."
        ) from error
    except hub.errors.HFValidationError as error:
        raise VqaError(f"`{repo_id}` cannot be the name of a dataset", hint="Write it as OWNER/NAME.") from error
    except (httpx2.HTTPError, hub.errors.LocalEntryNotFoundError) as error:
        raise _unreachable(error) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _unreachable(error) from error


def is_disk_full(error: OSError) -> bool:
    """Return whether there was no room for what should be written."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _refused(repo_id: str, error: Any) -> VqaError:
    status = error.response.status_code
    said = _said(error)
    if status == 401 and token():
        return VqaError(
            f"the Hub does not accept the token in {TOKEN_VARIABLE} (401)",
            hint=f"Make a new one at {endpoint()}/settings/tokens and set the variable to it.",
        )
    if status in (401, 404):
        allowed = "of an account that may see it" if token() else "if it is private"
        return VqaError(
            f"the Hub knows no dataset {repo_id}, or does not show it to you ({status})",
            hint=f"Check the name, OWNER/NAME; set {TOKEN_VARIABLE} to a token {allowed}.",
        )
    if status == 403:
        return VqaError(
            f"the token in {TOKEN_VARIABLE} may not do that with {repo_id} (403){said}"
            if token()
            else f"the Hub lets nobody without a token do that with {repo_id} (403){said}",
            hint=f"Set {TOKEN_VARIABLE} to a token of an account that may, with the right to write for an upload.",
        )
    if status == 429:
        return WorkFailed("the Hub was asked too often (429)", hint="Wait some minutes and do it again.")
    if status >= 500:
        return WorkFailed(f"the Hub has an error of its own ({status}){said}", hint="Do it again later.")
    return VqaError(f"the Hub refused what was asked about {repo_id} ({status}){said}")


def _said(error: Any) -> str:
    """Return the words of the server, without the token if it should repeat it."""
    words = " ".join(str(error.server_message or "").split())
    if isinstance(secret := token(), str):
        words = words.replace(secret, "…")
    return f": {words[:_SAID_LIMIT]}" if words else ""


def _unreachable(error: Exception) -> WorkFailed:
    host = urlsplit(endpoint()).netloc
    return WorkFailed(
        f"the connection to {host} failed or was cut ({type(error).__name__})",
        hint="Check the network and $HTTPS_PROXY, and do it again; what has come stays and is not asked for twice.",
    )
