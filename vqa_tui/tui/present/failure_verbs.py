"""What can be done with chosen clusters of failures: why not, and the question before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from vqa_tui.domain.failure_advice import Verb, no_use
from vqa_tui.domain.failure_cluster import FailureCluster
from vqa_tui.domain.run import RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.following import twice_words
from vqa_tui.tui.present.numbers import count, money, plural
from vqa_tui.tui.present.phases import kind_words


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its title, the consequence, and the word of the button that does it."""

    title: str
    body: str
    yes: str


_MEANS = {
    Verb.RETRY: "Another try",
    Verb.SKIP: "Skipping",
    Verb.SMALLER: "A smaller picture",
    Verb.ELSEWHERE: "Another endpoint",
}


def why_not(verb: Verb, chosen: Sequence[FailureCluster]) -> str | None:
    """Return why `verb` cannot be done with the pictures of `chosen`, or None when it can."""
    if not chosen:
        return "There is no cluster."
    if not any(cluster.pictures for cluster in chosen):
        return f"None of these {chosen[0].unit}s has failed for good: they were asked again, wait, or were skipped."
    for cluster in chosen:
        for each in cluster.kinds:
            if each.pictures and (reason := no_use(verb, each.kind)):
                return f"{_MEANS[verb]} is no help where the kind is {kind_words(each.kind)}: {reason}."
    return None


def question(verb: Verb, number: int, clusters: int, view: RunView) -> Asked:
    """Return what is asked before `number` pictures of so many clusters are retried or skipped."""
    pictures = plural(number, f"failed {view.unit}")
    of_them = "" if clusters == 1 else f" of {plural(clusters, 'cluster')}"
    if verb is Verb.RETRY:
        body = (
            f"{pictures}{of_them} will be put back into the queue with all attempts anew; "
            f"each costs what a {view.unit} costs{cost_words(number, view)}. {twice_words(view)}".rstrip()
        )
        return Asked(f"Ask these {view.unit}s again?", body, f"Retry {count(number)}")
    body = (
        f"{pictures}{of_them} will be taken out of the run: they count as skipped, are asked no more and stand in no "
        "export. What they have cost stays in the sums."
    )
    return Asked(f"Skip these {view.unit}s?", body, f"Skip {count(number)}")


def cost_words(number: int, view: RunView) -> str:
    """Return what `number` pictures will cost at the price of those that are done; empty where none is known."""
    if not view.cost.price_known or not view.counts.done or not view.cost.spent:
        return ""
    return f", about {money(view.cost.spent / view.counts.done * number)} in all"


def look_words(chosen: Sequence[FailureCluster], words: str) -> str:
    """Return what the list of items is called that shows the pictures of `chosen`; `words` are those of the first."""
    if len(chosen) > 1:
        return f"{plural(len(chosen), 'cluster')}"
    return f"{kind_words(chosen[0].kind)}: {clean(words, one_line=True, limit=60)}"
