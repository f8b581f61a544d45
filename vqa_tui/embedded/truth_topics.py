"""What can be asked about a picture whose items are stated in the prompt."""

from vqa_tui.embedded.label_topics import label_topics, places_of, relation_topics
from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE, Place
from vqa_tui.embedded.scene import Scene, area
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.wording import a, capital, inventory, items_of, listed, number, part, parts_of

_MOST_LABELS = 12
"""Labels that get topics of their own; beyond that a picture has more topics than anybody asks for."""


def truth_topics(scene: Scene) -> list[Topic]:
    """Return topics of every family about the items of `scene`, which must have some."""
    look = _look(scene)
    topics = [*_general(scene, look), *_count(scene, look), *_detailed(scene, look), *_occlusion(scene, look)]
    for label in list(scene.counted)[:_MOST_LABELS]:
        topics += label_topics(scene, label, look)
    return topics + relation_topics(scene)


def caption_of(scene: Scene) -> list[Sentence]:
    """Return the stated caption as a further sentence, if there is one."""
    return [(scene.caption,)] if scene.caption else []


def _look(scene: Scene) -> list[Sentence]:
    """Sentences about the look of the picture, to round off answers about items."""
    if scene.measured is None:
        return []
    say = measured_sentences(scene.measured, scene.noun)
    return [say["colours"], say["light"]]


def _general(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, content = scene.noun, inventory(scene.counted)
    return [
        Topic(
            "general",
            (
                f"What can be seen in this {noun}?",
                f"Which items are visible in this {noun}?",
                f"Give an overview of this {noun}.",
                f"What does this {noun} contain?",
            ),
            (
                f"This {noun} shows {content}.",
                f"{capital(content)} can be seen in this {noun}.",
                f"The {noun} contains {content}.",
            ),
            (*_whereabouts(scene), _total(scene), *caption_of(scene), *look),
        )
    ]


def _count(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, total, kinds = scene.noun, scene.total, len(scene.counted)
    be = "is" if total == 1 else "are"
    topics = [
        Topic(
            "count",
            (
                f"How many items are visible in this {noun}?",
                f"What is the total number of items in this {noun}?",
                f"Count the items in this {noun}.",
            ),
            (
                f"There {be} {items_of(total)} in this {noun}.",
                f"In total, {items_of(total)} can be counted in the {noun}.",
                f"The {noun} holds {items_of(total)}.",
            ),
            (_content(scene), *_whereabouts(scene), *look[:1]),
        ),
        Topic(
            "count",
            (f"How many different kinds of item are in this {noun}?", f"How many kinds of item does this {noun} show?"),
            (
                f"The {noun} shows {number(kinds)} {'kind' if kinds == 1 else 'different kinds'} of item.",
                f"{capital(number(kinds))} {'kind' if kinds == 1 else 'kinds'} of item can be told apart.",
            ),
            (_content(scene), _total(scene)),
        ),
    ]
    return topics


def _detailed(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, content = scene.noun, inventory(scene.counted)
    further = [*caption_of(scene), *_whereabouts(scene)]
    boxed = sorted(scene.boxed, key=area, reverse=True)
    if len(boxed) > 1 and area(boxed[0]) > area(boxed[1]):
        further.append(
            (
                f"The largest of them is the {boxed[0].label} {parts_of([boxed[0].word], noun)}.",
                f"The {boxed[0].label} {parts_of([boxed[0].word], noun)} takes up the most space.",
            )
        )
    return [
        Topic(
            "detailed",
            (
                f"Describe the items in this {noun} in detail.",
                f"Give a detailed description of what this {noun} shows.",
                f"Describe this {noun} and where its items lie.",
            ),
            (f"The {noun} shows {content}.", f"In this {noun}, {content} can be made out."),
            (*further, *look),
            least_further=2,
        )
    ]


def _occlusion(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun = scene.noun
    if scene.overlaps:
        one, other = scene.overlaps[0]
        core: Sentence = (
            f"Yes, {_the_pair(one, other)} overlap.",
            f"Yes, the outlines of {_the_pair(one, other)} run into each other.",
        )
    elif scene.caption_tells_concealment:
        core = (
            f"Yes, part of the content of this {noun} is hidden or covered.",
            "Yes, not everything is in plain view here.",
        )
    elif len(scene.boxed) == len(scene.items) == 1:
        label = scene.items[0].label
        core = (
            f"No, the {label} is the only item, so no other one covers it.",
            f"No, there is no other item that could cover the {label}.",
        )
    elif len(scene.boxed) == len(scene.items):
        core = ("No, the items do not overlap.", "No, each item lies clear of the others.")
    else:
        core = (
            f"No overlap of items can be established in this {noun}.",
            f"It cannot be told with certainty whether an item in this {noun} covers another.",
        )
    return [
        Topic(
            "occlusion",
            (
                f"Is any item in this {noun} hidden or partly covered?",
                f"Do any items in this {noun} overlap?",
                f"Is anything in this {noun} occluded by something else?",
            ),
            core,
            (_content(scene), *_whereabouts(scene), *caption_of(scene), *look[1:]),
        )
    ]


def _the_pair(one: Place, other: Place) -> str:
    return f"two {one.label} items" if one.label == other.label else f"the {one.label} and the {other.label}"


def _content(scene: Scene) -> Sentence:
    content = inventory(scene.counted)
    return (f"The {scene.noun} shows {content}.", f"What can be made out is {content}.")


def _total(scene: Scene) -> Sentence:
    total = scene.total
    return (f"That makes {items_of(total)} in total.", f"In total, {items_of(total)} can be counted.")


def _whereabouts(scene: Scene) -> list[Sentence]:
    """Say where up to three items lie; nothing when no place is known."""
    known = [item for item in scene.items if item.word != UNKNOWN_PLACE][:3]
    if not known:
        return []
    if len(known) == 1:
        return places_of(known, scene.noun)
    places = listed([f"{a(item.label)} in {part(item.word)}" for item in known])
    return [(f"There is {places}.", f"By place: {places}.")]
