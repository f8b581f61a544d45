"""Quirks of an endpoint that its file states: the header of the key, the query, and fields that are left out."""

import json
from typing import Any

from tests.endpoints.conftest import KEY, PLANTED, MakeCompletion, MakeEndpoint, ask
from vqa_tui.config.recipe import Generation, PromptTemplates, Recipe, ReplyFormat
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.check import check, tiny_picture
from vqa_tui.endpoints.models import list_models

AZURE = {"key_header": "api-key", "query": {"api-version": "2024-10-21"}}


async def test_a_bare_key_in_a_header_of_its_own_and_a_dated_version(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion())
    await ask(make_endpoint(**AZURE), server.base_url)
    server.answers(200, {"data": [{"id": "m"}]})
    assert await list_models(make_endpoint(**AZURE), server.base_url, KEY) == ["m"]
    for seen in server.seen:
        assert seen.headers["api-key"] == PLANTED and "authorization" not in seen.headers
        assert seen.query == "api-version=2024-10-21"
    assert [seen.path for seen in server.seen] == ["/v1/chat/completions", "/v1/models"]


async def test_a_check_asks_as_a_run_does(server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion) -> None:
    server.answers(200, completion())
    assert (await check(make_endpoint(**AZURE), server.base_url, {"main": KEY})).ok
    assert (server.seen[0].headers["api-key"], server.seen[0].query) == (PLANTED, "api-version=2024-10-21")


def test_what_an_endpoint_refuses_is_not_sent(make_endpoint: MakeEndpoint) -> None:
    recipe = Recipe(
        name="r",
        prompt=PromptTemplates(user="x"),
        reply=ReplyFormat(kind="json_pairs"),
        generation=Generation(temperature=0.7, stop=("END",)),
    )
    sent = [
        json.loads(RequestBody(recipe, make_endpoint(leaves_out=fields)).build("", "x", tiny_picture()))
        for fields in ((), ("temperature",), ("temperature", "stop"))
    ]
    assert [{"temperature", "stop"} & body.keys() for body in sent] == [{"temperature", "stop"}, {"stop"}, set()]
