"""The shipped recipes: valid, and with the prompt lines that the embedded endpoint reads."""

import json
import re
from pathlib import Path

import pytest
import yaml

from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import LacksTruth, PromptTemplate, RenderedPrompt, ReplyTexts
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.item import Box, GroundTruth, Item, PictureFacts, PictureFile, ReferenceQuestion
from vqa_tui.domain.reply import read_json_pairs
from vqa_tui.domain.reply_blocks import read_blocks
from vqa_tui.domain.risk_words import risk_pattern
from vqa_tui.paths import shipped_configs

GROUNDED = ("caption", "general-vqa", "stcray", "stcray-text")
COMMANDS = ("answer", "cap", "caption", "describe", "detect", "ocr", "question")
NAMES = tuple(
    sorted((*GROUNDED, "ego4d-nlq", "narration", "vqa-rad", *(f"paligemma-{command}" for command in COMMANDS)))
)
TRUTH = GroundTruth(
    categories=("Battery", "Knife"),
    boxes=(Box(label="Battery", x=118, y=55, width=112, height=95),),
    captions=("free text\non two lines",),
)
TRUTH_LINES = """\
Ground truth:
- items: Battery; Knife
- count: 2
- place: Battery | upper-left | 118,55,112,95
- caption: free text on two lines
"""


def _recipe(name: str, **changes: object) -> Recipe:
    path = shipped_configs() / "recipes" / f"{name}.yaml"
    return Recipe.model_validate({**yaml.safe_load(path.read_text("utf-8")), **changes})


def _prompt(recipe: Recipe, truth: GroundTruth) -> str:
    facts = PictureFacts("JPEG", 640, 640, 1000, "0" * 64, 1, 0)
    return PromptTemplate(recipe).render(Item(1, 1, "a.jpg", "a.jpg", facts, None, truth)).user


def test_every_shipped_recipe_is_tested_here() -> None:
    shipped: list[Path] = sorted((shipped_configs() / "recipes").glob("*.yaml"))
    assert tuple(sorted(path.stem for path in shipped)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_recipes_are_valid(name: str) -> None:
    recipe = _recipe(name)
    assert recipe.name == name
    assert recipe.description
    PromptTemplate(recipe)


@pytest.mark.parametrize("name", GROUNDED)
def test_recipes_write_the_ground_truth(name: str) -> None:
    recipe = _recipe(name)
    prompt = _prompt(recipe, TRUTH)
    assert TRUTH_LINES in prompt
    assert "\n\n\n" not in prompt
    clean = GroundTruth(states_none=True)
    for truth in (GroundTruth(), clean, GroundTruth(captions=("x",)), GroundTruth(categories=("x",))):
        if "annotations" in recipe.needs and not truth.annotated:
            continue
        assert "\n\n\n" not in _prompt(recipe, truth)


def test_general_vqa_speaks_of_all_pictures_of_a_set() -> None:
    recipe, facts = _recipe("general-vqa"), PictureFacts("JPEG", 640, 640, 1000, "0" * 64, 1, 0)
    further = tuple(PictureFile(path=f"{number}.jpg", facts=facts) for number in (1, 2))
    asked = {"questions": (ReferenceQuestion(question="q?", answer="a"),)}
    of_one = PromptTemplate(recipe).render(Item(1, 1, "a", "a.jpg", facts, None, TRUTH.model_copy(update=asked)))
    truth = TRUTH.model_copy(update=asked | {"further": further})
    of_three = PromptTemplate(recipe).render(Item(1, 1, "a", "a.jpg", facts, None, truth))
    assert "pictures." in of_three.system and "in the picture." in of_one.system
    for words in ("these 3 pictures", "All places are in the first picture.", "people asked about these pictures"):
        assert words in of_three.user
    assert "this picture" not in of_three.user
    for words in ("these pictures", "pictures,", "the pictures", "first picture"):
        assert words not in of_one.user
    assert TRUTH_LINES in of_three.user and "\n\n\n" not in of_three.user


def test_stcray_prompt_lines() -> None:
    prompt = _prompt(_recipe("stcray", structured_ratio=1.0, pairs=1), TRUTH)
    assert "\nWrite exactly 1 question-answer pairs.\nExactly 1 of them must be of type structured_list.\n" in prompt
    types = "general, specific, location, count, detailed, occlusion"
    assert f"\nAllowed question types: {types}, structured_list.\n" in prompt
    assert "\nReply with a JSON array only" in prompt
    assert "List all items detected in this X-ray scan in JSON format." in prompt
    plain = _prompt(_recipe("stcray", structured_ratio=0.0), GroundTruth(states_none=True))
    assert "Ground truth:\n- items: none\n- count: 0\n" in plain
    assert "\nWrite exactly 3 question-answer pairs.\n" in plain
    assert f"\nAllowed question types: {types}.\n" in plain
    assert "structured_list" not in plain
    assert "No prohibited items detected" in plain


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_stcray_claims_nothing_of_a_picture_that_nobody_annotated(ratio: float) -> None:
    prompt = _prompt(_recipe("stcray", structured_ratio=ratio), GroundTruth())
    assert "ground truth" not in prompt.lower()
    assert "No prohibited items detected" not in prompt
    captioned = _prompt(_recipe("stcray", structured_ratio=ratio), GroundTruth(captions=("A bag.",)))
    assert "Ground truth:\n- caption: A bag.\n" in captioned
    assert "- items:" not in captioned
    assert "No prohibited items detected" not in captioned


def test_ego4d_nlq_asks_the_seven_categories_of_evud_about_a_clip() -> None:
    recipe = _recipe("ego4d-nlq")
    categories = recipe.reply.categories
    assert len(categories) == 7 and categories[3] == "object localisation"
    about_a_clip = _prompt(recipe, GroundTruth(clip=Clip(start_s=2, end_s=9.31)))
    assert "This is a clip of 7.31 seconds from your camera" in about_a_clip
    assert f"\nCategories: {'; '.join(categories)}\n" in about_a_clip
    assert all(f"\n- {category}: " in about_a_clip for category in categories)
    assert "This is a picture from your camera." in _prompt(recipe, GroundTruth())
    (pair,) = read_blocks(about_a_clip, categories=()).pairs
    assert pair.question_type == "object localisation", "the example is what it asks for"
    assert (recipe.video.fps, recipe.video.max_frames, recipe.video.send) == (1, 16, "frames")


def test_stcray_follows_the_published_settings() -> None:
    recipe = _recipe("stcray")
    assert (recipe.pairs, recipe.structured_ratio, recipe.checks.min_answer_chars) == (3, 0.3, 15)
    assert recipe.checks.structured_types == ("structured_list",)
    risk = risk_pattern(recipe.checks.risk_words)
    assert risk is not None
    for sentence in ("The RISK  level is high.", "Inspection required!", "I recommend a check.", "It is recommended."):
        assert risk.search(sentence)
    assert not risk.search("The asterisk levels with the knife.")


@pytest.mark.parametrize("name", ["stcray", "stcray-text", "general-vqa"])
def test_the_example_in_the_prompt_is_what_it_asks_for(name: str) -> None:
    recipe = _recipe(name, structured_ratio=1.0)
    example = _prompt(recipe, TRUTH).splitlines()[-1]
    pairs = read_json_pairs(json.dumps(json.loads(example))).pairs
    assert {pair.question_type for pair in pairs} <= set(recipe.checks.known_question_types)
    assert all(len(pair.answer) >= recipe.checks.min_answer_chars for pair in pairs)
    if name == "stcray":
        assert json.loads(pairs[-1].answer)["total_count"] == 1


def test_general_vqa_needs_no_ground_truth_and_uses_reference_answers() -> None:
    recipe = _recipe("general-vqa")
    plain = _prompt(recipe, GroundTruth())
    assert "Ground truth" not in plain
    assert "\nWrite exactly 3 question-answer pairs.\n" in plain
    assert re.search(r"^Allowed question types: general, specific, location, count, detailed\.$", plain, re.MULTILINE)
    known = GroundTruth(questions=(ReferenceQuestion(question="Who?", answer="A cat."),))
    assert "\n* Who? -> A cat.\n" in _prompt(recipe, known)


def test_caption_is_answered_in_text() -> None:
    recipe = _recipe("caption")
    assert recipe.reply.kind == "text"
    assert recipe.reply.question
    plain = _prompt(recipe, GroundTruth())
    assert "Ground truth" not in plain
    assert "\nReply with plain text only" in plain


def test_the_text_recipe_asks_nothing_about_a_picture_without_annotations() -> None:
    recipe = _recipe("stcray-text")
    assert (recipe.modality, recipe.generation.temperature, recipe.generation.max_tokens) == ("text", 0.7, 1024)
    assert "No prohibited items detected" in _prompt(recipe, GroundTruth(states_none=True))
    with pytest.raises(LacksTruth, match=r"recipe stcray-text needs annotations .* the picture a.jpg has none"):
        _prompt(recipe, GroundTruth(captions=("A bag.",)))


ASKED = GroundTruth(
    categories=("Battery", "Knife"), questions=(ReferenceQuestion(question="Is it full?", answer="Yes"),)
)


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        ("answer", "answer en Is it full?"),
        ("cap", "cap en"),
        ("caption", "caption en"),
        ("describe", "describe en"),
        ("detect", "detect battery ; knife"),
        ("ocr", "ocr"),
        ("question", "question en Yes"),
    ],
)
def test_commands_are_sent_bare_also_after_a_bad_reply(command: str, sent: str) -> None:
    recipe = _recipe(f"paligemma-{command}")
    template = PromptTemplate(recipe)
    item = Item(1, 1, "a.jpg", "a.jpg", PictureFacts("JPEG", 64, 64, 1, "0" * 64, 1, 0), None, ASKED)
    assert template.render(item) == template.render_repair(item, "bad") == RenderedPrompt("", sent)
    assert not recipe.text_first


def test_what_is_known_of_a_reply_comes_from_the_dataset() -> None:
    item = Item(1, 1, "a.jpg", "a.jpg", PictureFacts("JPEG", 64, 64, 1, "0" * 64, 1, 0), None, ASKED)
    texts = {name: PromptTemplate(_recipe(f"paligemma-{name}")).reply_texts(item) for name in COMMANDS}
    assert texts["answer"] == ReplyTexts(question="Is it full?")
    assert texts["question"] == ReplyTexts(answer="Yes")
    assert texts["detect"] == ReplyTexts(question="Where are these things in the picture: Battery, Knife?")
