"""What can be asked about one kind of item in a picture, and about how two of them lie to each other."""

from vqa_tui.embedded.nouns import a, be, counted, is_many, number, plural, several, the, verb
from vqa_tui.embedded.prompt_reader import UNKNOWN_PLACE, Place
from vqa_tui.embedded.scene import Scene, area, relation
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.wording import capital, inventory, listed, parts_of, share_of

_MOST_PLACES = 4


def label_topics(scene: Scene, label: str, look: list[Sentence]) -> list[Topic]:
    """Return topics about the items called `label`; `look` are sentences about the whole picture to round off with."""
    own = [item for item in scene.items if item.label == label]
    noun, count = scene.noun, len(own)
    there_be = "is" if count == 1 else "are"
    them, are = the(label, count), be(label, count)
    where, shape = places_of(own, noun), _shape(scene, own)
    company = _company(scene, label)
    topics = [
        Topic(
            "specific",
            (
                f"Is there {a(label)} in this {noun}?",
                f"Does this {noun} show {a(label)}?",
                f"Can {a(label)} be identified in this {noun}?",
            ),
            (
                f"Yes, {several(label, count)} {there_be} present.",
                f"Yes, the {noun} shows {several(label, count)}.",
                f"Yes, {several(label, count)} can be identified.",
            ),
            (*where, company, *shape),
        ),
        Topic(
            "occlusion",
            (f"Does {'another' if count == 1 else 'any other'} {scene.marked} overlap {them}?",),
            _overlapped(scene, label, count),
            (*where, company) if scene.total > 1 else tuple(where),
            always=tuple((capital(told),) for told in scene.concealment if label.lower() in told.lower())[:2],
        ),
    ]
    if scene.numbers_are_known:
        topics.append(
            Topic(
                "count",
                (
                    f"How many {plural(label)} are {scene.marked_here}?",
                    f"What is the number of {plural(label)} {scene.marked_here}?",
                ),
                (
                    f"There {there_be} {counted(label, count)} {scene.marked_here}.",
                    f"The number of {plural(label)} {scene.marked_here} is {number(count)}.",
                ),
                (*where, company),
            )
        )
    if where or shape:
        topics.append(
            Topic(
                "detailed",
                (
                    f"Describe {them} in this {noun} in detail.",
                    f"What can be said about {them} in detail?",
                ),
                (
                    f"The {noun} shows {several(label, count)}.",
                    f"{capital(several(label, count))} can be made out here.",
                ),
                (company, *look[:1]),
                least_further=2,
                always=(*where, *shape),
            )
        )
    if where:
        topics.append(
            Topic(
                "location",
                (
                    f"Where {are} {them} located?",
                    f"In which part of the {noun} {are} {them}?",
                    f"Describe the position of {them}.",
                ),
                where[0],
                (company, *shape, *look[:1]),
            )
        )
    return topics


def one_of(scene: Scene, label: str) -> str:
    """Return `the Knife` when it is the one of its kind, else `a Knife`."""
    return the(label, 1) if scene.counted[label] == 1 else a(label)


def places_of(own: list[Place], noun: str) -> list[Sentence]:
    """Say where the items of one label lie; nothing when no place is known."""
    words = list(dict.fromkeys(item.word for item in own if item.word != UNKNOWN_PLACE))
    if not words:
        return []
    label, count = own[0].label, len(own)
    them = capital(the(label, count))
    if len(words) > _MOST_PLACES:
        return [(f"{them} can be found in many parts of the {noun}.",)]
    places = parts_of(words, noun)
    if any(item.word == UNKNOWN_PLACE for item in own):
        return [(f"Some of {the(label, count)} lie {places}.",)]
    return [
        (
            f"{them} {be(label, count)} located {places}.",
            f"{them} {verb(label, count, 'lie')} {places}.",
            f"{them} can be found {places}.",
        )
    ]


def _company(scene: Scene, label: str) -> Sentence:
    """Name what else is marked; that nothing else is there is never known."""
    others = {other: count for other, count in scene.counted.items() if other != label}
    if not others:
        return (
            f"No other kind of {scene.kind_of_item} is marked in the {scene.noun}.",
            "Nothing else is marked as prohibited." if scene.asked.is_scan else "Nothing else is marked.",
        )
    shown = inventory(others)
    return (f"Besides, the {scene.noun} shows {shown}.", f"{capital(shown)} can be seen as well.")


def _shape(scene: Scene, own: list[Place]) -> list[Sentence]:
    """Say how the largest box is shaped and how much room it takes; pixels mean nothing to a reader of the answer."""
    if any(not area(item) for item in own):
        return []
    largest = max(own, key=area)
    _, _, width, height = largest.box or (0, 0, 0, 0)
    form = (
        "about as wide as tall"
        if max(width, height) < 1.15 * min(width, height)
        else "wider than tall"
        if width > height
        else "taller than wide"
    )
    them = the(largest.label, len(own))
    box = f"The box around {them}" if len(own) == 1 else f"The largest of the boxes around {them}"
    share = scene.share(largest)
    return [
        (
            f"{box} is {form} and takes up {share_of(share)} the {scene.noun}.",
            f"{box} covers {share_of(share)} the {scene.noun} and is {form}.",
        )
        if share
        else (f"{box} is {form}.",)
    ]


def _overlapped(scene: Scene, label: str, count: int) -> Sentence:
    them, marked = the(label, count), scene.marked
    over = {item.label for pair in scene.overlaps if label in {item.label for item in pair} for item in pair}
    others = sorted(over - {label})[:3]
    if others and count == 1:
        names = listed([one_of(scene, other) for other in others])
        that = "the box" if len(others) == 1 else "boxes"
        return (f"The box around {them} overlaps {that} around {names}, so part of the same area is shared.",)
    if others:
        return (f"At least one of the boxes around {them} overlaps the box around {one_of(scene, others[0])}.",)
    if over:
        return (f"Some of the boxes around {them} overlap each other.",)
    if scene.total == 1:
        return (f"No other {scene.kind_of_item} is marked in this {scene.noun}.",)
    if scene.is_clear(label):
        return (
            f"No, no other {marked} overlaps {them}.",
            f"No, {them} {be(label, count)} clear of every other {marked}.",
        )
    return (f"Whether another {marked} overlaps {them} cannot be told with certainty.",)


def relation_topics(scene: Scene) -> list[Topic]:
    """Topics on how two single items of different kinds lie to each other."""
    single = [item for item in scene.boxed if scene.counted[item.label] == 1][:6]
    topics = []
    for index, one in enumerate(single):
        for other in single[index + 1 :]:
            how = relation(one, other)
            if how is None:
                continue
            it, them = the(one.label, 1), the(other.label, 1)
            topics.append(
                Topic(
                    "location",
                    (
                        f"How {be(one.label, 1)} {it} positioned relative to {them}?",
                        f"Where {'do' if is_many(one.label, 1) else 'does'} {it} lie, seen from {them}?",
                    ),
                    (
                        f"{capital(it)} {verb(one.label, 1, 'lie')} {how} {them}.",
                        f"Seen from {them}, {it} {be(one.label, 1)} {_seen_from(how)}.",
                    ),
                    (*places_of([one], scene.noun), *places_of([other], scene.noun)),
                )
            )
    return topics


def _seen_from(how: str) -> str:
    return how.removesuffix(" of").replace("above", "further up").replace("below", "further down")
