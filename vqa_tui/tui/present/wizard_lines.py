"""Lines of the wizard: its steps with the current one marked, what is answered so far, and notes beside fields."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from textual.content import Content

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET
from vqa_tui.tui.run_form import RunForm


class Step(IntEnum):
    """The steps of the wizard, by the key that leads to each."""

    DATASET = 1
    RECIPE = 2
    ENDPOINT = 3
    SIZE = 4
    PLAN = 5

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class StepSpot:
    """Where a step stands in the line, in cells."""

    step: Step
    start: int
    end: int


def steps_line(current: Step, done: Collection[Step]) -> tuple[Content, tuple[StepSpot, ...]]:
    """Return the line of steps, and where each stands: `1 dataset ✔   ▸2 recipe   3 endpoint   4 size   5 plan`."""
    parts: list[Content] = []
    spots: list[StepSpot] = []
    start = 0
    for step in Step:
        here = step is current
        words = f"{'▸' if here else ' '}{step.value} {step.word}"
        mark = " ✔" if step in done else ""
        style = "bold $text-primary" if here else "" if step in done else QUIET
        part = Content.assemble((words, style), (mark, GOOD), "  ")
        parts.append(part)
        spots.append(StepSpot(step, start, start + part.cell_length))
        start += part.cell_length
    return Content("").join(parts), tuple(spots)


def answers_line(form: RunForm, *, like: str = "") -> Content:
    """Return what is answered so far, in one line. `like` is the name of the run that this one is to be like."""
    parts: list[Content | tuple[str, str] | str] = []
    if like:
        parts += [("like ", QUIET), _word(like), ("   ", QUIET)]
    parts.append(_answer(form.dataset, "no dataset yet"))
    for mark, value, none in ((" → ", form.recipe, "no recipe yet"), (" @ ", form.endpoint, "no endpoint yet")):
        parts += [(mark, QUIET), _answer(value, none)]
    if form.model:
        parts += [(" ", ""), _word(form.model)]
    sizes = [f"{_word(form.limit).plain} pictures" if form.limit.strip() else "all pictures"]
    sizes.append(f"pilot {_word(form.pilot).plain}" if form.pilot.strip() not in ("", "0") else "no pilot")
    sizes.append(cap_words(form))
    if form.max_side.strip():
        sizes.append(f"longest {_word(form.max_side).plain}")
    if form.pairs.strip():
        sizes.append(f"{_word(form.pairs).plain} pairs")
    if form.seed.strip():
        sizes.append(f"seed {_word(form.seed).plain}")
    if form.structured_ratio.strip():
        sizes.append(f"structured {_word(form.structured_ratio).plain}")
    parts.append((f"   {' · '.join(sizes)}", QUIET))
    return Content.assemble(*parts)


def cap_words(form: RunForm) -> str:
    """Return what the run may spend at most: `cap $5`."""
    return f"cap ${_word(form.budget).plain.lstrip('$')}" if form.budget.strip() else "no cap"


def field_note(help_words: str, problem: VqaError | None = None) -> Content:
    """Return what stands beside a field: what it means, or what is wrong with what stands in it."""
    if problem is not None:
        return Content.styled(f"✖ {in_a_line(str(problem), limit=300)}", BAD)
    return Content.styled(help_words, QUIET)


def wizard_header(place: str) -> Content:
    """Return crumbs and the workspace that the run will be in."""
    folder = clean(place, one_line=True, limit=200)
    return Content.assemble(("vqa-tui › runs › ", QUIET), ("new run", "bold"), ("   ", ""), (folder, QUIET))


def problem_line(words: str) -> Content:
    """Return what keeps the step from being done."""
    return Content.styled(f"✖ {clean(words, limit=800)}", BAD) if words else Content("")


def _word(value: str) -> Content:
    return Content(clean(value, one_line=True, limit=40))


def _answer(value: str | None, none: str) -> Content:
    return _word(value) if value else Content.styled(none, QUIET)
