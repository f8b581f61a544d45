"""What is said when a person leaves: what goes on without the screen, and how to come back."""

import shlex
from collections.abc import Callable, Sequence

from vqa_tui.domain.run import EngineState, RunSummary
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.seen import RunLine

_MOST_NAMES = 5


def farewell(
    lines: Sequence[RunLine],
    command: Callable[[str], str],
    unwritten: Sequence[str] = (),
    *,
    trainings: Sequence[str] = (),
) -> str:
    """Return plain text for the terminal after the app has ended.

    `command` makes the line that a person types; `unwritten` names wishes that did not reach the workspace file, and
    `trainings` those with a process.
    """
    runs = [line.summary for line in lines]
    at_work = [run for run in runs if run.engine in (EngineState.ALIVE, EngineState.HUNG)]
    lost = [run for run in runs if run.engine is EngineState.LOST]
    said = []
    if at_work:
        one = len(at_work) == 1
        said.append(
            f"vqa-tui: detached. {plural(len(at_work), 'run')} {'goes' if one else 'go'} on: {_names(at_work)}\n"
            f"  {command('')}    shows {'it' if one else 'them'} again\n"
            f"  {command(f'run pause {shlex.quote(_name(at_work[0]))}')}"
        )
    else:
        said.append("vqa-tui: detached. No engine is at work.")
    if trainings:
        one = len(trainings) == 1
        named = [clean(name, one_line=True, limit=80) for name in trainings]
        said.append(
            f"{plural(len(named), 'training')} {'goes' if one else 'go'} on: {_listed(named)}\n"
            f"  {command('train list')}    shows {'it' if one else 'them'}"
        )
    if lost:
        said.append(f"{plural(len(lost), 'run')} lost the engine: {_names(lost)}\n  {_resume(lost[0], command)}")
    return "\n".join([*said, *_unwritten(unwritten)])


def short_farewell(command: Callable[[str], str], unwritten: Sequence[str] = ()) -> str:
    """Return what can be said without reading the workspace, when that takes too long."""
    said = f"vqa-tui: detached. Engines that were at work go on.\n  {command('run list')}    shows them"
    return "\n".join([said, *_unwritten(unwritten)])


def leave_question(at_work: Sequence[str]) -> str:
    """Return what leaving breaks off, such as `import of bags`."""
    named = ", ".join(f"the {clean(words, one_line=True, limit=200)}" for words in at_work)
    works, ends = ("is at work", "ends") if len(at_work) == 1 else ("are at work", "end")
    unfinished = " A dataset says that its import is not finished." if "import of" in named else ""
    return (
        f"{named[:1].upper()}{named[1:]} {works} in this screen and {ends} with it. What came stays, and the same "
        f"again goes on from there.{unfinished}"
    )


def _unwritten(wishes: Sequence[str]) -> list[str]:
    named = "; ".join(clean(wish, one_line=True, limit=120) for wish in wishes)
    return [f"Not done when this screen closed: {named}. Look whether it has to be repeated."] if wishes else []


def _resume(run: RunSummary, command: Callable[[str], str]) -> str:
    return command(f"run resume {shlex.quote(_name(run))}")


def _name(run: RunSummary) -> str:
    return clean(run.name, one_line=True, limit=60)


def _names(runs: Sequence[RunSummary]) -> str:
    return _listed([_name(run) for run in runs])


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_MOST_NAMES])
    return f"{listed} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else listed
