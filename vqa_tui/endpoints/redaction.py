"""Hiding a key in what an endpoint says: some servers repeat it in errors, headers or lists, escaped or as it is."""

import re
from functools import lru_cache
from html.entities import html5

from pydantic import SecretStr

from vqa_tui.endpoints.error_body import storable
from vqa_tui.endpoints.settings import EndpointSettings

_SHORTEST_SECRET = 8
_REDACTED = "[redacted]"
_MOST_BACKSLASHES = 16
"""A JSON text inside a JSON text doubles them each time: as many as four levels have."""
_ESCAPES = re.compile(r"[\\%&]")


def without_key(text: str, key: SecretStr, endpoint: EndpointSettings) -> str:
    r"""Return `text`, storable and without the value of `key`. Short placeholders and embedded keys are no secrets.

    The value is found letter by letter, and with any of its characters written as in JSON (`\/`, `\u002B`; RFC 8259,
    section 7), in a URL (`%2F`; RFC 3986, section 2.1), or in HTML (`&#47;`, `&amp;`), encoded repeatedly or not.
    """
    text, value = storable(text), key.get_secret_value()
    if len(value) < _SHORTEST_SECRET or endpoint.kind == "embedded":
        return text
    # Most texts hold few escapes, if any; the pattern is for the others, and first: a key may begin within its escape.
    if _ESCAPES.search(text):
        text = _in_any_form(value).sub(_REDACTED, text)
    return text.replace(value, _REDACTED)


@lru_cache(maxsize=256)
def _in_any_form(value: str) -> re.Pattern[str]:
    return re.compile("".join(_character_in_any_form(character) for character in value))


def _character_in_any_form(character: str) -> str:
    """Return a pattern; each of its branches begins with a literal, so that `re` skips quickly what cannot match."""
    number = ord(character)
    backslashes = rf"\\\\{{0,{_MOST_BACKSLASHES - 1}}}"
    forms = [
        f"{backslashes}u{_hexadecimal(number, 4)}",
        f"%(?:25){{0,4}}{_hexadecimal(number, 2)}",
        f"&(?:amp;){{0,4}}#(?:0{{0,8}}{number}(?![0-9])|[xX]0{{0,8}}{_hexadecimal(number, 0)}(?![0-9a-fA-F]));?",
        *(f"&(?:amp;){{0,4}}{re.escape(name)}" for name in sorted(_names(character), key=len, reverse=True)),
    ]
    if not character.isalnum():
        forms.append(backslashes + re.escape(character))
    # Last: of a key that ends with "&", all of "&amp;" is to go.
    forms.append(re.escape(character))
    return f"(?:{'|'.join(forms)})"


def _hexadecimal(number: int, digits: int) -> str:
    """Return a pattern of `number` in at least `digits` hexadecimal digits, in upper or lower case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{digits}x}")


def _names(character: str) -> list[str]:
    """Return the names that HTML has for `character`, with the semicolon where it needs one."""
    return [name for name, meaning in html5.items() if meaning == character]
