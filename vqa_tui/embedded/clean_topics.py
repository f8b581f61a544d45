"""What can be asked about an X-ray scan that is stated to hold nothing."""

from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.topics import Sentence, Topic
from vqa_tui.embedded.truth_topics import caption_of

CLEAN_ANSWER = "No prohibited items detected"
"""The answer for a scan without items, in the words that the shipped recipe asks for."""


def clean_topics(scene: Scene) -> list[Topic]:
    """Return topics of every family about a scan that holds no items."""
    noun = scene.noun
    further = caption_of(scene)
    if scene.measured is not None:
        say = measured_sentences(scene.measured, noun)
        further += [say["colours"], say["detail"], say["light"]]
    core: Sentence = (f"{CLEAN_ANSWER}.", f"{CLEAN_ANSWER} in this {noun}.", f"{CLEAN_ANSWER}; the {noun} is clean.")

    def topic(family: str, questions: tuple[str, ...], own: Sentence) -> Topic:
        return Topic(family, questions, core, (own, *further))

    return [
        topic(
            "general",
            (f"What can be seen in this {noun}?", f"Are there any prohibited items in this {noun}?"),
            (
                f"Among what the {noun} shows, nothing is marked as prohibited.",
                "Nothing in it is marked as prohibited.",
            ),
        ),
        topic(
            "specific",
            (f"Does this {noun} contain a prohibited item?", f"Can any prohibited item be identified in this {noun}?"),
            ("There is no prohibited item to name.", "So no prohibited item can be named."),
        ),
        topic(
            "location",
            (
                f"Where are prohibited items located in this {noun}?",
                f"Which part of this {noun} holds a prohibited item?",
            ),
            ("So there is no position to give.", f"No part of the {noun} holds a prohibited item."),
        ),
        topic(
            "count",
            (
                f"How many prohibited items are in this {noun}?",
                f"What is the number of prohibited items in this {noun}?",
            ),
            ("The count is zero.", "That is a count of zero."),
        ),
        topic(
            "detailed",
            (
                f"Describe the prohibited items in this {noun} in detail.",
                f"Give a detailed description of the prohibited items in this {noun}.",
            ),
            ("There is no prohibited item to describe.", f"The {noun} holds none that could be described."),
        ),
        topic(
            "occlusion",
            (
                f"Is any prohibited item in this {noun} hidden or partly covered?",
                f"Do any prohibited items in this {noun} overlap?",
            ),
            ("So there is none that could be covered or overlapped.", "There is none to be covered or overlapped."),
        ),
    ]
