"""The normal form of an error message."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoints.test_recorded import FILES, classified
from vqa_tui.domain.normal_form import LONGEST_FORM, normal_form

_ANYTHING = st.text(alphabet=st.characters(codec=None), max_size=400)
_NASTY = st.lists(
    st.sampled_from(
        ["<n>", "<", ">", "5", "12", "a", "req_", "org-", "://", "http", "/", "\\", ".", ":", "-", "_", "=", "@", "'",
         '"', " ", "s", "ms", "HTTP ", "503", "0x", "ff", "at", "UTC", "nov", "request id", "com", "…", "\x1b[", "画"]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("message", "form"),
    [
        ("Limit 30,000, Used 18928. Please try again in 174ms.", "Limit <n>, Used <n>. Please try again in <time>."),
        ("Please try again in 114h18m0s", "Please try again in <time>"),
        ("retry after 5 minutes and 3 seconds", "retry after <time>"),
        ("regain access on 2026-09-01 at 00:00 UTC.", "regain access on <time>."),
        ("since Tue, 21 Nov 2026 05:29:29 GMT", "since <time>"),
        ("Connect call failed ('127.0.0.1', 8123)", "Connect call failed ('<url>', <n>)"),
        ("no connection to gpu-3.cluster.local:8000: refused", "no connection to <url>: refused"),
        ("no route to fe80::1%eth0", "no route to <url>"),
        ("see https://a.b/c?d=1#e.", "see <url>."),
        ("no file 'images/00012.png' in /data/my/scans", "no file '<path>' in <path>"),
        (r"cannot open C:\scans\a1.jpg", "cannot open <path>"),
        ("key sk-proj-abcdEFGH12 of org-7f3a", "key <id> of <id>"),
        ("Incorrect API key provided: sk-abcd**************wxyz.", "Incorrect API key provided: <id>."),
        ("request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", "request <id> failed"),
        ("request id: abcdefgh, sorry", "request id: <id>, sorry"),
        ("cooldown_list=['c9d4']", "cooldown_list=['c<n>d<n>']"),
        ("user someone@example.org is over budget", "user <id> is over budget"),
        ("The model `gpt-9-vision` does not exist", "The model `gpt-<n>-vision` does not exist"),
        ("(GenerateRequestsPerDayPerProjectPerModel)", "(GenerateRequestsPerDayPerProjectPerModel)"),
        ("it failed (HTTP 503): upstream 17", "it failed (HTTP 503): upstream <n>"),
        ("boxes [1, 2, 3] of 640×480", "boxes [<n>] of <n>"),
        ("two\n lines \x1b[31mred", "two lines red"),
        ("画像 12 は無効", "画像 <n> は無効"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_differs_from_one_failure_to_the_next_goes(message: str, form: str) -> None:
    assert normal_form(message) == form


def test_the_status_of_the_answer_stays() -> None:
    assert normal_form("failed (HTTP 502): 1") != normal_form("failed (HTTP 503): 1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_messages_keep_their_words(path: Path) -> None:
    message = classified(path).message
    form = normal_form(message)
    # The words before the first thing that varies are those of the message.
    first = re.split("<(?:n|id|url|time|path)>", form)[0]
    assert len(first) > 12
    assert " ".join(message.split()).startswith(first)
    assert not re.search(r"https?:|(?<!HTTP )(?<!HTTP [0-9])(?<!HTTP [0-9][0-9])[0-9]", form)


@given(_ANYTHING | _NASTY)
def test_a_form_is_bounded_and_its_own_form(message: str) -> None:
    form = normal_form(message)
    assert len(form) <= LONGEST_FORM
    assert normal_form(form) == form
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", form)


_NUMBER = st.integers(0, 10**9).map(str)
_HOST = st.from_regex(r"[a-z]{1,8}\.example\.(com|org)", fullmatch=True)
_WORD = st.text(string.ascii_lowercase, min_size=1, max_size=12)
_VARIED = st.fixed_dictionaries(
    {
        "n": _NUMBER,
        "id": st.uuids().map(str) | st.from_regex(r"req_[0-9a-zA-Z]{6,24}", fullmatch=True),
        "url": st.builds("https://{}/{}?x={}".format, _HOST, _WORD, _NUMBER),
        "time": st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z" if at.year > 999 else "1999-01-01T00:00:00Z")
        | st.builds("{}{}".format, st.integers(0, 10**6), st.sampled_from(["ms", "s", "h", "m"])),
        "path": st.builds("/{}/{}/{}.jpg".format, _WORD, _WORD, _NUMBER),
        "host": st.builds("{}:{}".format, _HOST, st.integers(1, 65_535)),
    }
)
_TEMPLATE = st.lists(
    st.sampled_from(
        ["the limit", "of {n}", "for {id}", "see {url}", "retry in {time}", "file '{path}'", "at {host}", "is over,"]
    ),
    min_size=1,
    max_size=8,
).map(" ".join)  # fmt: skip


@given(_TEMPLATE, _VARIED, _VARIED)
def test_messages_that_differ_in_nothing_else_have_one_form(
    template: str, one: dict[str, str], other: dict[str, str]
) -> None:
    assert normal_form(template.format(**one)) == normal_form(template.format(**other))


@pytest.mark.parametrize(
    "piece", ["a", "://", "/", "/@", "1:", "-", "a.", "=1", "<n> ", "5s", "a-", "0x", "1.", "\x1b[", "A1_", "'", "画1"]
)
def test_a_message_of_any_length_costs_no_more_than_what_is_read_of_it(piece: str) -> None:
    assert normal_form(piece * 1_000_000) == normal_form(piece * 100_000)
