"""Words of others that may repeat a secret, and what is told in their place.

Owns when words are not repeated: collectors echo headers, and libraries name URLs. Words are often
cut, quoted or escaped, so a piece of a secret is enough to hide all of them. Must not know where
the words came from.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

# So much of a secret, only its letters and digits counted, is never told.
PIECE_LENGTH = 5

STATUS = re.compile(r"HTTP \d{3}|gRPC [A-Z_]+")
HIDDEN = "the words are not repeated, a part of a secret is in them"


def conceal(words: str, secrets: Iterable[str]) -> str:
    """Return words as they are, or only their status when they share a piece with a secret."""
    spellings = {words, unquote(words)}
    if not any(_is_in(secret, each) for secret in secrets for each in spellings):
        return words
    status = STATUS.match(words)
    return f"{status[0]} ({HIDDEN})" if status else HIDDEN


def _is_in(secret: str, words: str) -> bool:
    if secret and secret in words:
        return True
    reduced = _reduce(secret)
    length = min(len(reduced), PIECE_LENGTH)
    if not length:
        return False
    pieces = {reduced[i : i + length] for i in range(len(reduced) - length + 1)}
    plain = _reduce(words)
    return any(plain[i : i + length] in pieces for i in range(len(plain) - length + 1))


def _reduce(text: str) -> str:
    """Return letters and digits only: blanks, quotes and escapes come and go on the way."""
    return "".join(filter(str.isalnum, text.casefold()))
