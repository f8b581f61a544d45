"""Clusters of failures in words and order, for both faces; knows no Textual."""

import re
from collections.abc import Callable, Sequence

from vqa_tui.domain.failure_advice import meaning
from vqa_tui.domain.failure_cluster import OTHER_MESSAGES, FailureCluster, FailureTable, PictureSizes, Spread
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import UNKNOWN, count, duration, file_size

_OUR_PREFIX = re.compile(r"\A[a-z][a-z ]{0,80}(?: \([\w -]{1,60}\))? \((HTTP [1-5][0-9]{2})\): (?=\S)")
"""Words of ours before those of an endpoint: the kind says the same beside them."""
_MOST_NAMES = 6
_FAR_APART = 1.3
"""How many times larger or smaller the median must be to be worth a word."""


def in_order(table: FailureTable, *, tries: bool, newest_first: bool) -> list[FailureCluster]:
    """Return the clusters that the view shows: the largest first, or those that were met last."""
    shown = [cluster for cluster in table.clusters if number_of(cluster, tries=tries)]
    if newest_first:
        return sorted(shown, key=lambda cluster: (-(cluster.last_at or 0.0), cluster.id))
    return sorted(shown, key=lambda cluster: (-number_of(cluster, tries=tries), cluster.id))


def number_of(cluster: FailureCluster, *, tries: bool) -> int:
    """Return what the view counts: pictures that failed for good, or every try that failed."""
    return cluster.tries if tries else cluster.pictures


def kinds_words(cluster: FailureCluster) -> str:
    """Return the kind of a cluster, and how many more it has."""
    more = len(cluster.kinds) - 1
    return clean(cluster.kind, one_line=True, limit=32).replace("_", " ") + (f" +{more}" if more else "")


def form_words(cluster: FailureCluster) -> str:
    """Return what went wrong, without what its kind says already. Hostile text."""
    if not cluster.form:
        return meaning(cluster.kind)
    if cluster.form == OTHER_MESSAGES:
        return "every other message: too many that differ to be told apart"
    return _OUR_PREFIX.sub(r"\1: ", cluster.form)


def ago(at: float | None, now: float) -> str:
    return UNKNOWN if at is None else duration(max(now - at, 0.0))


def counted_words(values: Sequence[tuple[str, int]]) -> str:
    """Return names with their counts: `a 12 · b 3`."""
    shown = [f"{clean(name, one_line=True, limit=60)} {count(number)}" for name, number in values[:_MOST_NAMES]]
    if len(values) > _MOST_NAMES:
        shown.append(f"{count(len(values) - _MOST_NAMES)} more")
    return " · ".join(shown)


def status_words(statuses: Sequence[tuple[int | None, int]]) -> str:
    """Return HTTP statuses with their counts; empty where no request was made."""
    return counted_words([("no answer" if status is None else str(status), number) for status, number in statuses])


def spread_words(spread: Spread, words: Callable[[int], str]) -> str:
    """Return a spread of numbers, each said by `words`: `640 px – 4 032 px, median 1 024 px`."""
    if spread.least == spread.most:
        return words(spread.median)
    return f"{words(spread.least)} – {words(spread.most)}, median {words(spread.median)}"


def pixels(side: int) -> str:
    return f"{count(side)} px"


def compared_words(failed: PictureSizes, answered: PictureSizes | None) -> tuple[str, str] | None:
    """Return how failed pictures differ from those that were answered, and by what; None without any of these.

    What differs is empty where nothing does.
    """
    if answered is None:
        return None
    for what, ours, theirs, words in (
        ("failed ones are", failed.side.median, answered.side.median, pixels),
        ("failed files are", failed.size_bytes.median, answered.size_bytes.median, file_size),
    ):
        against = f"median {words(ours)} against {words(theirs)} of those that were answered"
        if ours >= theirs * _FAR_APART:
            return f"{what} larger", against
        if ours * _FAR_APART <= theirs:
            return f"{what} smaller", against
    return "", "as large as those that were answered"
