"""Which pictures of a dataset a run asks about, and how many requests each of them is."""

from dataclasses import dataclass

from vqa_tui.domain.part import BY_PAIR

_PAIRS = "coalesce(json_array_length(truth, '$.questions'), 0)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Pieces of SQL over items; of a run that asks once about each picture they cost nothing."""

    only: str = ""
    """Condition on the rows of `item`, beginning with AND; empty: every picture is asked about."""
    count: str = "1"
    """How many requests a row of `item` is."""
    join: str = ""
    """What makes a row of each request out of a row of `chosen`, which has the `id` of an item."""
    columns: str = "0, 1"
    """Part and number of parts of such a row."""
    order: str = ""
    """What the requests about one picture are in order by; follows ORDER BY."""


_ONCE = Asked()
_BY_PAIR = Asked(
    only=f"AND {_PAIRS} > 0",
    count=_PAIRS,
    join="JOIN item ON item.id = chosen.id CROSS JOIN json_each(item.truth, '$.questions') AS pair",
    columns=f"pair.key, {_PAIRS}",
    order=", pair.key",
)


def asked_of(parts: int) -> Asked:
    """Return how a run with so many requests for each picture, or BY_PAIR, finds what it asks."""
    if parts == 1:
        return _ONCE
    if parts == BY_PAIR:
        return _BY_PAIR
    every = "[" + ",".join(str(part) for part in range(parts)) + "]"
    return Asked(
        count=str(parts),
        join=f"CROSS JOIN json_each('{every}') AS part",
        columns=f"part.key, {parts}",
        order=", part.key",
    )
