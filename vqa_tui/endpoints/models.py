"""The list of models that an endpoint offers, through the `openai` package."""

import time
from typing import Any

from pydantic import SecretStr

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.addressing import BEARER, key_headers
from vqa_tui.endpoints.classify import classify_response
from vqa_tui.endpoints.client import AskFailed
from vqa_tui.endpoints.connection_errors import classify_connection_error
from vqa_tui.endpoints.proxies import proxy_for
from vqa_tui.endpoints.redaction import without_key
from vqa_tui.endpoints.settings import EndpointSettings

_MOST_LISTED = 10_000


async def list_models(endpoint: EndpointSettings, base_url: str, key_value: SecretStr) -> list[str]:
    """Return the names of the models that `GET {base_url}/models` lists, sorted, at most 10,000.

    Nothing is retried and no redirect is followed. Raises AskFailed, which never holds the key.
    """
    # Imported here: the package takes most of a second, and listing endpoints or showing help needs none of it.
    import openai

    timeouts = endpoint.timeouts
    transport = openai.DefaultAsyncHttpxClient(
        trust_env=False,
        proxy=proxy_for(base_url),
        follow_redirects=False,
        timeout=openai.Timeout(timeouts.total_s, connect=timeouts.connect_s, read=timeouts.first_byte_s),
    )
    client = openai.AsyncOpenAI(
        api_key=key_value.get_secret_value(),
        base_url=base_url,
        max_retries=0,
        default_headers=dict(endpoint.extra_headers),
        default_query=dict(endpoint.query),
        http_client=transport,
    )
    # The package takes these from OPENAI_* variables and would send them to any host.
    client.organization = client.project = None
    try:
        async with client:
            listed = (await client.models.list(extra_headers=_key_header(endpoint, key_value))).data or ()
            names = {without_key(each.id, key_value, endpoint) for each in listed if isinstance(each.id, str)}
        return sorted(names)[:_MOST_LISTED]
    except openai.APIStatusError as error:
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        body = without_key(error.response.text, key_value, endpoint)
        failure = classify_response(error.status_code, headers, body, time.time())
    except openai.APITimeoutError:
        failure = Failure(FailureKind.TIMEOUT, "no list of models in the time allowed")
    except openai.APIConnectionError as error:
        failure = classify_connection_error(error, base_url)
    except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
        # The package does not check what came back: a list where it wants an object surfaces as any of these.
        failure = Failure(FailureKind.BAD_REPLY, f"the list of models cannot be read ({type(error).__name__})")
    # Outside the handlers, so that no exception that holds the request, and with it the key, hangs on this one.
    raise AskFailed(failure, http_status=failure.http_status)


def _key_header(endpoint: EndpointSettings, key_value: SecretStr) -> dict[str, Any]:
    """Return what takes the place of the package's own header, where the endpoint wants another."""
    import openai

    if endpoint.key_header.lower() == BEARER:
        return {}
    return {"Authorization": openai.omit, **key_headers(endpoint, key_value.get_secret_value())}
