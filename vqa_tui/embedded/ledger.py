"""What the server did, counted: the other side of a client's own books."""

from collections import Counter
from typing import Any

from vqa_tui.config.faults import Fault


class Ledger:
    """Counts of chat completions since the start.

    Once nothing is in flight, `requests` = `answered` + `rate_limited` + `unauthorized` + `rejected` + `abandoned`
    + the faults that send no 200 (500, 503, reset, timeout).
    """

    def __init__(self) -> None:
        self.requests = 0
        """Chat completions asked for, whatever became of them."""
        self.answered = 0
        """Replies with status 200 that were written completely; spoilt ones (truncated, bad_json …) are among them."""
        self.rate_limited = 0
        self.unauthorized = 0
        self.rejected = 0
        """400, 404 and 413: requests that were wrong."""
        self.abandoned = 0
        """The client left, or the server was stopped, before the reply was written."""
        self.faults: Counter[Fault] = Counter()
        """By fault, those that were carried out."""
        self.by_key: Counter[str] = Counter()
        """Requests by key name, refused ones included."""
        self.prompt_tokens = 0
        self.completion_tokens = 0
        """Tokens as reported in the `usage` of answered requests."""

    def count_answer(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count one reply that was written completely."""
        self.answered += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens

    def count_refusal(self, status: int) -> None:
        """Count one request that got an error of its own making, by HTTP status."""
        if status == 429:
            self.rate_limited += 1
        elif status == 401:
            self.unauthorized += 1
        else:
            self.rejected += 1

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
            "tokens": {"prompt": self.prompt_tokens, "completion": self.completion_tokens},
        }
