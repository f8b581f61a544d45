"""The normal form of an error message: what is left of it without numbers, ids, addresses, times and paths."""

import re
from functools import lru_cache

from vqa_tui.safe_text import clean

LONGEST_FORM = 300
"""Characters."""
_LONGEST_READ = 2_000
"""Of longer messages the rest says nothing new; a bound keeps hostile ones cheap."""
_MOST_PASSES = 12
NUMBER, ID, URL, TIME, PATH = "<n>", "<id>", "<url>", "<time>", "<path>"

_STATUSES = re.compile(r"(\bHTTP [1-5][0-9]{2}(?![0-9]))")
_ZEROS = str.maketrans("123456789", "0" * 9)
_PIECES = re.compile(r"""[^\s"'`<>()\[\]{},;|]+|[\s"'`<>()\[\]{},;|]+""")
_PLAIN = re.compile(r"[A-Za-z]{1,23}[.:!?]*")
_TAIL = re.compile(r"[.:!?…]+$")
_UNITS = (
    "ns|us|µs|ms|milliseconds?|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|weeks?|months?|years?"
)
_DURATION = re.compile(rf"(?:[0-9]+(?:\.[0-9]+)?(?:{_UNITS}))+", re.I)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt_][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?(?:\.[0-9]+)?)?(?:[Zz]|[+-][0-9:]+)?"
)
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|am|pm)?", re.I)
_ADDRESS = re.compile(
    r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost|[\w-]+(?:\.[\w-]+)+(?=:[0-9])"
    r"|(?:[\w-]+\.)+(?:com|org|net|io|ai|dev|app|cloud|local|internal|lan|edu|gov))(?::[0-9]+)?(?:/\S*)?",
    re.I,
)
_IPV6 = re.compile(r"(?=[^:]*:[^:]*:)[0-9a-f:.]+(?:%\w+)?", re.I)
_MAIL = re.compile(r"[^@\s]+@[\w-]+(?:\.[\w-]+)+")
_ROOTED = re.compile(r"(?:[A-Za-z]:)?[\\/]|~/|\.{1,2}/")
_FILE = re.compile(
    r"(?:.*[\\/])?[^\\/]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|heic|avif|jsonl?|txt|csv|ya?ml|py|parquet|mp4|avi|mov|mkv|db|log)",
    re.I,
)
_DEEP_FILE = re.compile(r".+[\\/][^\\/]*\.[a-z]\w{0,4}", re.I)
_AMOUNT = re.compile(r"[+-]?[$€£]?[0-9][0-9.,_]*(?:e[+-]?[0-9]+)?%?", re.I)
_RUN = re.compile(r"[A-Za-z0-9_*-]+|[^A-Za-z0-9_*-]+")
_KNOWN_ID = re.compile(
    r"(?:req|chatcmpl|cmpl|msg|resp|org|proj|user|acct|sk|pk|rk|key|trace|span|run|batch|call|gen|session)[_-][\w*-]+|AIza[\w-]+",
    re.I,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.I)
_HEX = re.compile(r"(?:0x)?[0-9a-f]{8,}", re.I)
_TURNS = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)*")

_NAMED = r"((?:request|trace|correlation|session|ray|incident|event)[ _-]?id[\"']?[:= ]{0,3}[\"']?)"
_IDS_BY_NAME = re.compile(rf"{_NAMED}(?!<id>)[A-Za-z0-9_-]{{4,}}", re.I)
_COUNTED_TIME = re.compile(rf"(?<![A-Za-z])<n>[ -]?(?:{_UNITS})(?![A-Za-z<])", re.I)
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_WRITTEN_DATE = re.compile(rf"(?:\b{_DAY},? )?(?:<n> {_MONTH}|\b{_MONTH} <n>),?(?: <n>)?(?![a-z])", re.I)
_TIMES = re.compile(r"<time>(?:(?:,? (?:at |and )?)?<time>)*(?: ?(?:UTC|GMT)\b)?")
_NUMBERS = re.compile(r"<n>(?:(?:, ?|\.|-|/|x|×| )<n>)+")


@lru_cache(maxsize=512)
def normal_form(message: str) -> str:
    """Return `message` without what differs from one failure to the next, on one line of at most LONGEST_FORM.

    Numbers, ids and keys, addresses, times and file paths become placeholders; the HTTP status stays, since it says
    what went wrong. Messages that differ in nothing else have the same form, and a form is its own form. Takes time
    linear in the message whatever it holds, and never raises.
    """
    if message.isascii() and message.isprintable():
        text = " ".join(message[:_LONGEST_READ].split())
    else:
        text = clean(message, one_line=True, limit=_LONGEST_READ)
    # Which digits stand there is of no interest, so messages that differ in nothing else are worked out once.
    parts = _STATUSES.split(text)
    parts[::2] = [part.translate(_ZEROS) for part in parts[::2]]
    return _form("".join(parts))


@lru_cache(maxsize=8_192)
def _form(text: str) -> str:
    for _ in range(_MOST_PASSES):
        form = _once(text)[:LONGEST_FORM].rstrip()
        if form == text:
            break
        text = form
    return text


def _once(text: str) -> str:
    pieces = [
        part if odd % 2 else "".join([_piece(piece) for piece in _PIECES.findall(part)])
        for odd, part in enumerate(_STATUSES.split(text))
    ]
    form = _IDS_BY_NAME.sub(rf"\1{ID}", "".join(pieces))
    if NUMBER in form:
        form = _WRITTEN_DATE.sub(TIME, _COUNTED_TIME.sub(TIME, form))
        form = _NUMBERS.sub(NUMBER, form)
    return _TIMES.sub(TIME, form) if TIME in form else form


@lru_cache(maxsize=16_384)
def _piece(piece: str) -> str:
    """Return one word, or the space and punctuation between two."""
    if _PLAIN.fullmatch(piece):
        return piece
    tail = _TAIL.search(piece)
    end = tail[0] if tail else ""
    return _word(piece.removesuffix(end)) + end


def _word(word: str) -> str:
    if "://" in word or word[:5].lower() == "data:" or word[:4].lower() == "www.":
        return URL
    name, equals, value = word.partition("=")
    if equals:
        return f"{_runs(name)}={_word(value)}" if "=" not in value else _runs(word)
    if _DURATION.fullmatch(word) or _DATE.fullmatch(word) or _CLOCK.fullmatch(word):
        return TIME
    if _ADDRESS.fullmatch(word) or _IPV6.fullmatch(word):
        return URL
    if "@" in word and _MAIL.fullmatch(word):
        return ID
    if _AMOUNT.fullmatch(word):
        return NUMBER
    depth = word.count("/") + word.count("\\")
    if (depth > 1 and _ROOTED.match(word)) or _FILE.fullmatch(word) or (depth and _DEEP_FILE.fullmatch(word)):
        return PATH
    return _runs(word)


def _runs(word: str) -> str:
    return "".join(_run(run) for run in _RUN.findall(word))


def _run(run: str) -> str:
    """Return a run of letters, digits, hyphens and underscores: an id as a whole, else without its numbers."""
    if _KNOWN_ID.fullmatch(run) or "****" in run or _UUID.fullmatch(run):
        return ID
    digits = sum(character.isdigit() for character in run)
    mixed = not run.islower() and not run.isupper() and not run.istitle()
    if not digits:
        return ID if _looks_drawn(run) else run
    if _HEX.fullmatch(run) and len(run) - digits:
        return ID
    turns = max(len(_TURNS.findall(part)) for part in re.split("[_-]", run))
    if (turns >= 3 and len(run) >= 6) or (len(run) >= 20 and digits >= 3 and mixed and turns):
        return ID
    return _DIGITS.sub(NUMBER, run)


def _looks_drawn(run: str) -> bool:
    """Whether letters stand there as if drawn by lot: capitals begin words in GenerateRequestsPerDay, not in a key."""
    if not run.isalpha():
        return "_" not in run and len(run) >= 60
    capitals = sum(character.isupper() for character in run)
    return len(run) >= 40 if capitals in (0, len(run)) else len(run) >= 24 and capitals * 4 > len(run)
