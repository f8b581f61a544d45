"""Token counts that the embedded endpoint reports in `usage`.

There is no tokenizer. Text counts one token for every four characters, begun ones included: the usual rule of thumb for
English. A picture counts by the endpoint's own rule (`image_tokens` in its file, see domain.image_tokens), so that a
rehearsal is billed as the endpoint that it stands for would bill it.
"""

CHARACTERS_PER_TOKEN = 4


def text_tokens(characters: int) -> int:
    """Return the tokens of a text of so many characters."""
    return -(-characters // CHARACTERS_PER_TOKEN)
