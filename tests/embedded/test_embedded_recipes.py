"""The shipped recipes and the embedded endpoint understand each other: prompts are read, replies pass every check."""

import json
import random
from collections.abc import Callable

import pytest

from vqa_tui.config.faults import Fault
from vqa_tui.config.load import load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.item import Box, GroundTruth, Item, PictureFacts
from vqa_tui.domain.reply import UnreadableReply, read_json_pairs
from vqa_tui.embedded.answers import write_caption, write_pairs
from vqa_tui.embedded.measure import measure_picture
from vqa_tui.embedded.prompt_reader import read_prompt
from vqa_tui.embedded.reply import json_reply, spoil
from vqa_tui.embedded.scene import Scene
from vqa_tui.paths import shipped_configs
from vqa_tui.quality.pairs import judge

BAG = GroundTruth(
    categories=("Battery", "Knife"),
    boxes=(
        Box(label="Battery", x=118, y=55, width=112.5, height=95),
        Box(label="Knife", x=400, y=300, width=100, height=120),
    ),
    captions=("A battery lies beside a knife.",),
)


def recipe_of(name: str, **changes: object) -> Recipe:
    return load_recipe(name, folders=[shipped_configs() / "recipes"]).model_copy(update=changes)


def scene_of(recipe: Recipe, truth: GroundTruth, picture: bytes, key: str = "k") -> Scene:
    facts = PictureFacts("PNG", 640, 480, len(picture), "0" * 64, 1, 0)
    item = Item(1, 1, key, f"{key}.png", facts, None, truth)
    rendered = PromptTemplate(recipe).render(item)
    return Scene(read_prompt(f"{rendered.system}\n{rendered.user}"), measure_picture(picture))


def test_the_stcray_prompt_is_read_whole(draw: Callable[..., bytes]) -> None:
    asked = scene_of(recipe_of("stcray", structured_ratio=1.0), BAG, draw()).asked
    assert asked.truth is not None
    assert asked.truth.items == ("Battery", "Knife") and asked.truth.count == 2
    assert [(place.label, place.word) for place in asked.truth.places] == [
        ("Battery", "upper-left"),
        ("Knife", "lower-right"),
    ]
    assert all(place.box is not None for place in asked.truth.places)
    assert asked.truth.caption == "A battery lies beside a knife."
    assert (asked.pairs, asked.structured, asked.wants_json, asked.is_scan) == (3, 1, True, True)
    assert asked.original_size == (640, 480)
    assert "occlusion" in asked.types


CLEAN = GroundTruth(states_none=True)


@pytest.mark.parametrize("truth", [BAG, CLEAN, GroundTruth()], ids=["items", "clean", "unknown"])
@pytest.mark.parametrize("name", ["stcray", "general-vqa"])
def test_replies_pass_every_check_of_the_recipe(name: str, truth: GroundTruth, draw: Callable[..., bytes]) -> None:
    recipe = recipe_of(name)
    for number in range(25):
        scene = scene_of(recipe, truth, draw(), key=f"picture {number}")
        reply = json_reply(write_pairs(scene, random.Random(number)), as_object=False)
        read = read_json_pairs(reply.content or "")
        judged = judge(
            read.pairs,
            truth,
            min_answer_chars=recipe.checks.min_answer_chars,
            risk_words=recipe.checks.risk_words,
            known_question_types=recipe.checks.known_question_types,
            structured_types=recipe.checks.structured_types,
            expected_pairs=recipe.pairs,
            cut=read.cut,
        )
        assert len(judged) == recipe.pairs
        assert [pair.flags for pair in judged] == [()] * recipe.pairs, judged
        if name == "stcray" and truth != BAG:
            natural = [pair for pair in judged if pair.question_type != "structured_list"]
            claims = ["No prohibited items detected" in pair.answer for pair in natural]
            assert all(claims) if truth == CLEAN else not any(claims)


def test_the_caption_recipe_gets_plain_text(draw: Callable[..., bytes]) -> None:
    scene = scene_of(recipe_of("caption"), BAG, draw())
    assert not scene.asked.wants_json
    caption = write_caption(scene, random.Random(0))
    assert caption.startswith("A battery lies beside a knife.")
    with pytest.raises(json.JSONDecodeError):
        json.loads(caption)


def test_spoilt_replies_are_read_as_what_they_are(draw: Callable[..., bytes]) -> None:
    for number in range(20):
        scene = scene_of(recipe_of("stcray"), BAG, draw(), key=f"picture {number}")
        reply = json_reply(write_pairs(scene, random.Random(number)), as_object=False)
        cut = read_json_pairs(spoil(reply, Fault.TRUNCATED).content or "")
        assert cut.cut and len(cut.pairs) == 2
        with pytest.raises(UnreadableReply):
            read_json_pairs(spoil(reply, Fault.BAD_JSON).content or "")
