"""Access tokens of Google Cloud, from google-auth: made when they are needed, and made anew before they end."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""What Vertex AI wants (cloud.google.com, chat completions, authorization scopes)."""
_DEFAULT_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_NOT_INSTALLED = "google-auth is not installed; run `pip install 'vqa-tui[vertex]'`"
_LOG_IN = "run `gcloud auth application-default login`, or name a credentials file"


class TokenTrouble(VqaError):
    """No access token can be had; the message never holds one. `passing`: perhaps it can in a moment."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


def why_no_token(variable: str | None, environ: Mapping[str, str]) -> str:
    """Return what is missing for tokens, in words, or an empty text. Looks at files only, never at the network.

    `variable` names the variable that holds the path of a credentials file; None: the default credentials.
    """
    if find_spec("google") is None or find_spec("google.auth") is None:
        return _NOT_INSTALLED
    name = variable or _DEFAULT_FILE
    if path := environ.get(name, "").strip():
        return "" if Path(path).expanduser().is_file() else f"the file that {name} names is not there: {path}"
    if variable is not None:
        return f"the variable {variable} is not set; it holds the path of a credentials file"
    return "" if _logged_in(environ) else f"no credentials of Google Cloud are on this machine; {_LOG_IN}"


def _logged_in(environ: Mapping[str, str]) -> bool:
    # Where gcloud keeps them; a metadata server, which Google's own machines have, is named or told by their firmware.
    home = environ.get("CLOUDSDK_CONFIG") or os.path.join(environ.get("HOME", ""), ".config", "gcloud")
    product = Path("/sys/class/dmi/id/product_name")
    try:
        on_google = "Google" in product.read_text("utf-8", "replace")
    except OSError:
        on_google = False
    return Path(home, "application_default_credentials.json").is_file() or "GCE_METADATA_HOST" in environ or on_google


class GoogleToken:
    """The value of a key that changes: `value` gives a token that is good for minutes yet."""

    def __init__(self, variable: str | None, environ: Mapping[str, str]) -> None:
        self._variable = variable
        self._path = environ.get(variable, "").strip() if variable else ""
        self._credentials: Credentials | None = None
        self._lock = asyncio.Lock()
        self.on_new: Callable[[SecretStr], None] = lambda value: None
        """Told of every new token before it is used, so that logs can leave it out."""

    async def value(self) -> SecretStr:
        """Return a token that holds for three and a half minutes yet (google-auth's own margin), or for as long as it
        holds while the token service cannot be reached.

        Many may wait: one asks. Raises TokenTrouble with what to do.
        """
        async with self._lock:
            if self._credentials is None or not self._credentials.valid:
                try:
                    self._credentials = await asyncio.to_thread(self._refreshed)
                except TokenTrouble as trouble:
                    if not (trouble.passing and self._is_still_good()):
                        raise
                self.on_new(self._token())
            return self._token()

    def _token(self) -> SecretStr:
        return SecretStr((self._credentials and self._credentials.token) or "")

    def _is_still_good(self) -> bool:
        """Whether the last token, though soon to end, is accepted yet."""
        from google.auth.credentials import TokenState

        return self._credentials is not None and self._credentials.token_state is TokenState.STALE

    def _refreshed(self) -> "Credentials":
        from google.auth import exceptions
        from google.auth.transport.requests import Request

        try:
            credentials: Credentials = self._credentials or self._found()
            credentials.refresh(Request())  # type: ignore[no-untyped-call]
        except exceptions.TransportError:
            raise TokenTrouble("Google's token service cannot be reached", passing=True) from None
        except exceptions.RefreshError as error:
            said = next((each for each in error.args if isinstance(each, str)), "")
            # The exception's other arguments may quote the request.
            raise TokenTrouble(
                f"Google refuses to make an access token: {said[:300]}; {_LOG_IN}", passing=error.retryable
            ) from None
        except exceptions.GoogleAuthError as error:
            raise TokenTrouble(f"no credentials of Google Cloud ({type(error).__name__}); {_LOG_IN}") from None
        return credentials

    def _found(self) -> Any:
        import google.auth

        if self._variable is None:
            return google.auth.default(scopes=[SCOPE])[0]
        from google.oauth2.credentials import Credentials as PersonsCredentials
        from google.oauth2.service_account import Credentials as RobotsCredentials

        try:
            said = json.loads(Path(self._path).expanduser().read_text("utf-8"))
            if said["type"] == "service_account":
                return RobotsCredentials.from_service_account_info(said, scopes=[SCOPE])  # type: ignore[no-untyped-call]
            return PersonsCredentials.from_authorized_user_info(said, scopes=[SCOPE])  # type: ignore[no-untyped-call]
        except (OSError, ValueError, KeyError, TypeError):
            raise TokenTrouble(
                f"the file that {self._variable} names holds no account of Google Cloud: {self._path}"
            ) from None
