"""The form of asking again as it was typed, and what it means."""

from dataclasses import dataclass

from vqa_tui.domain.changes import TaskChanges
from vqa_tui.operations.asking_again import Chosen, parse_max_tokens
from vqa_tui.operations.follow_ups import Elsewhere
from vqa_tui.operations.planning import parse_max_side
from vqa_tui.tui.run_form import parse_dollars


def suggested_side(chosen: Chosen) -> str:
    """Return the longest side that the run sends, as it is typed."""
    return "original" if chosen.max_side is None else str(chosen.max_side)


@dataclass(frozen=True, slots=True)
class AgainForm:
    """The fields as text; `endpoint` is empty where the run's own is meant."""

    max_tokens: str = ""
    max_side: str = ""
    endpoint: str = ""
    model: str = ""
    name: str = ""
    budget: str = ""
    """Dollars, `none`, or empty: then nothing is said."""
    anyway: bool = False

    def changes(self, chosen: Chosen) -> TaskChanges:
        """Return what is otherwise than the run asks already. Raises VqaError, naming the field, for a bad value."""
        tokens, side = self.max_tokens.strip(), self.max_side.strip()
        return TaskChanges(
            None if tokens in ("", str(chosen.max_tokens)) else parse_max_tokens(tokens, field="max tokens"),
            None if side in ("", suggested_side(chosen)) else parse_max_side(side, field="longest px"),
        )

    def elsewhere(self) -> Elsewhere | None:
        """Return where it is asked, None for the run itself. Raises VqaError, naming the field, for a bad value."""
        if not self.endpoint:
            return None
        budget = self.budget.strip()
        uncapped = budget.lower() == "none"
        return Elsewhere(
            self.endpoint,
            self.model.strip() or None,
            self.name.strip() or None,
            parse_dollars(budget) if budget.removeprefix("$") and not uncapped else None,
            uncapped,
            self.anyway,
        )
