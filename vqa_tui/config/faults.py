"""The trouble that the embedded endpoint can rehearse, by the names that files and options use for it."""

import difflib
import math
from collections.abc import Mapping
from enum import StrEnum


class Fault(StrEnum):
    """One way in which a request goes wrong although nothing was wrong with it."""

    INTERNAL = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    """The TCP connection is cut, before the reply or in the middle of it."""
    TRUNCATED = "truncated"
    """The reply ends inside a later pair with finish_reason `length`."""
    BAD_JSON = "bad_json"
    """The reply is prose, or JSON that ends inside the first pair. Plain-text replies cannot be malformed."""
    REFUSED = "refused"
    """finish_reason `content_filter`, no content, a refusal message."""
    EMPTY = "empty"
    """A complete reply with no content."""
    TIMEOUT = "timeout"
    """No byte is ever sent; the request hangs until the client leaves."""
    DRIP = "drip"
    """A reply that comes a byte at a time and never ends; it goes on until the client leaves."""
    HUGE = "huge"
    """A reply of 50 MB of blanks."""


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise ValueError, in words, for an unknown name, a share of requests outside 0..1, or a sum above 1."""
    for name, share in shares.items():
        if name not in tuple(Fault):
            near = difflib.get_close_matches(name, list(Fault), n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise ValueError(f"unknown fault {name!r}. {meant}Known faults: {', '.join(Fault)}")
        if not (math.isfinite(share) and 0 <= share <= 1):
            raise ValueError(f"the share of {name} is {share}, and a share is a number from 0 to 1, such as 0.05")
    if (total := math.fsum(shares.values())) > 1 + 1e-9:
        raise ValueError(f"the shares add up to {total:.3f}, and together they may be 1 at most")
