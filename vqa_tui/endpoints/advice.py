"""What to do about a failed check: one sentence or two for each kind of failure."""

from math import ceil

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.completion import NO_COMPLETION, NOT_JSON
from vqa_tui.endpoints.vendor_addresses import is_this_computer, is_vendor, right_address, server_at

NO_VALUE = (
    "Export the key's value under that name and start vqa-tui from that shell: one that is open keeps the environment "
    "that it began with. Or store it in the OS keyring. Then check again."
)
WRONG_ADDRESS = (
    "Check base_url: it ends before /chat/completions, usually in /v1 (Gemini: …/v1beta/openai/). A server of your own "
    "must speak the OpenAI protocol there."
)
_UNREACHABLE = (
    "Check base_url, your network and VPN: some gateways answer only from inside their own network, a company's laptop "
    "for instance and no remote server. A server of your own must be running there."
)
_FORBIDDEN = (
    "The key is known, but not allowed to do this. Check that its account or project may use this model and this API, "
    "that the service is offered in your country, and that the gateway lets in the network that you are in (VPN)."
)
_ANOTHER_SERVER = "What answered is no chat endpoint, but for instance a login page, a proxy or another server."
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
        "requests_per_minute in the endpoint's quota (60 is one a second). A free tier may have none at all for this "
        "model."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "Write the model exactly as the endpoint calls it (`vqa-tui endpoint models NAME` lists them), and check "
        "base_url. At Azure the address names the deployment, and a new one takes some minutes."
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


def advice_for(failure: Failure, base_url: str = "", day_resets: str = "UTC") -> str:
    """Return what a person can do about `failure` of the endpoint at `base_url`, whose day begins at midnight there."""
    if "certificate" in failure.message and failure.never_sent:
        return _UNTRUSTED
    if failure.never_sent and failure.kind in {FailureKind.NETWORK, FailureKind.TIMEOUT}:
        return _unreachable(failure, base_url)
    if is_redirect(failure):
        return wrong_address(base_url)
    if failure.by_day:
        return (
            f"Today's requests of this key are used up; they begin anew at midnight ({day_resets}). A key of another "
            "project or account has a quota of its own. Runs wait for the day by themselves."
        )
    if failure.message in {NOT_JSON, NO_COMPLETION}:
        return f"{_ANOTHER_SERVER} {wrong_address(base_url)}"
    if failure.kind is FailureKind.AUTH and failure.http_status == 403:
        return _FORBIDDEN
    if failure.kind is FailureKind.RATE_LIMITED and failure.retry_after_s:
        return f"It asks to wait {ceil(failure.retry_after_s)} s. {_BY_KIND[FailureKind.RATE_LIMITED]}"
    if failure.kind is FailureKind.MODEL_NOT_FOUND and (right := right_address(base_url)):
        return f"The address is not that of the OpenAI protocol: write base_url {right}"
    return _BY_KIND.get(failure.kind, "")


def wrong_address(base_url: str = "") -> str:
    """Return what to do about an address at which nothing speaks the OpenAI protocol."""
    right = right_address(base_url)
    return f"Check base_url: at this host it is {right}" if right else WRONG_ADDRESS


def _unreachable(failure: Failure, base_url: str) -> str:
    if not base_url:
        return _UNREACHABLE
    if is_this_computer(base_url):
        usual = f" Usual on this port is {found}." if (found := server_at(base_url)) else ""
        return f"Start the server, or write its port into base_url.{usual}"
    if "proxy" in failure.message:
        return "Check HTTPS_PROXY and NO_PROXY in the shell that vqa-tui was started from."
    if is_vendor(base_url):
        return (
            "Check your network; a firewall may want a proxy (HTTPS_PROXY). On a remote server without a way out, run "
            "this where there is one."
        )
    return _UNREACHABLE


def is_redirect(failure: Failure) -> bool:
    """Whether the endpoint pointed to another address."""
    return failure.http_status is not None and 300 <= failure.http_status < 400
