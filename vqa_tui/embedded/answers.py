"""Writing questions and answers that are grounded in the stated truth and in what was measured.

Everything drawn comes from one random generator, so that a seed, a picture and a prompt always give the same reply.
"""

import itertools
import random
from dataclasses import dataclass

from vqa_tui.domain.structured import STRUCTURED_TYPE
from vqa_tui.embedded.clean_topics import clean_topics
from vqa_tui.embedded.measured_topics import measured_sentences, measured_topics
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.structured import STRUCTURED_QUESTIONS, structured_answer
from vqa_tui.embedded.topics import FAMILIES, Topic, family_of
from vqa_tui.embedded.truth_topics import truth_topics
from vqa_tui.embedded.videos import unseen_topics
from vqa_tui.embedded.wording import capital, inventory, lower_first

NOTHING_TO_DESCRIBE = "There is no picture in this request, so there is nothing to describe."
_OPENINGS = (
    "Looking closely, ",
    "At a glance, ",
    "Judging by what is visible, ",
    "From this view, ",
    "Taken as a whole, ",
    "Considering the whole frame, ",
    "In your own words, ",
    "As precisely as possible: ",
    "In short, ",
    "Going by what is shown, ",
    "For the record, ",
    "To sum up, ",
    "In full sentences, ",
    "In plain terms, ",
    "Viewed as a whole, ",
    "Briefly, ",
)
"""Put before a question when a reply needs more questions than there are plain ones."""


@dataclass(frozen=True, slots=True)
class WrittenPair:
    """One question with its answer, as it goes into the reply."""

    question: str
    answer: str
    question_type: str


def write_pairs(scene: Scene, dice: random.Random) -> list[WrittenPair]:
    """Return exactly the pairs that the prompt asks for: their number, their types, no question twice.

    Returns no pairs when there is neither a stated truth nor a picture to speak of.
    """
    topics = topics_of(scene)
    if not topics:
        return []
    asked = scene.asked
    natural_types = [name for name in asked.types if name != STRUCTURED_TYPE] or (
        [] if STRUCTURED_TYPE in asked.types else list(FAMILIES)
    )
    structured = asked.structured if natural_types else asked.pairs
    wanted = _draw_types(natural_types, asked.pairs - structured, dice) + [STRUCTURED_TYPE] * structured
    dice.shuffle(wanted)
    used: set[str] = set()
    pairs = []
    for question_type in wanted:
        if question_type == STRUCTURED_TYPE:
            question = next(text for text in _all_wordings(STRUCTURED_QUESTIONS) if text not in used)
            answer = structured_answer(scene)
        else:
            question, topic = _draw_question(topics, family_of(question_type), used, dice)
            answer = topic.answer(dice)
        used.add(question)
        pairs.append(WrittenPair(question, answer, question_type))
    return pairs


def write_caption(scene: Scene, dice: random.Random) -> str:
    """Return a description in plain text: one paragraph of two to four sentences."""
    own = [scene.caption] if scene.caption else []
    look = []
    if scene.measured is not None:
        say = measured_sentences(scene.measured, scene.noun)
        look = [dice.choice(say["colours"]), dice.choice(say["detail"]), dice.choice(say["light"])]
    if scene.items:
        shown = f"{capital(inventory(scene.counted))} can be seen in this {scene.noun}."
        return " ".join([*own, shown, *look[: 1 if own else 2]])
    if own:
        return " ".join([*own, *look[:1]])
    topics = [topic for topic in topics_of(scene) if topic.family == "detailed"]
    return topics[0].answer(dice) if topics else NOTHING_TO_DESCRIBE


def topics_of(scene: Scene) -> list[Topic]:
    """Return what can be asked: about the items if there are any, and about the look for families without a topic."""
    if scene.items:
        topics = truth_topics(scene)
        covered = {topic.family for topic in topics}
        if scene.measured is not None:
            topics += [topic for topic in measured_topics(scene.measured, scene.noun) if topic.family not in covered]
        return topics
    if scene.is_clean:
        return clean_topics(scene)
    if scene.measured is None:
        return unseen_topics() if scene.names_unseen else []
    return measured_topics(scene.measured, scene.noun)


def _draw_types(types: list[str], count: int, dice: random.Random) -> list[str]:
    """Return `count` types, each used as often as the others give or take one."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += dice.sample(types, len(types))
    return drawn[:count]


def _draw_question(topics: list[Topic], family: str, used: set[str], dice: random.Random) -> tuple[str, Topic]:
    """Return a question of `family` that is not in `used`, plain ones first, and its topic.

    Once a family has nothing left to ask, all topics serve.
    """
    own = [topic for topic in topics if topic.family == family]
    for candidates, opening in itertools.product((own, topics), ("", *_OPENINGS)):
        # A topic gets its second question only after every topic of the family had its first.
        fresh = [
            (sum(text in used for text in _worded(opening, topic.questions)), dice.random(), text, topic)
            for topic in candidates
            for text in _worded(opening, topic.questions)
            if text not in used
        ]
        if fresh:
            _, _, text, topic = min(fresh, key=lambda entry: entry[:2])
            return text, topic
    raise AssertionError("all topics together have more wordings than a reply may hold pairs")


def _all_wordings(questions: tuple[str, ...]) -> itertools.chain[str]:
    return itertools.chain.from_iterable(_worded(opening, questions) for opening in ("", *_OPENINGS))


def _worded(opening: str, questions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{opening}{lower_first(text)}" for text in questions) if opening else questions
