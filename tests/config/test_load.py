"""Loading recipes and endpoints: what is found, and what an error says."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.load import list_endpoints, list_recipes, load_endpoint, load_recipe
from vqa_tui.config.yaml_document import LARGEST_FILE, read_yaml
from vqa_tui.domain.failure import VqaError

Write = Callable[[str, str], Path]

ENDPOINT = """\
name: somewhere
description: a place
base_url: https://api.example.org/v1
model: some-model
keys:
  - name: main
    env: SOME_KEY
"""

RECIPE = """\
name: simple
description: asks
prompt:
  user: Describe it.
reply:
  kind: json_pairs
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of configurations; it is also the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], Path]:
    """Write a file into `folder` and return its path."""

    def write_file(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write_file


def complaint(folder: Path, name: str = "somewhere") -> VqaError:
    with pytest.raises(VqaError) as caught:
        load_endpoint(name, folders=[folder])
    return caught.value


def test_by_name_by_path_and_first_folder_wins(folder: Path, write: Write) -> None:
    write("own/somewhere.yaml", ENDPOINT.replace("a place", "mine"))
    write("shipped/somewhere.yaml", ENDPOINT)
    elsewhere = write("else/any-file.yml", ENDPOINT.replace("a place", "by path"))
    folders = [folder / "absent", folder / "own", folder / "shipped"]
    assert load_endpoint("somewhere", folders=folders).description == "mine"
    assert load_endpoint(str(elsewhere), folders=folders).description == "by path"
    assert [(each.name, each.description) for each in list_endpoints(folders)] == [("somewhere", "mine")]


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path, write: Write) -> None:
    write("simple.yaml", RECIPE)
    with pytest.raises(VqaError, match="no recipe named 'simpel'; did you mean simple") as caught:
        load_recipe("simpel", folders=[folder])
    assert "Known recipes: simple" in caught.value.hint


def test_a_name_never_becomes_a_path(folder: Path, write: Write) -> None:
    write("outside.yaml", ENDPOINT)
    inside = folder / "inside"
    inside.mkdir()
    with pytest.raises(VqaError, match="there is no endpoint named"):
        load_endpoint("../outside", folders=[inside])


def test_the_name_inside_must_be_the_name_of_the_file(folder: Path, write: Write) -> None:
    write("other.yaml", "# a comment\n" + ENDPOINT)
    assert str(complaint(folder, "other")).startswith(
        "other.yaml:2: name: says `somewhere`, but the file is other.yaml"
    )
    assert load_endpoint("other.yaml", folders=[]).name == "somewhere"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("    env:", "    envv:"), "somewhere.yaml:7: keys.0.envv: unknown key, did you mean `env`?"),
        (("description", "desription"), "somewhere.yaml:2: desription: unknown key, did you mean `description`?"),
        (("model: some-model\n", ""), "somewhere.yaml:1: model: this key is required"),
        (("  - name: main", "  - name: ma in"), "somewhere.yaml:6: keys.0.name: must match the pattern"),
        (("https://api.", "ftp://api."), "somewhere.yaml:3: base_url: must be an http or https address"),
        (("model: some-model", "model: [a, b]"), "somewhere.yaml:4: model: must be text"),
        (
            ("model: some-model", "model: a\nmodel: b"),
            "somewhere.yaml:5: the key `model` stands twice (first on line 4)",
        ),
        (("https://api.", "http://api."), "somewhere.yaml:3: base_url: plain http would carry the key"),
        (("https://api.example.org/v1", "'http://[::1/v1'"), "somewhere.yaml:3: base_url: must be an http or https"),
        (("https://", "https://me:word@"), "somewhere.yaml:3: base_url: must not carry user names"),
        (
            ("example.org/v1", "example.org/v1/chat/completions/"),
            "somewhere.yaml:3: base_url: must end before /chat/completions: write https://api.example.org/v1",
        ),
        (("base_url: https://api.example.org/v1\n", ""), "somewhere.yaml:1: base_url is required"),
        (("keys:\n  - name: main\n    env: SOME_KEY\n", "keys: []\n"), "somewhere.yaml:5: keys: needs at least 1"),
        (
            ("    env: SOME_KEY", "  - name: main"),
            "somewhere.yaml:5: keys: two keys have the same name",
        ),
        (
            ("model: some-model", "model: m\nextra_headers: {Cookie: x}"),
            "somewhere.yaml:5: extra_headers: must not hold",
        ),
        (
            ("model: some-model", "model: m\nimage_tokens: {pixels_per_token: 0}"),
            "somewhere.yaml:5: image_tokens.pixels",
        ),
        (
            ("model: some-model", "model: m\nimage_tokens: {tokens: -1}"),
            "somewhere.yaml:5: image_tokens.tokens: must be",
        ),
        (("model: some-model", "model: m\nkind: other"), "somewhere.yaml:5: kind: must be 'openai-compatible' or"),
        (("  - name", "\t- name"), "somewhere.yaml:6: a tab stands where YAML wants spaces"),
        (("model: some-model", "model: {{ x }}"), "somewhere.yaml:4: a key must be plain text"),
        (("model: some-model", "model: a: b"), "somewhere.yaml:4: a colon stands where it cannot"),
        (
            ("model: some-model", "model: !!python/name:os.system x"),
            "somewhere.yaml:4: the tag !!python/name:os.system",
        ),
        (("model: some-model", "model: !!binary YQ=="), "somewhere.yaml:4: the tag !!binary is not supported"),
        (("model: some-model", "model: &m x\ndescription: *m"), "somewhere.yaml:5: aliases (*name) are not supported"),
        (
            ("model: some-model", "model: x\nextra_body: {n: .inf}"),
            "somewhere.yaml:5: extra_body.n: the number is not finite",
        ),
        (
            ("model: some-model", "model: x\nconcurrency: true"),
            "somewhere.yaml:5: concurrency: must be a number, not true",
        ),
        (
            ("model: some-model", "model: x\nimage_tokens: {tokens: true}"),
            "somewhere.yaml:5: image_tokens.tokens: must be",
        ),
        (("model: some-model", "model: \x07"), "somewhere.yaml:4: a control character cannot stand in YAML"),
        ((ENDPOINT, "[1, 2]"), "somewhere.yaml:1: expected keys with values"),
        ((ENDPOINT, "# nothing\n"), "somewhere.yaml: the file is empty"),
        ((ENDPOINT, ENDPOINT + "---\na: b\n"), "somewhere.yaml:8: a second document begins"),
        ((ENDPOINT, "[" * 5000), "somewhere.yaml: nested too deeply"),
        (("model: some-model", "model: x\nconcurrency: " + "9" * 5000), "somewhere.yaml:5: concurrency: not a number"),
    ],
)
def test_errors_name_file_line_and_key(folder: Path, write: Write, change: tuple[str, str], message: str) -> None:
    text = ENDPOINT.replace("description: a place\n", "# line 2\n") if "&m" in change[1] else ENDPOINT
    assert change[0] in text or change[0] == ENDPOINT
    write("somewhere.yaml", text.replace(*change))
    assert complaint(folder).message.startswith(message)


def test_every_error_is_told_at_once_in_the_order_of_the_file(folder: Path, write: Write) -> None:
    write("somewhere.yaml", ENDPOINT.replace("description", "descripton").replace("env:", "enf:") + "concurrency: 0\n")
    lines = complaint(folder).message.splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "7", "8"]


def test_files_that_are_no_configuration(folder: Path) -> None:
    (folder / "latin.yaml").write_bytes(b"name: x\nmodel: caf\xe9\n")
    (folder / "large.yaml").write_bytes(b"#" * (LARGEST_FILE + 1))
    (folder / "folder.yaml").mkdir()
    for name, expected in [
        ("latin.yaml", "latin.yaml:2: not UTF-8 text"),
        ("large.yaml", "large.yaml is larger than 1,000,000 bytes"),
        ("folder.yaml", "folder.yaml is not a file"),
        ("absent.yaml", "there is no file absent.yaml"),
        ("nul\0.yaml", "there is no file nul"),
    ]:
        with pytest.raises(VqaError) as caught:
            load_endpoint(name, folders=[])
        assert expected in caught.value.message


def test_words_stay_words_and_dates_stay_text(folder: Path, write: Write) -> None:
    write("simple.yaml", RECIPE + "checks:\n  risk_words: [no, on, yes, 2026-11-21]\nvariables: {1: true}\n")
    recipe = load_recipe("simple", folders=[folder])
    assert recipe.checks.risk_words == ("no", "on", "yes", "2026-11-21")
    assert recipe.variables == {"1": True}


def test_prices_are_exact(folder: Path, write: Write) -> None:
    write("somewhere.yaml", ENDPOINT + "prices: {input_per_million: 0.1, output_per_million: 0.40}\n")
    prices = load_endpoint("somewhere", folders=[folder]).prices
    assert prices is not None and prices.input_per_million * 3 == Decimal("0.3")


@pytest.mark.parametrize("line", ["value: PLANTED-9f8e7d", "api_key: PLANTED-9f8e7d"])
def test_a_key_value_under_a_wrong_name_is_not_repeated(folder: Path, write: Write, line: str) -> None:
    write("somewhere.yaml", ENDPOINT.replace("env: SOME_KEY", line))
    error = complaint(folder)
    assert "never stands in a file" in error.hint
    assert "PLANTED" not in f"{error!s}{error!r}{error.__cause__!r}"


@pytest.mark.parametrize(
    "value",
    ["sk-PLANTED9f8e7d", "AIzaPLANTED9f8e7d", "PLANTED 9f8e7d", "P" * 65, "AB12CD34EF56AB78CD90EF12AB34CD56"],
)
def test_a_key_value_in_place_of_its_variable_is_refused_and_not_repeated(
    folder: Path, write: Write, value: str
) -> None:
    write("somewhere.yaml", ENDPOINT.replace("SOME_KEY", value))
    error = complaint(folder)
    assert error.message.startswith("somewhere.yaml:7: keys.0.env: must be the name of an environment variable")
    assert value not in f"{error!s}{error!r}"


def test_a_broken_file_is_listed_with_its_problem(folder: Path, write: Write) -> None:
    write("simple.yaml", RECIPE)
    write("broken.yaml", RECIPE.replace("reply", "replay"))
    broken, simple = list_recipes([folder])
    assert (simple.name, simple.problem) == ("simple", "")
    assert broken.problem.startswith("broken.yaml:1: reply: this key is required")


PLANTED = "sk-proj-abcdefgh1234567890ABCDEFGH"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("name: main", f"name: {PLANTED}", "somewhere.yaml:6: keys.0.name: "),
        ("name: main", "name: AB12CD34EF56AB78CD90EF12AB34CD56", "somewhere.yaml:6: keys.0.name: "),
        ("    env: SOME_KEY", f"    group: {PLANTED}", "somewhere.yaml:7: keys.0.group: "),
        ("keys:", f"groups: {{{PLANTED}: {{concurrency: 1}}}}\nkeys:", "somewhere.yaml:5: groups: "),
        ("keys:", f"{PLANTED}: 1\nkeys:", "somewhere.yaml:1: at the top: "),
        ("keys:", f"extra_headers: {{X-Project: {PLANTED}}}\nkeys:", "somewhere.yaml:5: extra_headers.X-Project: "),
        ("keys:", "extra_headers: {X-Pass: Bearer abc}\nkeys:", "somewhere.yaml:5: extra_headers.X-Pass: "),
        ("keys:", "extra_body: {api_key: my-own-secret}\nkeys:", "somewhere.yaml:5: extra_body.api_key: "),
        ("keys:", f"extra_body: {{a: [1, {{b: 'x {PLANTED}'}}]}}\nkeys:", "somewhere.yaml:5: extra_body.a.1.b: "),
        ("a place", f"use {PLANTED}", "somewhere.yaml:2: description: "),
    ],
)
def test_a_key_value_anywhere_is_refused_and_not_repeated(
    folder: Path, write: Write, old: str, new: str, place: str
) -> None:
    write("somewhere.yaml", ENDPOINT.replace(old, new))
    error = complaint(folder)
    assert error.message.startswith(place + "something here looks like the value of a key")
    assert "abcdefgh" not in f"{error!s}{error!r}" and "AB12" not in str(error)
    assert "never stands in a file" in error.hint


def test_a_recipe_holds_no_key_value_either(folder: Path, write: Write) -> None:
    write("simple.yaml", RECIPE + f"generation: {{extra_body: {{user: {PLANTED}}}}}\n")
    with pytest.raises(VqaError, match=r"simple.yaml:7: generation.extra_body.user: something here looks like"):
        load_recipe("simple", folders=[folder])


@pytest.mark.parametrize(
    "text",
    [
        "extra_body: {seed: 5, service_tier: gpt-4o-2024-08-06, thinking: {budget_tokens: 0}, stop: [sk-learn]}",
        "extra_headers: {X-Project: proj_12345, X-Trace: 0f8fad5b-d9cb-469f-a165-70867728950e}",
        "    group: account-2\ngroups: {account-2: {requests_per_minute: 5}}",
    ],
)
def test_what_is_no_key_value_is_let_through(folder: Path, write: Write, text: str) -> None:
    write("somewhere.yaml", ENDPOINT.replace("SOME_KEY", "A_KEY_OF_MY_ACCOUNT_NUMBER_1234") + text + "\n")
    assert load_endpoint("somewhere", folders=[folder]).model == "some-model"


@pytest.mark.parametrize(
    ("address", "env", "more", "refused"),
    [
        ("http://api.example.org/v1", "SOME_KEY", "", True),
        ("http://8.8.8.8:8000/v1", "SOME_KEY", "", True),
        ("http://api.example.org/v1", "SOME_KEY", "allow_unencrypted_keys: true\n", False),
        ("http://api.example.org/v1", None, "", False),
        ("https://api.example.org/v1", "SOME_KEY", "", False),
        ("http://127.0.0.1:8000/v1", "SOME_KEY", "", False),
        ("http://[::1]:8000/v1", "SOME_KEY", "", False),
        ("http://192.168.1.7/v1", "SOME_KEY", "", False),
        ("http://localhost:8000/v1", "SOME_KEY", "", False),
        ("http://gpu-box:8000/v1", "SOME_KEY", "", False),
        ("http://gpu-box.local:8000/v1", "SOME_KEY", "", False),
    ],
)
def test_a_key_crosses_public_networks_encrypted_only(
    folder: Path, write: Write, address: str, env: str | None, more: str, refused: bool
) -> None:
    text = ENDPOINT.replace("https://api.example.org/v1", f'"{address}"') + more
    write("somewhere.yaml", text if env else text.replace("    env: SOME_KEY\n", ""))
    if refused:
        error = complaint(folder)
        assert error.message.startswith("somewhere.yaml:3: base_url: plain http") and "allow_unenc" in error.hint
    else:
        assert load_endpoint("somewhere", folders=[folder]).base_url == address


def test_both_endings_are_found_by_name(folder: Path, write: Write) -> None:
    write("somewhere.yml", ENDPOINT)
    assert [each.path.name for each in list_endpoints([folder])] == ["somewhere.yml"]
    assert load_endpoint("somewhere", folders=[folder]).model == "some-model"


def test_what_exists_but_is_no_configuration_is_told_as_such(folder: Path) -> None:
    (folder / "junk.bin").write_bytes(b"x")
    (folder / "things").mkdir()
    for name, words in [
        ("./junk.bin", "junk.bin is not taken for a configuration: its name must end in .yaml or .yml"),
        ("things", "things is a folder, not a .yaml file"),
    ]:
        with pytest.raises(VqaError) as caught:
            load_recipe(name, folders=[folder])
        assert caught.value.message == words


@pytest.mark.parametrize("template", ["{{ pears }}", "{% for %}", "{{ lipsum() }}"])
def test_a_recipe_whose_template_cannot_work_is_refused_when_it_is_loaded(
    folder: Path, write: Write, template: str
) -> None:
    write("simple.yaml", RECIPE.replace("Describe it.", f'"{template}"'))
    with pytest.raises(VqaError, match=r"^simple.yaml: recipe simple, prompt.user, line 1: "):
        load_recipe("simple", folders=[folder])
    (listed,) = list_recipes([folder])
    assert listed.problem.startswith("simple.yaml: recipe simple, prompt.user")


@given(st.text(max_size=200))
def test_any_text_reads_or_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("wild") / "x.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(read_yaml(path).value, dict)
    except VqaError as error:
        assert "x.yaml" in error.message
