"""Which pictures of a dataset a run with a limit takes: spread evenly, or drawn by a seed."""

import hashlib

# The k-th of `total` is taken when k * chosen / total passes a whole number: exactly `chosen`, evenly spread.
SPREAD = "(place * :chosen) / :total > ((place - 1) * :chosen) / :total"
"""Condition on rows that have their `place`, counted from 1."""
DRAWN = "ORDER BY drawn_place(:seed, key), id LIMIT :chosen"
"""What ends a query over `item` that takes `chosen` of them by the seed."""


def drawn_place(seed: int, key: str) -> int:
    """Return where an item stands in the order that a seed draws, from 0 up to 2**63: by a hash of seed and key.

    So the same data, seed and number draw the same pictures in every workspace, and a larger number takes all that a
    smaller one took. Queries know it by this name.
    """
    digest = hashlib.blake2b(f"{seed} {key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
