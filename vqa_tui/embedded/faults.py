"""Faults as options write them, and which request gets which."""

import random
from collections.abc import Mapping

from vqa_tui.config.faults import Fault, check_shares
from vqa_tui.domain.failure import VqaError


def parse_faults(text: str, *, where: str = "--fail") -> dict[str, float]:
    """Read `KIND=SHARE,KIND=SHARE…` such as `500=0.05,reset=0.02`; blank text is no faults. Raises VqaError."""
    shares: dict[str, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, share = (part.strip() for part in entry.partition("="))
        if not equals:
            raise VqaError(
                f"{where}: {entry!r} is not KIND=SHARE", hint=f"For example 500=0.05. Known: {', '.join(Fault)}."
            )
        if name in shares:
            raise VqaError(f"{where}: {name} is given twice", hint="Give each fault one share.")
        try:
            shares[name] = float(share)
        except ValueError:
            raise VqaError(
                f"{where}: the share of {name} is {share!r}", hint="A share is a number from 0 to 1, such as 0.05."
            ) from None
    try:
        check_shares(shares)
    except ValueError as error:
        raise VqaError(f"{where}: {error}", hint="For example 500=0.05,bad_json=0.02.") from None
    return shares


class FaultDice:
    """Draws the fault of each request, in the order of arrival; the same seed draws the same sequence."""

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        """`shares` are checked ones: fault name -> share of requests."""
        self._shares = {fault: shares[fault] for fault in Fault if fault in shares}
        self._random = random.Random(f"faults {seed}")

    def draw(self) -> Fault | None:
        """Return the fault of the next request, or None for one that goes well."""
        point = self._random.random()
        for fault, share in self._shares.items():
            if point < share:
                return fault
            point -= share
        return None
