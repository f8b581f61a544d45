"""What a file is refused for beyond its model, with file and line; what was stored before stays readable."""

from pathlib import Path

import pytest

from tests.config.test_load import ENDPOINT, RECIPE
from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import freeze, thaw_endpoint
from vqa_tui.config.load import list_endpoints, list_recipes, load_endpoint, load_recipe
from vqa_tui.domain.failure import VqaError

SECOND = "  - name: other\n    env: OTHER_KEY\n    group: account\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('extra_headers:\n  X-A: b\n  X-B: "a\\nb"\n', ":10: extra_headers.X-B: must be printable ASCII in one line"),
        ("extra_headers: {X-B: Zürich}\n", ":8: extra_headers.X-B: must be printable ASCII"),
        ("extra_headers: {X-B: ' b'}\n", ":8: extra_headers.X-B: must be printable ASCII"),
        ("extra_headers: {x y: b}\n", ":8: extra_headers: 'x y' cannot be the name of a header"),
        ("extra_headers: {'': b}\n", ":8: extra_headers: '' cannot be the name of a header"),
        ("extra_headers: {Content-length: '5'}\n", ":8: extra_headers.Content-length: is set for you"),
        ("extra_headers: {HOST: here}\n", ":8: extra_headers.HOST: is set for you"),
        ("key_header: X-Mine\nextra_headers: {x-mine: b}\n", ":9: extra_headers.x-mine: is the `key_header`"),
        ("key_header: Host\n", ":8: key_header: Host is set for you"),
        ('query:\n  a: b\n  c: "\\uD800"\n', ":10: query.'c': must be printable text"),
        ('query: {"a\\nb": c}\n', ":8: query.'a\\nb': must be printable text"),
        ("picture:\n  formats: []\n", ":9: picture.formats: is empty"),
        ("picture:\n  max_bytes: 1" + "0" * 400 + "\n", ":9: picture.max_bytes: must be at most 1099511627776"),
        ("video: {max_bytes: 1" + "0" * 400 + "}\n", ":8: video.max_bytes: must be at most 1099511627776"),
        (
            "image_tokens: {rule: pixels, pixels_per_token: 1" + "0" * 400 + "}\n",
            ":8: image_tokens.pixels_per_token: must be at most 10000000000",
        ),
        ("extra_body:\n  top_k: 1\n  max_tokens: 9\n", ":10: extra_body must not set `max_tokens`"),
        (
            "prices:\n  input_per_million: 1\n  output_per_million: 1\n  as_of: yesterday\n",
            ":11: prices.as_of: must be a day, such as",
        ),
        ("prices: {input_per_million: 1, output_per_million: 1, as_of: 2026-02-30}\n", ":8: prices.as_of: must be"),
        ("prices: {input_per_million: 1, output_per_million: 1, as_of: '20260101'}\n", ":8: prices.as_of: must be"),
        (
            SECOND + "groups:\n  acount: {requests_per_minute: 3}\n",
            ":12: groups.acount: no key is in a group of this name, so its quota would not be held; did you mean "
            "`account`?",
        ),
        (
            "  - name: other\n    env: SOME_KEY\n",
            ":9: keys.1.env: the key main has the value of this variable already",
        ),
    ],
)
def test_an_endpoint_is_refused_by_file_and_line(folder: Path, lines: str, message: str) -> None:
    (folder / "somewhere.yaml").write_text(ENDPOINT + lines)
    with pytest.raises(VqaError) as caught:
        load_endpoint("somewhere", folders=[folder])
    assert caught.value.message.startswith("somewhere.yaml" + message)
    (listed,) = list_endpoints([folder])
    assert listed.problem == caught.value.message


@pytest.mark.parametrize("name", ["''", "' '", '"\\n"'])
def test_an_endpoint_names_a_model(folder: Path, name: str) -> None:
    (folder / "somewhere.yaml").write_text(ENDPOINT.replace("some-model", name))
    with pytest.raises(VqaError, match=r"^somewhere\.yaml:4: model: is empty"):
        load_endpoint("somewhere", folders=[folder])


def test_groups_that_there_are_stand_in_the_hint(folder: Path) -> None:
    (folder / "somewhere.yaml").write_text(ENDPOINT + SECOND + "groups: {nope: {requests_per_minute: 3}}\n")
    with pytest.raises(VqaError) as caught:
        load_endpoint("somewhere", folders=[folder])
    assert "The groups are main, account." in caught.value.hint


@pytest.mark.parametrize(
    "lines",
    [
        SECOND + "groups: {account: {requests_per_minute: 3}, main: {requests_per_minute: 4}}\n",
        "extra_headers: {User-Agent: mine, X-Empty: '', X_B: \"it's #1; (b)\"}\n",
        "query: {api-version: 2024-10-21, empty: '', where: Zürich & Bern}\n",
        "prices: {input_per_million: 1, output_per_million: 1, as_of: list of 2026-10-14}\n",
        "  - name: other\n  - name: third\n",
    ],
)
def test_what_works_is_taken(folder: Path, lines: str) -> None:
    (folder / "somewhere.yaml").write_text(ENDPOINT + lines)
    assert load_endpoint("somewhere", folders=[folder]).model == "some-model"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("generation: {max_tokens: 1" + "0" * 400 + "}\n", ":7: generation.max_tokens: must be at most 1000000"),
        ("generation: {longer_max_tokens: 1000001}\n", ":7: generation.longer_max_tokens: must be at most 1000000"),
        ("expected_output_tokens: 9999999999999999999999999\n", ":7: expected_output_tokens: must be at most 1000000"),
        ("picture: {max_side: 100001}\n", ":7: picture.max_side: must be at most 100000"),
        ("checks: {min_answer_chars: 1000001}\n", ":7: checks.min_answer_chars: must be at most 1000000"),
        ("generation:\n  extra_body:\n    stream: true\n", ":9: generation.extra_body must not set `stream`"),
    ],
)
def test_a_recipe_is_refused_by_file_and_line(folder: Path, lines: str, message: str) -> None:
    (folder / "simple.yaml").write_text(RECIPE + lines)
    with pytest.raises(VqaError) as caught:
        load_recipe("simple", folders=[folder])
    assert caught.value.message.startswith("simple.yaml" + message)
    (listed,) = list_recipes([folder])
    assert listed.problem == caught.value.message


def test_what_a_run_stored_before_stays_readable() -> None:
    stored = Endpoint.model_validate(
        {
            "name": "old", "base_url": "https://api.example.org/v1", "model": "m", "keys": [{"name": "a"}],
            "groups": {"nope": {"requests_per_minute": 3}}, "extra_headers": {"Host": "x"},
            "prices": {"input_per_million": 1, "output_per_million": 1, "as_of": "yesterday"},
        }
    )  # fmt: skip
    assert thaw_endpoint(freeze(stored)) == stored
