"""clean(): the one door through which text that we did not write reaches a screen."""

import re

_ESCAPE_SEQUENCE = re.compile(
    r"""
    (?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?                    # OSC … BEL or ST
  | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?          # DCS, SOS, PM, APC … ST
  | (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?                                      # CSI
  | \x1b[ -/]*[0-~]?                                                       # every other escape
    """,
    re.VERBOSE,
)
_BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u200b\u2060\ufeff\u2028\u2029"
_REMOVED = {ord(c): None for c in _BIDI_CONTROLS + _INVISIBLE}
_REMOVED |= {code: None for code in [*range(0x00, 0x20), 0x7F, *range(0x80, 0xA0)] if code not in (0x09, 0x0A)}
_SURROGATES = re.compile(r"[\ud800-\udfff]")
ELLIPSIS = "…"
_ENDS = (".", "!", "?", ":", ";", ",", "…")
"""What a line may end with so that the next one goes on behind it without a full stop."""


def clean(text: str, *, one_line: bool = False, limit: int | None = None) -> str:
    """Return `text` without anything that could act on a terminal or reorder what stands beside it.

    Whole escape sequences (ECMA-48: CSI, OSC, DCS, SOS, PM, APC and two-character ones), C0 and C1 controls, DEL,
    bidirectional controls and invisible separators are dropped; a lone surrogate becomes U+FFFD; tabs become four
    spaces and CR LF becomes LF. With `one_line` every run of white space is one space. `limit` is the largest number
    of characters kept; a cut is marked with an ellipsis, which counts.
    """
    if limit is not None and len(text) > limit * 8 + 4096:
        text = text[: limit * 8 + 4096]
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    text = _SURROGATES.sub("\ufffd", text.translate(_REMOVED)).replace("\t", "    ")
    if one_line:
        text = " ".join(text.split())
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + ELLIPSIS
    return text


def in_a_line(text: str, *, limit: int | None = None) -> str:
    """Return words of ours that may have several lines, as an error and what to do about it, cleaned and in one line.

    A line that ends without punctuation gets a full stop, so that two of them do not read as one sentence.
    """
    safe = clean(text, limit=None if limit is None else limit * 8)
    lines = [line for line in (" ".join(each.split()) for each in safe.split("\n")) if line]
    stopped = (line if line.endswith(_ENDS) else f"{line}." for line in lines[:-1])
    return clean(" ".join((*stopped, *lines[-1:])), limit=limit)
