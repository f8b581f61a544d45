"""What an export wrote, and the verdict on it."""

from dataclasses import dataclass

from textual.content import Content

from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.phases import BAD, GOOD, QUIET, WARN

PROBLEMS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export with its validation, in words; names and problems may quote foreign text."""

    pictures: int
    pairs: int
    files: tuple[str, ...]
    manifest: str
    warnings: tuple[str, ...]
    ok: bool
    checks: tuple[tuple[bool, str], ...]
    """What was checked, and whether it holds."""
    problems: tuple[str, ...]
    """The first PROBLEMS_SHOWN."""
    problem_count: int


def export_words(result: ExportResult) -> str:
    """Return the verdict and where the file lies, as one line."""
    verdict = "valid" if result.ok else f"not valid, {plural(result.problem_count, 'problem')}"
    return f"{_amount(result)}, {verdict}: {result.manifest}"


def export_text(result: ExportResult) -> Content:
    """Return the verdict and counts, then what is wrong, then files and warnings, then the checks that hold."""
    verdict = Content.styled("✔ valid" if result.ok else "✖ not valid", f"bold {GOOD if result.ok else BAD}")
    lines = [Content.assemble(verdict, f"   {_amount(result)}")]
    lines += [_check(holds, words) for holds, words in result.checks if not holds]
    lines += [Content.styled(f"  {_line(problem)}", BAD) for problem in result.problems]
    if (more := result.problem_count - len(result.problems)) > 0:
        lines.append(Content.styled(f"  and {plural(more, 'more problem')}", BAD))
    lines += [Content(_line(file)) for file in result.files]
    lines.append(Content.styled(_line(result.manifest), QUIET))
    lines += [Content.styled(f"▲ {_line(warning)}", WARN) for warning in result.warnings]
    lines += [_check(holds, words) for holds, words in result.checks if holds]
    return Content("\n").join(lines)


def _amount(result: ExportResult) -> str:
    return f"{plural(result.pairs, 'pair')} of {plural(result.pictures, 'picture')}"


def _check(holds: bool, words: str) -> Content:
    return Content.assemble(("✔ ", GOOD) if holds else ("✖ ", BAD), (_line(words), QUIET if holds else BAD))


def _line(words: str) -> str:
    return clean(words, one_line=True, limit=300)
