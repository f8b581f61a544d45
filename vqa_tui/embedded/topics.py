"""A topic: one thing that can be asked about a picture, with several ways of asking and of answering."""

import random
from dataclasses import dataclass

Sentence = tuple[str, ...]
"""Ways of saying the same thing; one is drawn."""

FAMILIES = ("general", "specific", "location", "count", "detailed", "occlusion")

_FAMILY_OF_TYPE = {
    "overview": "general",
    "description": "detailed",
    "descriptive": "detailed",
    "caption": "detailed",
    "detail": "detailed",
    "object": "specific",
    "object_recognition": "specific",
    "recognition": "specific",
    "presence": "specific",
    "attribute": "specific",
    "color": "specific",
    "colour": "specific",
    "position": "location",
    "spatial": "location",
    "spatial_reasoning": "location",
    "relation": "location",
    "counting": "count",
    "number": "count",
    "quantity": "count",
    "visibility": "occlusion",
}


def family_of(question_type: str) -> str:
    """Return the family of topics that serves a question type; a type that nobody knows is served as `general`."""
    name = question_type.lower().replace("-", "_").replace(" ", "_")
    return name if name in FAMILIES else _FAMILY_OF_TYPE.get(name, "general")


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to ask. An answer is the core, what always follows it, and some of the further sentences in order."""

    family: str
    questions: tuple[str, ...]
    core: Sentence
    further: tuple[Sentence, ...] = ()
    least_further: int = 1
    always: tuple[Sentence, ...] = ()
    """At most two sentences without which the core would leave the question half answered."""

    def answer(self, dice: random.Random) -> str:
        """Return a natural answer of two to four sentences (one, where there is nothing further to say)."""
        most = min(len(self.further), 3 - len(self.always))
        least = max(min(self.least_further - len(self.always), most), 0)
        chosen = sorted(dice.sample(range(len(self.further)), dice.randint(least, most)))
        said = (self.core, *self.always, *(self.further[index] for index in chosen))
        return " ".join(dice.choice(sentence) for sentence in said)
