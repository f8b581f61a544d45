"""How many tokens a text takes, by a rule of thumb: for where no tokenizer is at hand."""

ASCII_CHARS_A_TOKEN = 4
TEXT_RULE = "4 ASCII characters or 1 other character a token"


def estimated_tokens(text: str) -> int:
    """Return one token for every 4 ASCII characters, rounded up, and one for each other character.

    Vendors give 4 characters a token for English. Other scripts are nearer to one a character, which errs on the side
    of more tokens.
    """
    ascii_chars = sum(map(str.isascii, text))
    return -(-ascii_chars // ASCII_CHARS_A_TOKEN) + len(text) - ascii_chars
