"""What endpoints tell about their quotas in the headers of any reply."""

from collections.abc import Mapping

from vqa_tui.domain.allowance import Allowance


def read_allowances(headers: Mapping[str, str], now: float) -> tuple[Allowance, ...]:
    """Return what `headers` (lower-case names) tell; times are seen from the Unix time `now`."""
    return ()
