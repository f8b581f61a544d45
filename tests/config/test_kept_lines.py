"""One key of a person's own file is changed; the rest of it stays as they wrote it."""

from typing import Any

import pytest
import yaml

from vqa_tui.config.kept_lines import with_key

WRITTEN = """\
# mine
theme: nord  # for the evening

bell: false
# of the office
command: |
  notify
  twice
# end
"""


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("theme", "gruvbox", WRITTEN.replace("theme: nord", "theme: gruvbox")),
        ("theme", None, WRITTEN.replace("theme: nord  # for the evening\n", "")),
        ("command", "one", WRITTEN.replace("command: |\n  notify\n  twice\n", "command: one\n")),
        ("pictures", "none", WRITTEN + "pictures: none\n"),
        ("desktop", None, WRITTEN),
    ],
)
def test_other_lines_stay(name: str, value: object, text: str) -> None:
    assert with_key(WRITTEN, yaml.safe_load(WRITTEN), name, value) == text


@pytest.mark.parametrize(
    "text", ["{theme: nord, bell: false}\n", "---\ntheme: nord\nbell: false\n...\n", "theme: nord"]
)
def test_whatever_the_layout_the_value_is_set(text: str) -> None:
    values: dict[str, Any] = yaml.safe_load(text)
    assert yaml.safe_load(with_key(text, values, "theme", "a: [b] # c")) == {**values, "theme": "a: [b] # c"}
    assert yaml.safe_load(with_key(text, values, "desktop", True)) == {**values, "desktop": True}
    assert (yaml.safe_load(with_key(text, values, "theme", None)) or {}) == {
        k: v for k, v in values.items() if k != "theme"
    }


def test_comments_alone_are_kept() -> None:
    assert with_key("# mine\n", {}, "theme", "nord") == "# mine\ntheme: nord\n"
    assert with_key("# mine\ntheme: nord\n", {"theme": "nord"}, "theme", None) == "# mine\n"
    assert with_key("theme: nord\n", {"theme": "nord"}, "theme", None) == ""
