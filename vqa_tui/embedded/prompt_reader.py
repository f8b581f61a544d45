"""Reading out of a prompt what the dataset says about the picture, and what is asked for.

The shipped recipes write these lines; spacing, case and missing lines are forgiven, anything else is passed over:

    Ground truth:
    - items: Battery; Knife
    - count: 2
    - place: Battery | upper-left | 118,55,112,95
    - caption: free text on one line
    Write exactly 3 question-answer pairs.
    Exactly 1 of them must be of type structured_list.
    Allowed question types: general, specific, structured_list.
    Reply with a JSON array only …
"""

import math
import re
from dataclasses import dataclass

MAX_PAIRS = 50
MAX_ITEMS = 100
MAX_PLACES = 200
DEFAULT_PAIRS = 3
UNKNOWN_PLACE = "unknown"

_BLOCK = re.compile(r"^[ \t]*ground[ \t]+truth[ \t]*:[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_ENTRY = re.compile(r"[ \t]*[-*•][ \t]*(\w+)[ \t]*:(.*)")
_PAIRS = re.compile(
    r"\b(?:write|generate|create) (?:exactly )?(\d{1,4}) (?:\w+ )?question[- ]answer pairs?", re.IGNORECASE
)
_STRUCTURED = re.compile(r"\bexactly (\d{1,4}) of (?:them|these)\b[^\n]{0,40}\bstructured_list\b", re.IGNORECASE)
_TYPES = re.compile(r"^[ \t]*allowed question types[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_REPLY_WITH = re.compile(r"\breply with (?:an? )?(json|plain[- ]text)\b", re.IGNORECASE)
_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_SCAN = re.compile(r"x-?ray|\bbaggage\b|\bluggage\b|prohibited item|structured_list", re.IGNORECASE)
_MEDICAL = re.compile(r"\bpatients?\b|radiolog|medic|clinic|diagnos|patholog|\bchest\b", re.IGNORECASE)
_SIZE = re.compile(r"\b(\d{1,6}) pixels wide and (\d{1,6}) pixels high\b", re.IGNORECASE)
_NO_ITEMS = re.compile(r"none\.?(?: *\(.*\))?", re.IGNORECASE)
_TYPE_NAME = re.compile(r"[A-Za-z][\w-]{0,39}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one item is: a word for the part of the picture, and its box in pixels of the original picture."""

    label: str
    word: str
    box: tuple[float, float, float, float] | None = None
    """Left, top, width, height."""


@dataclass(frozen=True, slots=True)
class StatedTruth:
    """The ground-truth block of a prompt. `items` is None when the block does not say, empty for a clean picture."""

    items: tuple[str, ...] | None = None
    count: int | None = None
    places: tuple[Place, ...] = ()
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a prompt tells this endpoint."""

    truth: StatedTruth | None
    pairs: int
    structured: int
    """How many of the pairs must be of type structured_list."""
    types: tuple[str, ...]
    """Allowed question types as written; empty when the prompt does not restrict them."""
    wants_json: bool
    is_scan: bool
    """Whether the prompt speaks of an X-ray scan of baggage rather than of any picture."""
    original_size: tuple[int, int] | None = None
    """Width and height in pixels of the picture that boxes refer to; the one sent may have been scaled down."""
    instructions: str = ""
    """The prompt without its ground truth."""


def read_prompt(prompt: str) -> Asked:
    """Read `prompt`; where a statement is made several times the last one counts, as a repair prompt comes last.

    Only what stands outside the ground-truth block is an instruction: captions and labels are data.
    """
    truth, instructions = _split_truth(prompt)
    pairs = _last_number(_PAIRS, instructions)
    pairs = DEFAULT_PAIRS if pairs is None else min(max(pairs, 1), MAX_PAIRS)
    types = _TYPES.findall(instructions)
    size = _SIZE.search(instructions)
    return Asked(
        truth=truth,
        pairs=pairs,
        structured=min(_last_number(_STRUCTURED, instructions) or 0, pairs),
        types=_type_names(types[-1]) if types else (),
        wants_json=_wants_json(instructions),
        is_scan=_SCAN.search(instructions) is not None and _MEDICAL.search(instructions) is None,
        original_size=(int(size[1]), int(size[2])) if size and int(size[1]) and int(size[2]) else None,
        instructions=instructions,
    )


def _last_number(pattern: re.Pattern[str], prompt: str) -> int | None:
    found = pattern.findall(prompt)
    return int(found[-1]) if found else None


def _wants_json(prompt: str) -> bool:
    if said := _REPLY_WITH.findall(prompt):
        return str(said[-1]).lower() == "json"
    return _JSON.search(prompt) is not None


def _type_names(line: str) -> tuple[str, ...]:
    names = (name.strip(" \t\r.`'\"") for name in line.split(",")[:MAX_ITEMS])
    return tuple(dict.fromkeys(name for name in names if _TYPE_NAME.fullmatch(name)))


def _split_truth(prompt: str) -> tuple[StatedTruth | None, str]:
    """Return the ground-truth block as read, and the prompt without it. The block ends at the first other line."""
    start = _BLOCK.search(prompt)
    if start is None:
        return None, prompt
    items: tuple[str, ...] | None = None
    count: int | None = None
    places: list[Place] = []
    caption = ""
    lines = prompt[start.end() :].split("\n")
    for number, line in enumerate(lines):
        entry = _ENTRY.fullmatch(line.rstrip("\r"))
        if entry is None:
            if not line.strip():
                continue
            rest = lines[number:]
            break
        name, value = entry[1].lower(), entry[2].strip()
        if name == "items":
            items = _read_items(value)
        elif name == "count" and re.fullmatch(r"[0-9]{1,6}", value):
            count = int(value)
        elif name == "place" and len(places) < MAX_PLACES and (place := _read_place(value)):
            places.append(place)
        elif name == "caption":
            caption = value
    else:
        rest = []
    return StatedTruth(items, count, tuple(places), caption), prompt[: start.start()] + "\n".join(rest)


def _read_items(value: str) -> tuple[str, ...]:
    if _NO_ITEMS.fullmatch(value):
        return ()
    return tuple(filter(None, (label.strip() for label in value.split(";"))))[:MAX_ITEMS]


def _read_place(value: str) -> Place | None:
    """Read `label | word | x,y,width,height`. A label may hold bars itself, so the line is split from its end."""
    label, *rest = (part.strip() for part in value.rsplit("|", 2))
    if not label:
        return None
    word = rest[0] if rest and rest[0] else UNKNOWN_PLACE
    return Place(label, word, _read_box(rest[1]) if len(rest) == 2 else None)


def _read_box(value: str) -> tuple[float, float, float, float] | None:
    try:
        x, y, width, height = (float(number) for number in value.split(","))
    except ValueError:
        return None
    box = (x, y, width, height)
    return box if all(map(math.isfinite, box)) and width >= 0 and height >= 0 else None
