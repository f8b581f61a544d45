"""What can be the name of a run or of a training: it is typed on command lines and becomes part of file names."""

import re

from vqa_tui.domain.failure import VqaError


def require_run_name(name: str, of: str = "run") -> None:
    """Raise VqaError, with what can be a name, unless `name` can be one of a run, or `of` something else. Digits alone
    would be taken for a number."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", name) or name.isdecimal():
        raise VqaError(
            f"{name!r} cannot be the name of a {of}",
            hint="Use ASCII letters (a-z, A-Z), digits, dots, dashes and underscores, at most 80 of them, beginning "
            "with a letter or digit, and not digits alone.",
        )
