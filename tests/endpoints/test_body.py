"""Request bodies are exactly the JSON that the OpenAI protocol wants, however they are put together."""

import base64
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.freeze import freeze, thaw_endpoint
from vqa_tui.config.recipe import Generation, PromptTemplates, Recipe, ReplyFormat
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.image_tokens import RuleName
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.pictures import PreparedPicture

ENDPOINT = Endpoint(name="e", base_url="http://h/v1", model="mödel", keys=(KeyConfig(name="k"),))


def recipe(*, text_first: bool = True, **generation: Any) -> Recipe:
    return Recipe(
        name="r",
        prompt=PromptTemplates(user="x"),
        reply=ReplyFormat(kind="json_pairs"),
        text_first=text_first,
        generation=Generation.model_validate(generation),
    )


@given(st.text(), st.text(), st.binary(max_size=100), st.booleans())
def test_every_prompt_and_picture_arrives(system: str, user: str, data: bytes, text_first: bool) -> None:
    body = RequestBody(recipe(text_first=text_first, max_tokens=7), ENDPOINT)
    sent = json.loads(body.build(system, user, PreparedPicture(data, "image/png", 1, 1)))
    readable = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in (system, user)]
    text = {"type": "text", "text": readable[1]}
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    picture = {"type": "image_url", "image_url": {"url": url}}
    content = [text, picture] if text_first else [picture, text]
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if system:
        messages.insert(0, {"role": "system", "content": readable[0]})
    assert sent == {"model": "mödel", "max_tokens": 7, "messages": messages}


def test_a_system_prompt_that_changes_between_items_is_not_mixed_up() -> None:
    body, picture = RequestBody(recipe(), ENDPOINT), PreparedPicture(b"x", "image/png", 1, 1)
    sent = [json.loads(body.build(system, "u", picture))["messages"] for system in ("a", "b", "", "a")]
    assert [[m["content"] for m in messages if m["role"] == "system"] for messages in sent] == [["a"], ["b"], [], ["a"]]


def test_parameters_and_who_wins() -> None:
    endpoint = ENDPOINT.model_copy(
        update={"max_tokens_field": "max_completion_tokens", "extra_body": {"seed": 1, "reasoning_effort": "none"}}
    )
    with_all = recipe(max_tokens=9, temperature=0.5, stop=("END",), extra_body={"seed": 2})
    sent = json.loads(RequestBody(with_all, endpoint).build("", "u", PreparedPicture(b"x", "image/jpeg", 1, 1)))
    del sent["messages"]
    assert sent == {
        "model": "mödel",
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "stop": ["END"],
        "seed": 2,
        "reasoning_effort": "none",
    }


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: RequestBody(recipe(extra_body={"stream": True}), ENDPOINT),
            "extra_body of the recipe r must not set `stream`",
        ),
        (
            lambda: RequestBody(recipe(), ENDPOINT.model_copy(update={"extra_body": {"messages": []}})),
            "extra_body of the endpoint e must not set `messages`",
        ),
        (lambda: RequestBody(recipe(extra_body={"x": object()}), ENDPOINT), "is not JSON"),
    ],
)
def test_extra_body_cannot_break_a_request(build: Callable[[], RequestBody], words: str) -> None:
    with pytest.raises(VqaError, match=words):
        build()


def test_more_room_for_one_reply_changes_nothing_else_and_no_other_request() -> None:
    endpoint = ENDPOINT.model_copy(update={"max_tokens_field": "max_completion_tokens"})
    body, picture = (
        RequestBody(recipe(max_tokens=9, temperature=0.5), endpoint),
        PreparedPicture(b"x", "image/png", 1, 1),
    )
    plain = json.loads(body.build("s", "u", picture))
    for most in (50, 50, 70, 9):
        assert json.loads(body.build("s", "u", picture, max_tokens=most)) == plain | {"max_completion_tokens": most}
    assert json.loads(body.build("s", "u", picture)) == plain and plain["max_completion_tokens"] == 9


@pytest.mark.parametrize("rule", ["openai_tiles", "openai_patches"])
@pytest.mark.parametrize("detail", ["low", "high", "original", "auto", None])
@pytest.mark.parametrize("text_first", [True, False])
def test_the_detail_that_is_estimated_is_the_one_that_is_asked_for(
    rule: str, detail: str | None, text_first: bool
) -> None:
    stated = Endpoint.model_validate(ENDPOINT.model_dump() | {"image_tokens": {"rule": rule, "detail": detail}})
    # As the engine has it: frozen, so that everything is stated.
    body = RequestBody(recipe(text_first=text_first), thaw_endpoint(freeze(stated)))
    (message,) = json.loads(body.build("", "u", PreparedPicture(b"x", "image/png", 1, 1)))["messages"]
    (picture,) = [part["image_url"] for part in message["content"] if part["type"] == "image_url"]
    url = {"url": "data:image/png;base64,eA=="}
    assert picture == (url if detail is None else url | {"detail": detail})


@pytest.mark.parametrize("rule", sorted({*get_args(RuleName)} - {"openai_tiles", "openai_patches"}))
def test_a_detail_is_sent_only_where_a_rule_of_openai_counts(rule: str) -> None:
    endpoint = Endpoint.model_validate(ENDPOINT.model_dump() | {"image_tokens": {"rule": rule, "detail": "low"}})
    assert b"detail" not in RequestBody(recipe(), endpoint).build("", "u", PreparedPicture(b"x", "image/png", 1, 1))


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_limit_of_tokens_behind_the_back_of_the_budget_is_refused(field: str) -> None:
    with pytest.raises(VqaError, match=f"must not set `{field}`"):
        RequestBody(recipe(extra_body={field: 100_000}), ENDPOINT)


def test_no_picture_makes_the_content_a_plain_text() -> None:
    sent = json.loads(RequestBody(recipe(), ENDPOINT).build("s", "u", None))
    assert sent["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


def test_the_schema_of_pairs_is_sent_until_it_is_left_out() -> None:
    made = Recipe.model_validate(
        {
            "name": "r",
            "prompt": {"user": "x"},
            "reply": {"kind": "json_pairs", "enforce_schema": True},
            "checks": {"known_question_types": ["count"]},
        }
    )
    body = RequestBody(made, ENDPOINT.model_copy(update={"json_schema": True}))
    built = body.build("", "response_format", None)
    schema = json.loads(built)["response_format"]["json_schema"]
    assert schema["strict"] is True
    pair = schema["schema"]["properties"]["pairs"]["items"]
    assert pair["required"] == ["question", "answer", "question_type"]
    assert pair["properties"]["question_type"] == {"type": "string", "enum": ["count"]}
    assert body.asks_for_schema(built)
    assert body.leave_schema_out() and not body.leave_schema_out()
    after = body.build("", '"response_format":', None, max_tokens=9)
    assert "response_format" not in json.loads(after) and not body.asks_for_schema(after)
    assert not RequestBody(made, ENDPOINT).leave_schema_out()


def test_a_response_format_of_ones_own_stays() -> None:
    made = Recipe.model_validate(
        {
            "name": "r",
            "prompt": {"user": "x"},
            "reply": {"kind": "json_pairs", "enforce_schema": True},
            "generation": {"extra_body": {"response_format": {"type": "json_object"}}},
        }
    )
    body = RequestBody(made, ENDPOINT.model_copy(update={"json_schema": True}))
    assert not body.asks_for_schema(body.build("", "u", None)) and not body.leave_schema_out()
    assert json.loads(body.build("", "u", None))["response_format"] == {"type": "json_object"}
