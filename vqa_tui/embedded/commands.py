"""Answering PaliGemma's commands with what was measured: short, in small letters, as that model answers."""

import random
import re

from vqa_tui.embedded.answers import NOTHING_TO_DESCRIBE
from vqa_tui.embedded.asked_form import Command
from vqa_tui.embedded.measure import GRID_WORDS, Measurement
from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.wording import listed

UNANSWERABLE = "unanswerable"
"""What PaliGemma was taught to say to a question that the picture does not answer."""
NO_TEXT = "no text"
_STEPS = 1024
_MOST_THINGS = 20
_COLOUR = re.compile(r"\bcolou?r", re.IGNORECASE)
_LIGHT = re.compile(r"\b(?:dark|bright|light|lit)\b", re.IGNORECASE)
_SHAPE = re.compile(r"\b(?:wide|tall|square|landscape|portrait|orientation)\b", re.IGNORECASE)


def command_reply(command: Command, scene: Scene, dice: random.Random) -> str:
    """Return the plain reply to a command. Nothing here reads text or knows things: it says so, or names a part of the
    picture that stands out."""
    seen = scene.measured
    if seen is None:
        return NOTHING_TO_DESCRIBE
    match command.name:
        case "cap":
            return f"{_colours(seen)} picture"
        case "caption":
            return f"a {seen.brightness_word} {seen.orientation} picture in {_colours(seen)}."
        case "describe":
            say = measured_sentences(seen, scene.noun)
            return " ".join(dice.choice(say[name]) for name in ("shape", "colours", "light", "detail"))
        case "ocr":
            return NO_TEXT
        case "answer":
            return _answer(command.about, seen)
        case "question":
            return _question(command.about, seen)
    return _detections(command.about, seen)


def _colours(seen: Measurement) -> str:
    return listed([colour.name for colour in seen.colours])


def _answer(question: str, seen: Measurement) -> str:
    if _COLOUR.search(question):
        return seen.colours[0].name
    if _LIGHT.search(question):
        return seen.brightness_word
    return seen.orientation if _SHAPE.search(question) else UNANSWERABLE


def _question(answer: str, seen: Measurement) -> str:
    word = answer.strip(" .").lower()
    if word in {colour.name for colour in seen.colours}:
        return "what colour can be seen in the picture?"
    if word in ("yes", "no"):
        fits = (seen.brightness >= 0.5) == (word == "yes")
        return f"is the picture {'bright' if fits else 'dark'}?"
    return "how many are there?" if word.isdigit() else f"is it {word} that the picture shows?"


def _detections(things: str, seen: Measurement) -> str:
    """Return one box for each thing: the parts of the picture that stand out, one after the other."""
    marked = [seen.busiest, seen.darkest, seen.brightest, "center"]
    cells = list(dict.fromkeys(word for word in marked if word is not None))
    names = [name for thing in things.split(";")[:_MOST_THINGS] if (name := thing.strip())]
    return " ; ".join(f"{_cell(cells[place % len(cells)])} {name}" for place, name in enumerate(names))


def _cell(word: str) -> str:
    """Return the location tokens of a cell of the 3×3 grid: top, left, bottom, right."""
    row, column = divmod(GRID_WORDS.index(word), 3)
    sides = (row, column, row + 1, column + 1)
    return "".join(f"<loc{min(round(side * _STEPS / 3), _STEPS - 1):04d}>" for side in sides)
