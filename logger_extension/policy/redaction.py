"""What must not leave the process: secrets and personal data in what a function prints.

Owns the named patterns and how they are applied to JSON values. A match is replaced by
`[REDACTED:<name>]`, but for what the group `(?P<keep>…)` of its expression matches. The time is
linear in the text (`log_patterns`), so that no text is too long to be looked at. The names of
fields stay; the value of one with a secret's name is replaced as a whole. Must not know logs.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from logger_extension.json_text import to_text
from logger_extension.policy.log_patterns import compile_pattern

OWN = "own"
# What is nested deeper is text in OTLP as well (`signals.values`).
MAX_DEPTH = 16
MIN_CARD_DIGITS, MAX_CARD_DIGITS = 13, 19
MIN_GROUP_DIGITS = 3
# Payment networks: https://www.iso.org/standard/70484.html, first digit of the issuer's number.
CARD_STARTS = frozenset("23456")
LARGEST_SINGLE_DIGIT = 9

_NAMES_OF_SECRETS = (
    r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
)
_SECRETS = (
    rf"(?i)(?P<keep>{_NAMES_OF_SECRETS}[\w-]{{0,10}}[\"'\s]{{0,2}}[:=]\s{{0,2}})"
    r"(?:\"[^\"]*\"?|'[^']*'?|[^\s\"',;&]+)"
)

# By name: the expression, and what a text must hold for it to be worth a look.
PATTERNS: Mapping[str, tuple[str, str]] = {
    "email": (r"[\w.%+'-]{1,64}@[\w-]{1,63}\.[\w-]+(?:\.[\w-]+(?:\.[\w-]+)?)?", "@"),
    "card": (r"[0-9](?:[ -]?[0-9]){12,40}", ""),
    "aws_key": (r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", "A"),
    "bearer": (r"(?i)\b(?:bearer|basic)\s{1,4}[\w.~+/=-]{8,}", ""),
    "jwt": (r"\beyJ[\w-]{8,}(?:\.[\w-]*(?:\.[\w-]*)?)?", "eyJ"),
    "secret": (_SECRETS, ""),
}
SECRET_NAME = re.compile(rf"(?i){_NAMES_OF_SECRETS}|^authorization$|^cookie$|^set-cookie$")


class Redactor(NamedTuple):
    """Replaces what some patterns match.

    Attributes:
        patterns: by name, each with what a text must hold.
        hides_secrets: whether the fields with a secret's name are hidden as a whole.
    """

    patterns: Sequence[tuple[str, re.Pattern[str], str]]
    hides_secrets: bool = False

    @classmethod
    def build(cls, names: Sequence[str], own: Sequence[str] = ()) -> "Redactor":
        """Return a redactor.

        Args:
            names: of `PATTERNS`.
            own: regular expressions of the user's.

        Raises:
            ConfigError: one of them cannot be used. Nothing may then leave the process.
        """
        named = [(name, compile_pattern(PATTERNS[name][0]), PATTERNS[name][1]) for name in names]
        owned = [(OWN, compile_pattern(text), "") for text in own]
        return cls(named + owned, "secret" in names)

    def redact(self, value: Any, depth: int = 0) -> Any:
        """Return a JSON value without what must not leave the process; it stays as it is."""
        if isinstance(value, str):
            return self._redact_text(value)
        if isinstance(value, dict | list) and depth > MAX_DEPTH:
            return self._redact_text(to_text(value))
        if isinstance(value, dict):
            return {name: self._redact_field(name, item, depth) for name, item in value.items()}
        if isinstance(value, list):
            return [self.redact(item, depth + 1) for item in value]
        if isinstance(value, int) and abs(value) > LARGEST_SINGLE_DIGIT:
            # A card's number may come as a number.
            text = str(value)
            redacted = self._redact_text(text)
            return value if redacted == text else redacted
        return value

    def _redact_field(self, name: str, value: Any, depth: int) -> Any:
        is_empty = value is None or isinstance(value, bool) or value == ""
        if self.hides_secrets and not is_empty and SECRET_NAME.search(name):
            return "[REDACTED:secret]"
        return self.redact(value, depth + 1)

    def _redact_text(self, text: str) -> str:
        for name, pattern, hint in self.patterns:
            if hint in text:
                replace = _replace_cards if name == "card" else partial(_replace, name)
                text = pattern.sub(replace, text)
        return text


def _replace(name: str, match: re.Match[str]) -> str:
    if not match[0]:
        return ""  # an expression that matches nothing finds it everywhere
    return f"{match.groupdict().get('keep') or ''}[REDACTED:{name}]"


def _replace_cards(match: re.Match[str]) -> str:
    """Replace the groups of digits that make up a card's number.

    What stands around a number may be digits too (an expiry date), so every sequence of whole
    groups is tried.
    """
    parts = re.split("([ -])", match[0])
    groups, start = parts[::2], 0
    while start < len(groups):
        digits = ""
        for end in range(start, len(groups)):
            digits += groups[end]
            if len(groups[end]) < MIN_GROUP_DIGITS or len(digits) > MAX_CARD_DIGITS:
                break
            if len(digits) >= MIN_CARD_DIGITS and _is_card(digits):
                parts[2 * start : 2 * end + 1] = ["[REDACTED:card]"]
                groups[start : end + 1] = [""]
                break
        start += 1
    return "".join(parts)


def _is_card(digits: str) -> bool:
    """Return whether a number has the check digit of Luhn's algorithm (ISO/IEC 7812-1)."""
    doubled = "".join(
        digit if place % 2 else str(int(digit) * 2)
        for place, digit in enumerate(reversed(digits), 1)
    )
    # The sum of the digits of the doubled ones: Luhn's rule.
    return digits[0] in CARD_STARTS and sum(map(int, doubled)) % 10 == 0
