"""What can be asked about one kind of item in a picture, and about how two of them lie to each other."""

from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE, Place
from vqa_tui.embedded.scene import Scene, area, relation
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.wording import a, capital, inventory, items_of, listed, parts_of, percent, several


def label_topics(scene: Scene, label: str, look: list[Sentence]) -> list[Topic]:
    """Return topics about the items called `label`; `look` are sentences about the whole picture to round off with."""
    own = [item for item in scene.items if item.label == label]
    noun, count = scene.noun, len(own)
    be = "is" if count == 1 else "are"
    the = f"the {label}" if count == 1 else f"the {label} items"
    where = places_of(own, noun)
    others = {other: number_ for other, number_ in scene.counted.items() if other != label}
    company: Sentence = (
        (f"Besides, the {noun} shows {inventory(others)}.", f"{capital(inventory(others))} can be seen as well.")
        if others
        else (f"No other kind of item stands out in the {noun}.", f"It is the only kind of item in this {noun}.")
    )
    shape = _shape(scene, own)
    topics = [
        Topic(
            "specific",
            (
                f"Is there {a(label)} in this {noun}?",
                f"Does this {noun} contain {a(label)}?",
                f"Can {a(label)} be identified in this {noun}?",
            ),
            (
                f"Yes, {several(label, count)} {be} present.",
                f"Yes, the {noun} shows {several(label, count)}.",
                f"Yes, {several(label, count)} can be identified.",
            ),
            (*where, company, *shape),
        ),
        Topic(
            "count",
            (f"How many {label} items are in this {noun}?", f"How often does {a(label)} appear in this {noun}?"),
            (
                f"There {be} {items_of(count).replace(' ', f' {label} ', 1)} in this {noun}.",
                f"{capital(items_of(count)).replace(' ', f' {label} ', 1)} can be counted.",
            ),
            (*where, company),
        ),
        Topic(
            "detailed",
            (f"Describe {the} in this {noun} in detail.", f"What can be said about {the} in detail?"),
            (f"The {noun} shows {several(label, count)}.", f"{capital(several(label, count))} can be made out here."),
            (*where, *shape, company, *look[:1]),
            least_further=2,
        ),
        Topic(
            "occlusion",
            (f"Is {the} fully visible?" if count == 1 else f"Are {the} fully visible?",),
            _visibility(scene, label, count),
            (*where, company),
        ),
    ]
    if where:
        topics.append(
            Topic(
                "location",
                (
                    f"Where {be} {the} located?",
                    f"In which part of the {noun} {be} {the}?",
                    f"Describe the position of {the}.",
                ),
                where[0],
                (company, *shape, *look[:1]),
            )
        )
    return topics


def places_of(own: list[Place], noun: str) -> list[Sentence]:
    """Say where the items of one label lie; nothing when no place is known."""
    known = list(dict.fromkeys(item.word for item in own if item.word != UNKNOWN_PLACE))[:4]
    if not known:
        return []
    label = own[0].label
    if len(own) == 1:
        place = parts_of(known, noun)
        return [
            (
                f"The {label} is located {place}.",
                f"The {label} lies {place}.",
                f"The {label} can be found {place}.",
            )
        ]
    places = parts_of(known, noun)
    return [(f"The {label} items are located {places}.", f"The {label} items lie {places}.")]


def _shape(scene: Scene, own: list[Place]) -> list[Sentence]:
    """Say how a single item is shaped and how much room it takes; pixels mean nothing to a reader of the answer."""
    if len(own) != 1 or own[0].box is None or not area(own[0]):
        return []
    label, (_, _, width, height) = own[0].label, own[0].box
    form = (
        "about as wide as tall"
        if max(width, height) < 1.15 * min(width, height)
        else "wider than tall"
        if width > height
        else "taller than wide"
    )
    share = scene.share(own[0])
    size = f" and takes up about {percent(share)} of the {scene.noun}" if share and share >= 0.01 else ""
    return [
        (
            f"The {label} is {form}{size}.",
            f"The outline of the {label} is {form}{size}.",
        )
    ]


def _visibility(scene: Scene, label: str, count: int) -> Sentence:
    over = {item.label for pair in scene.overlaps if label in {item.label for item in pair} for item in pair}
    if over - {label}:
        names = listed([f"the {other}" for other in sorted(over - {label})])
        return (
            f"The {label} overlaps with {names}, so part of it may be covered.",
            f"Not with certainty: {names} and the {label} share part of the same area.",
        )
    if over:
        return (f"The {label} items overlap each other, so parts of them may be covered.",)
    if scene.caption_tells_concealment:
        return (f"Not with certainty, because part of the content of this {scene.noun} is hidden or covered.",)
    if any(item.label == label and item.box is None for item in scene.items):
        return (f"Whether anything covers the {label} cannot be told with certainty.",)
    be = "is" if count == 1 else "are"
    return (
        f"Yes, no other item overlaps the {label}.",
        f"Yes, the {label}{'' if count == 1 else ' items'} {be} clear of every other item.",
    )


def relation_topics(scene: Scene) -> list[Topic]:
    """Topics on how two single items of different kinds lie to each other."""
    single = [item for item in scene.boxed if scene.counted[item.label] == 1][:6]
    topics = []
    for index, one in enumerate(single):
        for other in single[index + 1 :]:
            how = relation(one, other)
            if how is None:
                continue
            topics.append(
                Topic(
                    "location",
                    (
                        f"How is the {one.label} positioned relative to the {other.label}?",
                        f"Where does the {one.label} lie, seen from the {other.label}?",
                    ),
                    (
                        f"The {one.label} lies {how} the {other.label}.",
                        f"Seen from the {other.label}, the {one.label} is {_seen_from(how)}.",
                    ),
                    (*places_of([one], scene.noun), *places_of([other], scene.noun)),
                )
            )
    return topics


def _seen_from(how: str) -> str:
    return how.removesuffix(" of").replace("above", "further up").replace("below", "further down")
