"""What the server did, counted: the other side of a client's own books."""

from collections import Counter, defaultdict
from typing import Any

from vqa_tui.config.faults import Fault

OK = "ok"
RATE_LIMITED = "rate_limited"
UNAUTHORIZED = "unauthorized"
REJECTED = "rejected"
ABANDONED = "abandoned"
_KIND_OF_STATUS = {429: RATE_LIMITED, 401: UNAUTHORIZED}
ANSWERED = frozenset({OK, Fault.TRUNCATED, Fault.BAD_JSON, Fault.REFUSED, Fault.EMPTY})
"""Kinds of requests that got a reply with status 200, written completely."""


class Ledger:
    """Counts of chat completions since the start.

    Every request that has ended is counted once, by key and kind, so that for each key its `requests` are the sum over
    its kinds once nothing is in flight: `ok`, a fault by its name, `rate_limited`, `unauthorized`, `rejected` (400,
    404 and 413) or `abandoned` (the client left, or the server was stopped, before the reply was written).
    """

    def __init__(self) -> None:
        self.requests = 0
        """Chat completions asked for, whatever became of them."""
        self.by_key: Counter[str] = Counter()
        """Requests by key name, refused ones included."""
        self.kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """By key name and kind, those that have ended."""
        self.tokens: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """By key name, `prompt` and `completion` tokens as reported in the `usage` of answered requests."""

    def count_request(self, key: str) -> None:
        """Count one request that has arrived."""
        self.requests += 1
        self.by_key[key] += 1

    def count(self, key: str, kind: str) -> None:
        """Count how one request ended."""
        self.kinds[key][str(kind)] += 1

    def count_answer(self, key: str, kind: str, prompt_tokens: int, completion_tokens: int) -> None:
        """Count one reply that was written completely."""
        self.count(key, kind)
        self.tokens[key].update(prompt=prompt_tokens, completion=completion_tokens)

    def count_refusal(self, key: str, status: int) -> None:
        """Count one request that got an error of its own making, by HTTP status."""
        self.count(key, _KIND_OF_STATUS.get(status, REJECTED))

    def total(self, *kinds: str) -> int:
        """Return how many requests of all keys ended as one of `kinds`."""
        return sum(counts[str(kind)] for counts in self.kinds.values() for kind in kinds)

    @property
    def answered(self) -> int:
        """Replies with status 200 that were written completely; spoilt ones (truncated, bad_json …) are among them."""
        return self.total(*ANSWERED)

    @property
    def rate_limited(self) -> int:
        return self.total(RATE_LIMITED)

    @property
    def unauthorized(self) -> int:
        return self.total(UNAUTHORIZED)

    @property
    def rejected(self) -> int:
        return self.total(REJECTED)

    @property
    def abandoned(self) -> int:
        return self.total(ABANDONED)

    @property
    def faults(self) -> dict[Fault, int]:
        """By fault, those that were carried out."""
        return {fault: count for fault in Fault if (count := self.total(fault))}

    def to_json(self) -> dict[str, Any]:
        """Return the counts as `/stats` shows them."""
        return {
            "requests": self.requests,
            "answered": self.answered,
            "rate_limited": self.rate_limited,
            "unauthorized": self.unauthorized,
            "rejected": self.rejected,
            "abandoned": self.abandoned,
            "faults": {fault.value: count for fault, count in sorted(self.faults.items())},
            "by_key": dict(sorted(self.by_key.items())),
            "kinds_by_key": {key: dict(sorted(kinds.items())) for key, kinds in sorted(self.kinds.items())},
            "tokens_by_key": {key: dict(sorted(tokens.items())) for key, tokens in sorted(self.tokens.items())},
            "tokens": {name: sum(tokens[name] for tokens in self.tokens.values()) for name in ("prompt", "completion")},
        }
