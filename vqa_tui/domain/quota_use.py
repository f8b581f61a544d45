"""Requests that were counted against a key's quotas elsewhere: by an engine before this one, or beside it."""

from dataclasses import dataclass

from vqa_tui.domain.quota import RequestSize


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What one key was used for."""

    key_name: str
    newest: tuple[tuple[float, RequestSize], ...] = ()
    """Start as Unix time and tokens of each request that may still count against a minute."""
    of_today: int = 0
    """Requests that count against the day, the newest included, less those that do not count after all."""
    settled: tuple[tuple[float, RequestSize], ...] = ()
    """Start and tokens of each request that was counted before as large as it was expected to be."""
    unsent: tuple[float, ...] = ()
    """Starts of requests that were counted before, and were never sent."""
