"""Which of the requests about one picture a task is, where a recipe makes several of each."""

from dataclasses import dataclass

BY_PAIR = 0
"""In the place of a number of requests for each picture: as many as the picture has reference pairs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the requests about a picture; how many there are was fixed when the run was made."""

    index: int = 0
    """Counts from 0, in the order of the recipe's prompts or of the picture's reference pairs."""
    of: int = 1
    prompt: str = ""
    """Name of its prompt, where the recipe names several."""

    @property
    def number(self) -> int:
        """Counts from 1, as people and templates count."""
        return self.index + 1

    @property
    def words(self) -> str:
        """Such as `2/3` or `2/3 caption`; empty where a picture is one request."""
        if self.of == 1:
            return ""
        return f"{self.number}/{self.of} {self.prompt}".rstrip()


PICTURE = "picture"
"""What a task is called where each picture is one."""


def unit(*, in_parts: bool) -> str:
    """Return what the tasks of a run are called: pictures, or requests where a picture may be several of them."""
    return "request" if in_parts else PICTURE


def counted(number: int, word: str) -> str:
    """Return a number of what a word names in the singular: `1 picture`, `1,200 requests`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


ONLY = Part()
"""The one request about a picture of a recipe that makes one."""


def with_part(key: str, part: Part) -> str:
    """Return how a task is named: the key of its picture, and which of the requests about it this is."""
    return f"{key} · {part.words}" if part.of > 1 else key
