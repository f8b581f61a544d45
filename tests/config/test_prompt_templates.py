"""Templates: what they may do, what they refuse, and how they say so."""

from typing import Any

import pytest

from vqa_tui.config.recipe import PromptTemplates, Recipe, ReplyFormat
from vqa_tui.config.templates import MAX_CHARS, PromptTemplate, RenderedPrompt
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, Item, PictureFacts

FACTS = PictureFacts("JPEG", 640, 480, 1000, "0" * 64, 1, 0)


def _item(truth: GroundTruth | None = None, key: str = "a/1.jpg") -> Item:
    return Item(1, 1, key, "a/1.jpg", FACTS, None, truth or GroundTruth())


def _recipe(user: str, **changes: Any) -> Recipe:
    fields = {"name": "mine", "pairs": 3, "prompt": PromptTemplates(user=user), "reply": ReplyFormat(kind="json_pairs")}
    return Recipe(**{**fields, **changes})


def _render(user: str, truth: GroundTruth | None = None, **changes: Any) -> str:
    return PromptTemplate(_recipe(user, **changes)).render(_item(truth)).user


def test_rendering() -> None:
    prompt = PromptTemplates(
        system="You see {{ width }}×{{ height }}.",
        user="{% for item in items %}\n* {{ item | upper }} & <b>\n{% endfor %}\n{{ pairs }} {{ mood }}\n",
        repair="Wrong: {{ problem }}. Again.",
    )
    template = PromptTemplate(_recipe("", prompt=prompt, variables={"mood": "calm"}))
    item = _item(GroundTruth(categories=("knife", "gun")))
    user = "* KNIFE & <b>\n* GUN & <b>\n3 calm"
    assert template.render(item) == RenderedPrompt("You see 640×480.", user)
    assert template.render_repair(item, "no\nJSON").user == f"{user}\n\nWrong: no JSON. Again."


def test_structured_pairs_depend_on_the_picture_alone() -> None:
    recipe = _recipe("{{ structured_pairs }}", structured_ratio=0.3)
    counts = [PromptTemplate(recipe).render(_item(key=f"{n}")).user for n in range(50)]
    template = PromptTemplate(recipe)
    assert [template.render(_item(key=f"{n}")).user for n in reversed(range(50))] == counts[::-1]
    assert set(counts) == {"0", "1"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("one\n{{ itmes }}", "recipe mine, prompt.user, line 2: unknown variable `itmes`; did you mean `items`?"),
        ("{% if zzz %}{% endif %}", "recipe mine, prompt.user, line 1: unknown variable `zzz`"),
        ("a\n\n{% if items %}", "recipe mine, prompt.user, line 3: Unexpected end of template"),
        ("{{ items | shell }}", "recipe mine, prompt.user, line 1: unknown filter `shell`"),
        ("{{ items | center(10) }}", "unknown filter `center`"),
        ("{% for a in items %}\n{{ a | uper }}{% endfor %}", "line 2: unknown filter `uper`; did you mean `upper`?"),
        ("{% if pairs > 9 %}\n\n{{ pairs | format }}{% endif %}", "line 3: unknown filter `format`"),
        ("{{ pairs if pairs is evn else 0 }}", "line 1: unknown test `evn`; did you mean `even`?"),
        ("{% for a in items if a is strng %}{% endfor %}", "unknown test `strng`; did you mean `string`?"),
        ("{% if pairs > 9 %}{{ items | map('format') | join }}{% endif %}", "unknown filter `format`"),
        ("{% if pairs > 9 %}{{ items | select('evn') | join }}{% endif %}", "unknown test `evn`"),
        ("{% if pairs > 9 %}{{ items | rejectattr('x', 'evn') | join }}{% endif %}", "unknown test `evn`"),
        ("{{ caption.upper() }}", "prompts may use only output, if, for and filters, not calls"),
        ("{{ range(10) }}", "not calls"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "not calls"),
        ("{% set x = 1 %}", "not set"),
        ("{% macro m() %}{% endmacro %}", "not macros"),
        ("{% include 'etc/passwd' %}", "not include"),
        ("{% import 'os' as os %}", "not import"),
        ("{{ 2 ** 99 }}", "not `**`"),
        ("{% for a in items recursive %}{% endfor %}", "loops nest at most 3 deep"),
        ("{% for a in items %}" * 4 + "{% endfor %}" * 4, "loops nest at most 3 deep"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
    ],
)
def test_what_is_refused_before_the_run(user: str, words: str) -> None:
    with pytest.raises(VqaError) as caught:
        PromptTemplate(_recipe(user))
    assert words in caught.value.message
    assert "recipe mine, prompt.user" in caught.value.message


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (
            "x\n{% for x in places %}\n{{ x.lable }}\n{% endfor %}{{ mine.deep }}",
            "line 4: 'dict object' has no attribute",
        ),
        ("{{ mine['deep'] }}", "has no attribute 'deep'"),
        ("{{ items[5] }}", "line 1"),
        ("{{ caption.__class__ }}", "line 1"),
        ("{{ caption.format }}{{ mine.x.__init__.__globals__ }}", "line 1"),
        ("{{ 'ab' * 3 }}", "`*` works on numbers only"),
        ("{{ '%09d' % 1 }}", "`%` works on numbers only"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ pairs + caption }}", "unsupported operand"),
        ("{{ many | replace('x', many) }}", "`replace` made more than"),
        ("{{ [many, many, many] | join }}", "`join` made more than"),
        ("{% for a in many %}{% for b in many %}{{ a }}{% endfor %}{% endfor %}", "the prompt is longer than 200,000"),
    ],
)
def test_what_is_refused_while_rendering(user: str, words: str) -> None:
    template = PromptTemplate(_recipe(user, variables={"mine": {"x": 1}, "many": "x" * 70_000}))
    with pytest.raises(VqaError) as caught:
        template.render(_item())
    assert caught.value.message.startswith("recipe mine, prompt.user")
    assert words in caught.value.message
    assert "a/1.jpg" in caught.value.hint


def test_numbers_and_filters_work() -> None:
    assert _render("{{ pairs * 2 + width % 7 - height // 100 }}") == "5"
    user = "{{ items | map('lower') | sort | join(', ') | replace('n', 'N') }}"
    assert _render(user, GroundTruth(categories=("Gun", "Fan"))) == "faN, guN"
    assert _render("{{ mine | tojson }}", variables={"mine": {"a": ["<é>", 1]}}) == '{"a": ["<é>", 1]}'
    assert _render("{{ caption | truncate(5) }}", GroundTruth(captions=("x" * 300,))) == "xx..."


def test_a_prompt_may_be_as_long_as_the_limit() -> None:
    assert len(_render("{{ many }}", variables={"many": "x" * MAX_CHARS})) == MAX_CHARS


def test_dataset_text_is_never_a_template() -> None:
    truth = GroundTruth(captions=("{{ items }} {% if %} {# #}",))
    assert _render("{{ caption }}", truth) == "{{ items }} {% if %} {# #}"


def test_variables_cannot_hide_what_the_dataset_says() -> None:
    for taken in ("items", "problem"):
        with pytest.raises(VqaError, match=f"the variable `{taken}` has the name of a value"):
            PromptTemplate(_recipe("x", variables={taken: "mine"}))


def test_problem_is_known_to_the_repair_text_only() -> None:
    with pytest.raises(VqaError, match="unknown variable `problem`"):
        PromptTemplate(_recipe("{{ problem }}"))
    with pytest.raises(VqaError, match=r"prompt\.repair, line 1: unknown variable `probelm`; did you mean `problem`"):
        PromptTemplate(_recipe("x", prompt=PromptTemplates(user="x", repair="{{ probelm }}")))
