"""Writing replies that are neither JSON pairs nor a description: blocks, one object, an explained answer."""

import json
import random

from vqa_tui.embedded.answers import NOTHING_TO_DESCRIBE, topics_of, write_caption
from vqa_tui.embedded.asked_form import BlocksForm, Command, ExplainedForm, Form, ObjectForm, WantedKey
from vqa_tui.embedded.commands import command_reply
from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.reply import Reply
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.wording import capital

_FAMILY_OF_CATEGORY = {
    "object recognition": "specific",
    "attribute recognition": "detailed",
    "object state recognition": "occlusion",
    "object localisation": "location",
    "object localization": "location",
    "spatial reasoning": "location",
    "functional reasoning": "general",
    "world knowledge": "general",
}
"""The seven categories of EVUD, and what there is to ask about a picture without a model."""


def write_other(form: Form, scene: Scene, dice: random.Random) -> Reply:
    """Return the reply in the form asked for, grounded in the stated truth and in what was measured."""
    match form:
        case Command():
            return Reply(command_reply(form, scene, dice))
        case BlocksForm():
            return _blocks(form, scene, dice)
        case ObjectForm():
            return _object(form, scene, dice)
        case ExplainedForm():
            return _explained(form, scene, dice)


def _blocks(form: BlocksForm, scene: Scene, dice: random.Random) -> Reply:
    topics = topics_of(scene)
    if not topics:
        return Reply(NOTHING_TO_DESCRIBE)
    text, starts = "", []
    used: set[str] = set()
    answers = []
    for category in form.categories:
        family = _FAMILY_OF_CATEGORY.get(category.lower(), "general")
        ranked = sorted(topics, key=lambda topic: (topic.family != family, dice.random()))
        topic, question = next(
            ((topic, question) for topic in ranked for question in topic.questions if question not in used),
            (ranked[0], f"And what else tells of {category}?"),
        )
        used.add(question)
        answer = dice.choice(topic.core)
        answers.append(answer)
        text += "\n\n" if text else ""
        starts.append(len(text))
        text += f"Category: {capital(category)}\nQuestion: {question}\nShort answer: {answer}"
    return Reply(text, pair_starts=tuple(starts), prose=" ".join(answers))


def _object(form: ObjectForm, scene: Scene, dice: random.Random) -> Reply:
    said = write_caption(scene, dice)
    value = {key.name: _value(key, said, scene, dice) for key in form.keys}
    return Reply(json.dumps(value, ensure_ascii=False), pair_starts=(0,), prose=said)


def _value(key: WantedKey, said: str, scene: Scene, dice: random.Random) -> object:
    if key.kind == "text":
        return said
    if key.kind == "truth":
        return bool(scene.items)
    # The more there is to see the higher, give or take a tenth: nothing here knows the picture before.
    seen = scene.measured
    share = 0.0 if seen is None else min(2 * seen.contrast, 1.0) * 0.8 + dice.random() * 0.2
    return key.least + round((key.most - key.least) * share)


def _explained(form: ExplainedForm, scene: Scene, dice: random.Random) -> Reply:
    if scene.measured is None:
        return Reply(NOTHING_TO_DESCRIBE)
    say = measured_sentences(scene.measured, scene.noun)
    reason = [dice.choice(say[name]) for name in dice.sample(("colours", "light", "detail", "sharpness"), 2)]
    answer = capital(form.reference.rstrip(" .")) or "Not stated"
    return Reply(f"{answer}. Explanation: {' '.join(reason)}")
