"""One cluster of failures in full: the message, what it means, what can be done, and what its pictures share."""

from textual.content import Content

from vqa_tui.domain.failure_advice import meaning, what_helps
from vqa_tui.domain.failure_cluster import TREND_MINUTES, ClusterDetail, Example, FailureCluster
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.failure_words import ago, compared_words, counted_words, pixels, spread_words, status_words
from vqa_tui.tui.present.numbers import clock, count, file_size, plural
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words

_LONGEST_MESSAGE = 4_000


def detail_head(cluster: FailureCluster, detail: ClusterDetail | None, now: float) -> Content:
    """Return what the cluster is: kind, counts, when it was met, and the newest message in full."""
    kinds = ", ".join(
        kind_words(each.kind) + (f" {count(max(each.pictures, each.tries))}" if len(cluster.kinds) > 1 else "")
        for each in cluster.kinds
    )
    counts = f"{plural(cluster.pictures, cluster.unit)} failed for good"
    if cluster.tries:
        counts += f" · {plural(cluster.tries, 'try', 'tries')} in all"
    seen = f"first seen {ago(cluster.first_at, now)} ago"
    if cluster.last_at is not None:
        seen += f", last seen {ago(cluster.last_at, now)} ago ({clock(cluster.last_at)})"
    lines = [
        Content.assemble((kinds, f"bold {BAD}"), "  ", (counts, QUIET)),
        Content.styled(seen, QUIET),
        Content(""),
    ]
    if detail is None:
        lines.append(Content.styled("reading …", QUIET))
    elif detail.message.strip():
        lines.append(Content(clean(detail.message, limit=_LONGEST_MESSAGE).strip()))
    else:
        lines.append(Content.styled("The failure says nothing.", QUIET))
    return Content("\n").join(lines)


def detail_facts(cluster: FailureCluster, detail: ClusterDetail, *, tries: bool) -> Content:
    """Return what the kind means, what can be done, and what the failures have in common."""
    kind = cluster.kind
    meant = clean(meaning(kind), one_line=True, limit=200)
    blocks = [Content(f"{meant[:1].upper()}{meant[1:]}.")]
    if helps := what_helps(kind):
        blocks.append(Content.assemble(("What helps: ", QUIET), helps))
    facts: list[tuple[str, Content]] = []
    minutes = cluster.tries_by_minute if tries else cluster.pictures_by_minute
    if any(minutes):
        (plot,) = bars.sparkline(minutes, TREND_MINUTES)
        words = f"  {count(sum(minutes))} in the last {TREND_MINUTES} min"
        facts.append(("Trend", Content.assemble((plot, "$primary"), words)))
    facts.append(("HTTP", Content(status_words(detail.statuses) or "no request was made")))
    facts += [
        (title, Content(counted_words(n))) for title, n in (("Keys", detail.keys), ("Models", detail.models)) if n
    ]
    if (sizes := detail.sizes) is not None:
        facts.append(("Longest side", Content(spread_words(sizes.side, pixels))))
        facts.append(("File size", Content(spread_words(sizes.size_bytes, file_size))))
        if (compared := compared_words(sizes, detail.answered_sizes)) is not None:
            differs, words = compared
            facts.append(("Compared", Content.assemble((f"{differs}: ", WARN) if differs else "", words)))
    width = max(len(title) for title, _ in facts)
    lines = [Content.assemble((title.ljust(width) + "  ", QUIET), body) for title, body in facts]
    number = cluster.tries if tries else cluster.pictures
    if detail.looked_at < number:
        lines.append(Content.styled(f"(of the newest {count(detail.looked_at)})", QUIET))
    return Content("\n").join([*blocks, Content(""), *lines])


def example_caption(example: Example) -> Content:
    """Return the key and the size of an example."""
    return Content.assemble(
        clean(example.name, one_line=True, limit=200),
        (f"\n{example.width}×{example.height} · {file_size(example.size_bytes)}", QUIET),
    )
