"""Finding words that training data must not hold, such as verdicts on risk in item recognition."""

import re
from functools import lru_cache


@lru_cache(maxsize=16)
def risk_pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of `words` as whole words, whatever the case and the spacing; None for none."""
    phrases = [r"\s+".join(map(re.escape, word.split())) for word in words if word.strip()]
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE) if phrases else None
