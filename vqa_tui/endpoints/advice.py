"""What to do about a failed check: one sentence or two for each kind of failure."""

from vqa_tui.domain.failure import Failure, FailureKind

NO_VALUE = "Export the key's value under that name in this shell, or store it in the OS keyring; then check again."
WRONG_ADDRESS = (
    "Check base_url: it ends before /chat/completions, usually in /v1 (Gemini: …/v1beta/openai/). A server of your own "
    "must speak the OpenAI protocol there."
)
_UNREACHABLE = (
    "Check base_url, your network and VPN: some gateways answer only from inside their own network. A server of your "
    "own must be running there."
)
_UNTRUSTED = (
    "If your company inspects TLS, point SSL_CERT_FILE to a file that also holds its certificate. The check cannot be "
    "switched off."
)

_BY_KIND = {
    FailureKind.AUTH: (
        "Check that the variable holds the whole key, that the key belongs to this address, and that it may use this "
        "model. A new key can need a minute."
    ),
    FailureKind.QUOTA_EXHAUSTED: (
        "Look at billing and limits at the provider. A key of another project or account has a quota of its own."
    ),
    FailureKind.RATE_LIMITED: (
        "The key works but is out of requests for now: wait a minute and check again. If runs meet this often, lower "
        "requests_per_minute in the endpoint's quota. A free tier may have none at all for this model."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "Write the model exactly as the endpoint calls it (`vqa-tui endpoint models NAME` lists them), and check "
        "base_url."
    ),
    FailureKind.SERVER: "The trouble is at the endpoint; check again later. A run waits and tries again by itself.",
    FailureKind.TIMEOUT: (
        "The connection works but no reply came in time: is the model still loading? Else raise first_byte_s and "
        "total_s under timeouts."
    ),
    FailureKind.NETWORK: (
        "The connection was lost on the way. If it happens again, look at the proxy, the VPN or the server's own log."
    ),
    FailureKind.REJECTED: (
        "The endpoint does not take the request; its message says why. Look at max_tokens_field and extra_body, and "
        "whether this model takes pictures."
    ),
    FailureKind.BAD_REPLY: (
        "The endpoint answered, but with no usable text. A model that thinks may need more max_tokens, or thinking "
        "switched off through extra_body (for instance `reasoning_effort`)."
    ),
    FailureKind.REFUSED: "A harmless picture was refused: look at the safety settings of the endpoint or the gateway.",
}


def advice_for(failure: Failure) -> str:
    """Return what a person can do about `failure`."""
    if "certificate" in failure.message and failure.never_sent:
        return _UNTRUSTED
    if failure.never_sent and failure.kind in {FailureKind.NETWORK, FailureKind.TIMEOUT}:
        return _UNREACHABLE
    if is_redirect(failure):
        return WRONG_ADDRESS
    return _BY_KIND.get(failure.kind, "")


def is_redirect(failure: Failure) -> bool:
    """Whether the endpoint pointed to another address."""
    return failure.http_status is not None and 300 <= failure.http_status < 400
