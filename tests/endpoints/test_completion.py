"""Reading completions: any JSON at all gives a completion or a failure, and what is kept can be stored."""

import json

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.completion import read_completion

FIELDS = st.sampled_from(
    [
        "choices",
        "message",
        "content",
        "text",
        "finish_reason",
        "refusal",
        "usage",
        "prompt_tokens",
        "error",
        "code",
        "id",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["stop", "content_filter"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)


@given(VALUES.map(json.dumps) | st.text())
def test_nothing_raises_and_everything_can_be_stored(body: str) -> None:
    completion = read_completion(body)
    for text in (completion.text, completion.model, completion.id, completion.finish_reason):
        text.encode("utf-8")
    if completion.failure is None:
        assert completion.text.strip()
    else:
        assert completion.failure.kind in {FailureKind.REFUSED, FailureKind.BAD_REPLY}
        completion.failure.message.encode("utf-8")


@given(st.text())
def test_a_reply_arrives_as_it_was_written(text: str) -> None:
    body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
    completion = read_completion(body)
    storable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert completion.text == storable
    assert (completion.failure is None) is bool(text.strip())
