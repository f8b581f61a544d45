"""What a run says that stands at its cap; faces know by the end of it that a resume alone would lead nowhere."""

from decimal import Decimal

RAISE_IT = "; raise it to go on"


def at_cap_words(cap: Decimal, needed: Decimal, left: Decimal, uncertain: Decimal) -> str:
    """Return why a run pauses at its cap: the cheapest request at hand may cost `needed`, and so much is `left`.

    Where that would fit, somebody may well let the run go on as it is. All in dollars.
    """
    perhaps = f" beside ${uncertain:.6f} that may have been billed" if uncertain else ""
    reached = f"the budget of ${cap} is reached: one more request may cost ${needed:.6f}"
    if needed <= left:
        return f"{reached}, for which the ${left:.6f} left{perhaps} is enough, but a larger one came first"
    return f"{reached} and ${left:.6f} is left{perhaps}{RAISE_IT}"
