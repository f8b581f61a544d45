"""Asking again in words, as the command line and the terminal app both say it; not cleaned yet."""

from vqa_tui.domain.run import EngineState, Phase
from vqa_tui.operations.asking_again import AskedAgain, Chosen
from vqa_tui.operations.follow_ups import FollowUp
from vqa_tui.operations.plan import RunPlan
from vqa_tui.tui.present.numbers import count, money, plural
from vqa_tui.tui.present.plan_words import band_words, side_words

_WAITS = {Phase.STOPPED, Phase.PAUSED, Phase.PAUSING, Phase.STOPPING, Phase.CREATED}


def chosen_words(chosen: Chosen) -> str:
    """Return how many pictures, or requests, were chosen and how they stand: `12 pictures: 10 failed, 2 done`."""
    parts = [
        f"{count(number)} {word}"
        for number, word in (
            (chosen.failed, "failed"),
            (chosen.done, "done"),
            (chosen.skipped, "skipped"),
            (chosen.waiting, "still being asked"),
        )
        if number
    ]
    total = chosen.askable + chosen.skipped + chosen.waiting
    if len(parts) == 1:
        word = parts[0].partition(" ")[2]
        return plural(total, f"{chosen.unit} {word}", f"{chosen.unit}s {word}")
    return f"{plural(total, chosen.unit)}: {', '.join(parts)}" if parts else plural(total, chosen.unit)


def cut_words(chosen: Chosen) -> str:
    """Return the hint that a longer reply may be what is missing; empty where no reply was cut."""
    if not chosen.cut:
        return ""
    one = chosen.cut == 1
    which = "the reply was" if one and chosen.askable == 1 else f"{count(chosen.cut)} {'was' if one else 'were'}"
    return f"{which} cut at max_tokens: more room may be all that is missing"


def changed_words(chosen: Chosen) -> str:
    """Return that something was changed for some before, and holds; empty where nothing was."""
    if not chosen.changed:
        return ""
    return f"{count(chosen.changed)} changed before: what you leave as it is here stays so for them"


def left_words(chosen: Chosen, *, elsewhere: bool) -> str:
    """Return who of the chosen is left out and why; empty where nobody is."""
    left = chosen.waiting if elsewhere else chosen.waiting + chosen.skipped
    if not left:
        return ""
    return (
        f"{plural(left, chosen.unit)} left out: {'still being asked' if elsewhere else 'still being asked, or skipped'}"
    )


def pairs_words(chosen: Chosen, *, elsewhere: bool) -> str:
    """Return what becomes of the pairs that there are; empty where there are none."""
    if not chosen.pairs:
        return ""
    if elsewhere:
        return f"Their {plural(chosen.pairs, 'pair')} stay; exports of this run take new ones only where it has none."
    judged = f", {count(chosen.judged)} of them judged," if chosen.judged else ""
    return f"Their {plural(chosen.pairs, 'pair')}{judged} will be replaced, each when its new reply is stored."


def cost_words(plan: RunPlan) -> str:
    """Return what it will take: `about $0.0123 ($0.0100 to $0.0301)`."""
    if plan.cost_total is None:
        return "an unknown price: nothing is counted"
    band = band_words(plan)
    return f"about {money(plan.cost_total)}" + (f" ({band})" if band else "")


def side_sent(plan: RunPlan) -> str:
    """Return the size at which pictures are sent: `512 px`, `the original size`."""
    return "the original size" if plan.max_side is None else side_words(plan.max_side)


def asked_words(asked: AskedAgain, run_name: str) -> str:
    """Return what was done, and what a run that rests still needs."""
    words = f"{plural(asked.count, asked.unit)} will be asked again"
    if asked.left:
        words += f"; {count(asked.left)} left out"
    if asked.engine is EngineState.LOST:
        words += f". The engine of {run_name} is lost: resume it"
    elif asked.phase in _WAITS:
        words += f". The run {run_name} is {asked.phase}: resume it"
    elif asked.phase is Phase.AWAITING_APPROVAL:
        words += f". The run {run_name} waits for its pilot to be approved"
    return f"{words}."


def follow_up_words(made: FollowUp, endpoint: str, *, started: bool = True) -> str:
    """Return what was made, and what it still needs where its engine did not start."""
    left = f"; {count(made.left)} left out" if made.left else ""
    what = plural(made.count, made.unit)
    if not started:
        return f"The run {made.name} was made for {what}{left}, and is not at work: resume it when that is mended."
    return f"The run {made.name} asks {what} at {endpoint}{left}."
