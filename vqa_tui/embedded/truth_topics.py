"""What can be asked about a picture whose items are stated in the prompt.

Not everything in a picture is annotated, so nothing here says that something else is absent, and overlap is told or
denied only of annotated boxes.
"""

from vqa_tui.embedded.label_topics import label_topics, one_of, places_of, relation_topics
from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.nouns import number, several, the
from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE, Place
from vqa_tui.embedded.scene import Scene, area
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.wording import capital, inventory, listed, part, parts_of

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
                f"Which {scene.marked}s are visible in this {noun}?",
                f"Give an overview of this {noun}.",
                f"What does this {noun} show?",
            ),
            (
                f"This {noun} shows {content}.",
                f"{capital(content)} can be seen in this {noun}.",
            ),
            (*_whereabouts(scene), _total(scene), *caption_of(scene), *look),
        )
    ]


def _count(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, marked, total, kinds = scene.noun, scene.marked, scene.total, len(scene.counted)
    be = "is" if total == 1 else "are"
    return [
        Topic(
            "count",
            (
                f"How many {marked}s are in this {noun}?",
                f"What is the total number of {marked}s in this {noun}?",
                f"Count the {marked}s in this {noun}.",
            ),
            (
                f"There {be} {_so_many(scene)} in this {noun}.",
                f"In total, {_so_many(scene)} can be counted in the {noun}.",
                f"The {noun} shows {_so_many(scene)}.",
            ),
            (_content(scene), *_whereabouts(scene), *look[:1]),
        ),
        Topic(
            "count",
            (
                f"How many different kinds of {marked} are in this {noun}?",
                f"How many kinds of {marked} does this {noun} show?",
            ),
            (
                f"The {noun} shows {number(kinds)} {'kind' if kinds == 1 else 'different kinds'} of {marked}.",
                f"{capital(number(kinds))} {'kind' if kinds == 1 else 'kinds'} of {marked} can be made out.",
            ),
            (_content(scene), _total(scene)),
        ),
    ]


def _detailed(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, content = scene.noun, inventory(scene.counted)
    return [
        Topic(
            "detailed",
            (
                f"Describe the {scene.marked}s in this {noun} in detail.",
                f"Give a detailed description of what this {noun} shows.",
                f"Describe this {noun} and where its {scene.marked}s lie.",
            ),
            (f"The {noun} shows {content}.", f"In this {noun}, {content} can be made out."),
            (*caption_of(scene), *_largest(scene), *look),
            least_further=2,
            always=tuple(_whereabouts(scene)),
        )
    ]


def _largest(scene: Scene) -> list[Sentence]:
    boxed = sorted(scene.boxed, key=area, reverse=True)
    if len(boxed) < 2 or not scene.all_boxed or area(boxed[0]) == area(boxed[1]):
        return []
    whose = f"{one_of(scene, boxed[0].label)} {parts_of([boxed[0].word], scene.noun)}"
    return [
        (
            f"The largest box around a {scene.marked} is that of {whose}.",
            f"Of the boxes around the {scene.marked}s, that of {whose} is the largest.",
        )
    ]


def _occlusion(scene: Scene, look: list[Sentence]) -> list[Topic]:
    noun, marked = scene.noun, scene.marked
    told = [(capital(sentence),) for sentence in scene.concealment[:2]]
    topics = [
        Topic(
            "occlusion",
            (
                f"Do any of the {marked}s in this {noun} overlap?",
                f"Does any {marked} in this {noun} overlap another one?",
            ),
            _overlap(scene),
            (_content(scene), *_whereabouts(scene), *([] if told else caption_of(scene)), *look[1:]),
            always=tuple(told),
        )
    ]
    if told:
        topics.append(
            Topic(
                "occlusion",
                (
                    f"What is hidden, covered or overlapped in this {noun}?",
                    f"Describe what lies over or under something else in this {noun}.",
                ),
                told[0],
                (_content(scene), *_whereabouts(scene)),
                always=tuple(told[1:]),
            )
        )
    return topics


def _overlap(scene: Scene) -> Sentence:
    marked = scene.marked
    if scene.overlaps:
        pair = _the_pair(scene, *scene.overlaps[0])
        return (
            f"The boxes around {pair} overlap, so one may lie partly over the other.",
            f"Yes, as far as their boxes tell: those around {pair} share part of the same area.",
        )
    if scene.total == 1:
        label = scene.items[0].label
        return (
            f"One {scene.kind_of_item} is marked, {the(label, 1)}, so there are no two {marked}s to overlap.",
            f"No, because no {scene.kind_of_item} besides {the(label, 1)} is marked.",
        )
    if scene.is_clear():
        return (
            f"No, no two of the boxes around the {marked}s overlap.",
            f"No, no two of the {marked}s overlap.",
        )
    if scene.concealment:
        return (f"Some things in this {scene.noun} overlap or are covered.",)
    return (
        f"No overlap of two {marked}s can be established with certainty.",
        f"It cannot be told with certainty whether two {marked}s overlap.",
    )


def _the_pair(scene: Scene, one: Place, other: Place) -> str:
    if one.label == other.label:
        return several(one.label, 2)
    return f"{one_of(scene, one.label)} and {one_of(scene, other.label)}"


def _so_many(scene: Scene) -> str:
    return f"{number(scene.total)} {scene.marked}{'' if scene.total == 1 else 's'}"


def _content(scene: Scene) -> Sentence:
    content = inventory(scene.counted)
    return (f"The {scene.noun} shows {content}.", f"{capital(content)} can be made out.")


def _total(scene: Scene) -> Sentence:
    return (
        f"In total, {_so_many(scene)} can be counted.",
        f"The number of {scene.marked}s is {number(scene.total)}.",
    )


def _whereabouts(scene: Scene) -> list[Sentence]:
    """Say where up to three groups of items lie; nothing when no place is known."""
    groups: dict[tuple[str, str], int] = {}
    for item in scene.items:
        if item.word != UNKNOWN_PLACE:
            groups[item.label, item.word] = groups.get((item.label, item.word), 0) + 1
    shown = list(groups.items())[:3]
    if len(scene.items) == 1:
        return places_of(list(scene.items), scene.noun)
    if not shown:
        return []
    places = listed([f"{several(label, count)} in {part(word)}" for (label, word), count in shown])
    be = "is" if shown[0][1] == 1 else "are"
    return [(f"There {be} {places}.", f"By place, the {scene.noun} shows {places}.")]
