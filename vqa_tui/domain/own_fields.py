"""The fields of a request that are set for a person, whatever a file says besides."""

OWN_FIELDS = frozenset({"model", "messages", "stream", "n", "max_tokens", "max_completion_tokens"})
"""A limit of tokens set behind our back would make every reservation of money too small."""

OWN_HEADERS = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive", "te",
        "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers, in small letters, that belong to the connection or describe the body."""
