"""What can be the name of a run or of a training: it is typed on command lines and becomes part of file names."""

import re

from vqa_tui.domain.failure import VqaError

LONGEST_NAME = 80


def require_run_name(name: str, of: str = "run") -> None:
    """Raise VqaError, with what can be a name, unless `name` can be one of a run, or `of` something else. Digits alone
    would be taken for a number."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or len(name) > LONGEST_NAME or name.isdecimal():
        raise VqaError(
            f"{name!r} cannot be the name of a {of}",
            hint="Use ASCII letters (a-z, A-Z), digits, dots, dashes and underscores, at most "
            f"{LONGEST_NAME} of them, beginning with a letter or digit, and not digits alone.",
        )
