"""What can be done about pictures that failed, by kind of failure; and what cannot help."""

from enum import StrEnum

from vqa_tui.domain.failure import POLICY, FailureKind


class Verb(StrEnum):
    """What can be done with the pictures of a cluster."""

    RETRY = "retry"
    SKIP = "skip"
    SMALLER = "smaller picture"
    ELSEWHERE = "other endpoint"


_HELPS = {
    FailureKind.RATE_LIMITED: (
        "These were turned away again and again while others got through. Retry them; if it happens often, lower "
        "requests_per_minute in the endpoint's quota, or add a key of another account."
    ),
    FailureKind.QUOTA_EXHAUSTED: (
        "Look at billing and limits at the provider, then retry; or ask another endpoint. A key of another project or "
        "account has a quota of its own."
    ),
    FailureKind.AUTH: (
        "Check that the variable holds the whole key, that the key belongs to this address, and that it may use this "
        "model (`vqa-tui endpoint check`); then resume and retry."
    ),
    FailureKind.SERVER: "The trouble is at the endpoint. Retry later, or ask another endpoint.",
    FailureKind.NETWORK: (
        "Look at the proxy, the VPN or the server's own log; then retry. Where only large pictures are cut off, send "
        "them smaller."
    ),
    FailureKind.TIMEOUT: (
        "Retry them. Where large pictures time out, send them smaller, or raise total_s under timeouts in the endpoint."
    ),
    FailureKind.BAD_REPLY: (
        "Look at a reply. One that was cut needs more max_tokens; one in the wrong shape a clearer prompt or another "
        "model. Asking once more helps where the model answers differently each time."
    ),
    FailureKind.REFUSED: (
        "The same model will refuse the same picture again. Ask an endpoint with another filter, or skip them."
    ),
    FailureKind.REJECTED: (
        "The message says why. A picture that is too large can be sent smaller; a field that the endpoint does not "
        "know needs another endpoint file."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "Write the model exactly as the endpoint calls it (`vqa-tui endpoint models NAME` lists them), and check "
        "base_url; or ask another endpoint."
    ),
    FailureKind.BAD_IMAGE: (
        "Look at the file: open it, put it right and import the dataset again, then retry. What cannot be mended is "
        "skipped."
    ),
    FailureKind.LOST: "Nothing is to be done: they were put back and asked again.",
    FailureKind.CANCELLED: "Nothing is to be done: they were put back and asked again.",
}

_NO_USE: dict[Verb, dict[FailureKind, str]] = {
    Verb.SMALLER: {
        FailureKind.AUTH: "the key was refused, whatever the picture",
        FailureKind.QUOTA_EXHAUSTED: "the key is used up, whatever the picture",
        FailureKind.MODEL_NOT_FOUND: "the model does not exist, whatever the picture",
        FailureKind.REFUSED: "it was refused for what it shows, not for its size",
        FailureKind.BAD_IMAGE: "the file itself cannot be read",
    },
    Verb.ELSEWHERE: {FailureKind.BAD_IMAGE: "the file itself cannot be read, so nobody can be asked"},
}


def meaning(kind: str) -> str:
    """Return what a kind of failure means; one of a newer version is named as it stands, hostile as it is."""
    try:
        return POLICY[FailureKind(kind)].in_words
    except ValueError:
        return f"a failure of kind {kind}"


def what_helps(kind: str) -> str:
    """Return what a person can do about pictures that failed so."""
    try:
        return _HELPS[FailureKind(kind)]
    except ValueError:
        return ""


def no_use(verb: Verb, kind: str) -> str:
    """Return why `verb` does not help where `kind` was the failure; empty where it may."""
    try:
        return _NO_USE.get(verb, {}).get(FailureKind(kind), "")
    except ValueError:
        return ""
