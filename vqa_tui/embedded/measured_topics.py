"""What can be asked about a picture of which only the measurements are known."""

from vqa_tui.embedded.measure import Measurement
from vqa_tui.embedded.nouns import number
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.wording import capital, listed, part, parts_of, share_of


def measured_sentences(seen: Measurement, noun: str) -> dict[str, Sentence]:
    """Return one sentence, in several wordings, for each thing that was measured, by name."""
    colours = [colour.name for colour in seen.colours]
    colours_are = "colour is" if len(colours) == 1 else "colours are"
    first = seen.colours[0]
    sentences: dict[str, Sentence] = {
        "shape": (
            f"The {noun} is {_format(seen)}.",
            f"The {noun} is {_aspect(seen)}.",
        ),
        "colours": (
            f"In this {noun}, the dominant {colours_are} {listed(colours)}.",
            f"{capital(first.name)} covers {share_of(first.share)} the {noun}.",
            f"The main {colours_are} {listed(colours)}.",
        ),
        "light": (
            f"The {noun} is {seen.brightness_word} overall, with {seen.contrast_word} contrast.",
            f"Overall the {noun} is {seen.brightness_word}, and its contrast is {seen.contrast_word}.",
        ),
        "sharpness": (
            f"Edges in the {noun} look {seen.sharpness_word}.",
            f"The outlines in the {noun} are {seen.sharpness_word}.",
        ),
        "regions": _regions(seen, noun),
    }
    if seen.busiest and seen.emptiest:
        sentences["detail"] = (
            f"The detail is densest in {part(seen.busiest)} and sparsest in {part(seen.emptiest)}.",
            f"The densest structure is found in {part(seen.busiest)}.",
            f"The emptiest part of the {noun} is {part(seen.emptiest)}.",
        )
    else:
        sentences["detail"] = (
            f"Detail is spread evenly over the {noun}.",
            f"No part of the {noun} holds clearly more detail than another.",
        )
    return sentences


def measured_topics(seen: Measurement, noun: str) -> list[Topic]:
    """Return topics of every family about `seen`, grounded in nothing but the measurement."""
    say = measured_sentences(seen, noun)
    return [
        Topic(
            "general",
            (f"What is the overall impression of this {noun}?", f"How would you sum up this {noun}?"),
            (
                f"This is a {_shape(seen)} {noun} that is {seen.brightness_word} overall.",
                f"The {noun} is {_format(seen)} and looks {seen.brightness_word}.",
            ),
            (say["colours"], say["detail"], say["regions"]),
        ),
        Topic(
            "general",
            (f"What is the format of this {noun}?", f"Is this {noun} landscape, portrait or square?"),
            (
                f"The {noun} is {_format(seen)}: {_aspect(seen)}.",
                f"It is {_format(seen)}.",
            ),
            (say["colours"], say["light"]),
        ),
        *_colour_topics(seen, noun, say),
        *_light_topics(seen, noun, say),
        *_location_topics(seen, noun, say),
        Topic(
            "count",
            (
                f"How many distinct areas of colour are there in this {noun}?",
                f"Into how many colour areas does this {noun} divide?",
            ),
            _regions(seen, noun),
            (say["colours"], say["detail"]),
        ),
        Topic(
            "count",
            (f"How many colours dominate this {noun}?", f"What is the number of dominant colours in this {noun}?"),
            (
                f"The number of dominant colours is {number(len(seen.colours))}: {_names(seen)}.",
                f"{capital(number(len(seen.colours)))} {_dominate(seen)}: {_names(seen)}.",
            ),
            (say["light"], say["regions"]),
        ),
        Topic(
            "detailed",
            (f"Describe this {noun} in detail.", f"Give a detailed description of the look of this {noun}."),
            (
                f"This {_shape(seen)} {noun} is {seen.brightness_word}, with {seen.contrast_word} contrast.",
                f"The {noun} is {_format(seen)}, {seen.brightness_word} and of {seen.contrast_word} contrast.",
            ),
            (say["colours"], say["detail"], say["regions"], say["sharpness"]),
            least_further=3,
        ),
        Topic(
            "occlusion",
            (
                f"Does anything in this {noun} cover something else?",
                f"Can overlapping things be made out in this {noun}?",
            ),
            (
                "From colours and light alone, it cannot be told what covers what.",
                "Colours and light alone do not tell with certainty what overlaps.",
            ),
            (say["detail"], say["sharpness"], say["regions"]),
        ),
    ]


def _colour_topics(seen: Measurement, noun: str, say: dict[str, Sentence]) -> list[Topic]:
    first = seen.colours[0]
    topics = [
        Topic(
            "specific",
            (f"What is the dominant colour of this {noun}?", f"Which colour covers the largest part of this {noun}?"),
            (
                f"The dominant colour is {first.name}, which covers {share_of(first.share)} the {noun}.",
                f"{capital(first.name)} takes up {share_of(first.share)} the {noun}, more than any other colour.",
            ),
            (say["light"], say["regions"]),
        )
    ]
    for colour in seen.colours[1:]:
        topics.append(
            Topic(
                "specific",
                (
                    f"Does {colour.name} play a part in this {noun}?",
                    f"How much of this {noun} is {colour.name}?",
                ),
                (
                    f"{capital(colour.name)} covers {share_of(colour.share)} the {noun}.",
                    f"{capital(share_of(colour.share))} the {noun} is {colour.name}.",
                ),
                (
                    (f"{capital(first.name)} comes first among the colours.", f"The main colour is {first.name}."),
                    say["light"],
                ),
            )
        )
    return topics


def _light_topics(seen: Measurement, noun: str, say: dict[str, Sentence]) -> list[Topic]:
    return [
        Topic(
            "specific",
            (f"How bright is this {noun}?", f"Is this {noun} dark or bright?"),
            (f"The {noun} is {seen.brightness_word}.", f"It is {seen.brightness_word} overall."),
            (say["colours"], (f"The contrast is {seen.contrast_word}.", f"Contrast is {seen.contrast_word} here.")),
        ),
        Topic(
            "specific",
            (f"How sharp is this {noun}?", f"Are the outlines in this {noun} crisp or soft?"),
            (f"The outlines are {seen.sharpness_word}.", f"The {noun} looks {seen.sharpness_word}."),
            (say["light"], say["detail"]),
        ),
    ]


def _location_topics(seen: Measurement, noun: str, say: dict[str, Sentence]) -> list[Topic]:
    busiest = emptiest = say["detail"]
    if seen.busiest and seen.emptiest:
        busiest = (
            f"The detail is densest {parts_of([seen.busiest], noun)}.",
            f"The busiest area is found {parts_of([seen.busiest], noun)}.",
        )
        emptiest = (
            f"The emptiest area lies {parts_of([seen.emptiest], noun)}.",
            f"The least detail is found {parts_of([seen.emptiest], noun)}.",
        )
    topics = [
        Topic(
            "location",
            (f"Where is the detail in this {noun} densest?", f"Which part of this {noun} is the busiest?"),
            busiest,
            (say["colours"], say["light"]),
        ),
        Topic(
            "location",
            (f"Which part of this {noun} is the emptiest?", f"Where is the least detail in this {noun}?"),
            emptiest,
            (say["colours"], say["regions"]),
        ),
    ]
    if seen.brightest and seen.darkest:
        topics.append(
            Topic(
                "location",
                (f"Where is this {noun} brightest?", f"Which part of this {noun} is the lightest?"),
                (
                    f"The brightest area lies {parts_of([seen.brightest], noun)}.",
                    f"The light is strongest in {part(seen.brightest)}.",
                ),
                (
                    (f"The darkest area lies in {part(seen.darkest)}.", f"It is darkest in {part(seen.darkest)}."),
                    say["light"],
                ),
            )
        )
    return topics


def _names(seen: Measurement) -> str:
    return listed([colour.name for colour in seen.colours])


def _dominate(seen: Measurement) -> str:
    return "colour dominates" if len(seen.colours) == 1 else "colours dominate"


def _regions(seen: Measurement, noun: str) -> Sentence:
    if seen.regions < 2:
        return (f"The {noun} does not divide into separate areas of colour.",)
    areas = f"{number(seen.regions)} separate areas of colour"
    return (f"The {noun} divides into about {areas}.", f"About {areas} can be told apart.")


def _shape(seen: Measurement) -> str:
    return "square" if seen.orientation == "square" else f"{seen.orientation}-format"


def _format(seen: Measurement) -> str:
    return "square" if seen.orientation == "square" else f"in {seen.orientation} format"


def _aspect(seen: Measurement) -> str:
    """Compare the sides. Sizes in pixels stay out of answers: a picture may have been scaled down on its way here."""
    longer, shorter = max(seen.width, seen.height), min(seen.width, seen.height)
    if longer < 1.04 * shorter:
        return "about as wide as high"
    times = f"about {longer / shorter:.1f} times as"
    return f"{times} wide as high" if seen.width > seen.height else f"{times} high as wide"
