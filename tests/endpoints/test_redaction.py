"""A key that an endpoint repeats is hidden, however it is escaped, and whatever was read out of the answer."""

import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.endpoints.conftest import MakeEndpoint, ask, failed
from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.endpoints.redaction import without_key

VALUE = "planted/AbC+dEf&12=345<6>78=="
KEY = SecretStr(VALUE)
ENDPOINT = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=(KeyConfig(name="a", env="A"),))


def code_points(digits: str) -> Callable[[str], str]:
    return lambda text: "".join(f"\\u{format(ord(each), digits)}" for each in text)


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "slashes escaped": lambda text: text.replace("/", "\\/"),
    "plus escaped as .NET does": lambda text: text.replace("+", "\\u002B").replace("&", "\\u0026"),
    "a letter escaped": lambda text: text.replace("A", "\\u0041"),
    "all escaped": code_points("04x"),
    "all escaped in capitals": code_points("04X"),
    "JSON in JSON": lambda text: text.replace("/", "\\\\\\/").replace("+", "\\\\u002b"),
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded in small letters": lambda text: text.replace("+", "%2b").replace("/", "%2f"),
    "URL-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "every character URL-encoded": lambda text: "".join(f"%{ord(each):02x}" for each in text),
    "HTML": html.escape,
    "HTML by numbers": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "HTML by hexadecimal numbers": lambda text: "".join(f"&#x{ord(each):X};" for each in text),
    "HTML by names": lambda text: text.replace("/", "&sol;").replace("+", "&plus;").replace("=", "&equals;"),
}
by_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def check(*texts: str) -> None:
    """Make sure that none of `texts` holds the key, in any form."""
    for text in texts:
        for name, form in FORMS.items():
            assert form(VALUE) not in text, name


@by_form
@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_an_error_that_repeats_the_key(
    server: Any, make_endpoint: MakeEndpoint, form: Callable[[str], str], status: int
) -> None:
    said = form(VALUE)
    server.answers(
        status, f'{{"error": {{"message": "Bad key: {said}.", "code": "{said}"}}}}', {"X-Request-Id": f"r-{said}"}
    )
    error = await failed(make_endpoint(), server.base_url, key=KEY)
    check(error.raw_body, error.failure.message, error.request_id, repr(vars(error)))
    assert "Bad key: [redacted]." in error.failure.message and error.request_id == "r-[redacted]"
    assert json.loads(error.raw_body)["error"]["code"] == "[redacted]"


@by_form
async def test_a_web_page_that_repeats_the_key(
    server: Any, make_endpoint: MakeEndpoint, form: Callable[[str], str]
) -> None:
    server.answers(502, f"<html><title>No way for {form(VALUE)}</title></html>")
    error = await failed(make_endpoint(), server.base_url, key=KEY)
    check(error.raw_body, error.failure.message)
    assert error.failure.message.endswith(": No way for [redacted]")


@by_form
async def test_an_answer_that_repeats_the_key(
    server: Any, make_endpoint: MakeEndpoint, form: Callable[[str], str]
) -> None:
    said = form(VALUE)
    choice = f'{{"index": 0, "finish_reason": "{said}", "message": {{"content": "the key {said}!"}}}}'
    server.answers(200, f'{{"id": "{said}", "model": "m-{said}", "choices": [{choice}]}}')
    answer = await ask(make_endpoint(), server.base_url, key=KEY)
    check(answer.text, answer.model, answer.request_id, answer.finish_reason, repr(answer))
    assert (answer.text, answer.model) == ("the key [redacted]!", "m-[redacted]")


@by_form
async def test_a_refusal_that_repeats_the_key(
    server: Any, make_endpoint: MakeEndpoint, form: Callable[[str], str]
) -> None:
    said = form(VALUE)
    choice = f'{{"index": 0, "finish_reason": "stop", "message": {{"content": null, "refusal": "Not {said}"}}}}'
    server.answers(200, f'{{"choices": [{choice}]}}')
    error = await failed(make_endpoint(), server.base_url, key=KEY)
    check(error.raw_body, error.failure.message, error.finish_reason)
    assert error.failure.message == "the model refused: Not [redacted]"


async def test_a_key_that_is_whole_only_after_parsing(server: Any, make_endpoint: MakeEndpoint) -> None:
    parts = [
        {"type": "text", "text": "the key planted/AbC"},
        {"type": "text", "text": VALUE.removeprefix("planted/AbC")},
    ]
    server.answers(200, {"choices": [{"finish_reason": "stop", "message": {"content": parts}}]})
    assert (await ask(make_endpoint(), server.base_url, key=KEY)).text == "the key [redacted]"
    escaped_escape = VALUE.replace("+", "\\u005cu002b")
    inner = f'{{\\"error\\": {{\\"message\\": \\"Bad key {escaped_escape}\\"}}}}'
    server.answers(400, f'{{"error": {{"message": "{inner}"}}}}')
    error = await failed(make_endpoint(), server.base_url, key=KEY)
    assert error.failure.message == "the endpoint rejected the request (HTTP 400): Bad key [redacted]"


@given(
    st.text("abcXYZ0189/+=-_.~&%\\\"'<>#;", min_size=8, max_size=30).filter(lambda value: value not in "[redacted]"),
    st.data(),
)
def test_any_key_with_any_of_its_characters_escaped(value: str, data: st.DataObject) -> None:
    ways: list[Callable[[str], str]] = [
        str,
        lambda each: json.dumps(each)[1:-1],
        lambda each: f"\\u{ord(each):04x}",
        lambda each: f"%{ord(each):02X}",
        lambda each: f"&#{ord(each)};",
        html.escape,
    ]
    said = "".join(data.draw(st.sampled_from(ways))(each) for each in value)
    assert without_key(f"<{said}>", SecretStr(value), ENDPOINT) == "<[redacted]>"


def test_a_key_that_begins_within_an_escape_of_itself() -> None:
    assert without_key("<\\u00300000000>", SecretStr("00000000"), ENDPOINT) == "<[redacted]>"


@pytest.mark.parametrize("text", ["100 % & more \\n", "\\u0041\\u0042", "planted%2FAbC", "a\\/b &amp; c"])
def test_what_holds_no_key_stays_as_it_is(text: str) -> None:
    assert without_key(text, KEY, ENDPOINT) == text


@pytest.mark.parametrize("text", ["\\" * 300_000, "%25" * 100_000, "&amp;" * 60_000, "p" * 300_000, "&#0" * 100_000])
def test_texts_made_to_hold_up_the_search_are_searched(text: str) -> None:
    assert without_key(f"{text}{VALUE}", KEY, ENDPOINT) == f"{text}[redacted]"
