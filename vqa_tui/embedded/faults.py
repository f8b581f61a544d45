"""The trouble that the embedded endpoint rehearses: which kinds there are, and which request gets which."""

import difflib
import math
import random
from collections.abc import Mapping
from enum import StrEnum

from vqa_tui.domain.failure import VqaError


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


def known_faults() -> str:
    """Return the names of all kinds, for messages."""
    return ", ".join(Fault)


def check_shares(shares: Mapping[str, float], *, where: str) -> dict[Fault, float]:
    """Return `shares` (fault name -> share of requests, 0 to 1) with checked names, in the order of `Fault`.

    Raises VqaError for an unknown name, a share outside 0..1 or a sum above 1; `where` names the place for the message.
    """
    checked: dict[Fault, float] = {}
    for name, share in shares.items():
        try:
            fault = Fault(name)
        except ValueError:
            near = difflib.get_close_matches(name, list(Fault), n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise VqaError(f"{where}: unknown fault {name!r}", hint=f"{meant}Known faults: {known_faults()}.") from None
        if not (math.isfinite(share) and 0 <= share <= 1):
            raise VqaError(
                f"{where}: the share of {name} is {share}", hint="A share is a number from 0 to 1, such as 0.05."
            )
        checked[fault] = share
    if (total := math.fsum(checked.values())) > 1 + 1e-9:
        raise VqaError(f"{where}: the shares add up to {total:.3f}", hint="Together they may be 1 at most.")
    return {fault: checked[fault] for fault in Fault if fault in checked}


def parse_faults(text: str, *, where: str = "--fail") -> dict[str, float]:
    """Read `KIND=SHARE,KIND=SHARE…` such as `500=0.05,reset=0.02`; blank text is no faults. Raises VqaError."""
    shares: dict[str, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, share = (part.strip() for part in entry.partition("="))
        if not equals:
            raise VqaError(
                f"{where}: {entry!r} is not KIND=SHARE", hint=f"For example 500=0.05. Known: {known_faults()}."
            )
        if name in shares:
            raise VqaError(f"{where}: {name} is given twice", hint="Give each fault one share.")
        try:
            shares[name] = float(share)
        except ValueError:
            raise VqaError(
                f"{where}: the share of {name} is {share!r}", hint="A share is a number from 0 to 1, such as 0.05."
            ) from None
    return {fault.value: share for fault, share in check_shares(shares, where=where).items()}


class FaultDice:
    """Draws the fault of each request, in the order of arrival; the same seed draws the same sequence."""

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        self._shares = check_shares(shares, where="embedded.fail")
        self._random = random.Random(f"faults {seed}")

    def draw(self) -> Fault | None:
        """Return the fault of the next request, or None for one that goes well."""
        point = self._random.random()
        for fault, share in self._shares.items():
            if point < share:
                return fault
            point -= share
        return None
