r"""Regular expressions of the user's that cannot hang us.

Python's `re` backtracks: the time of a match can be exponential in the text, and nothing can stop
it. So an expression is analysed before it is used, and refused unless its time is linear in the
text: at most `MAX_STEPS` steps for each character, whatever the text. What is left of the cost, a
constant times the length, is all there is.

The measure is how many partial matches can arrive at one position of the text (`arrivals`); every
element multiplies it or not, and costs one step for each. A search begins at every position, so the
first element has one arrival. A repeat of one character class is sound

    at the end, where nothing after it can fail and make it step back: `password=\S+`;
    with an upper bound, which counts: `ERROR.{0,80}timeout`;
    behind a character that it cannot match itself (a barrier), as then few of its starts lie in one
    run of its characters: `"[^"]*"`;
    as the first repeat behind `^`, which a search reaches once: `^GET .*404`.

A repeat of anything else needs an upper bound. Back references are refused. The parser is the one
of `re` itself; an element that this module does not know is refused. Must not know what the
expressions are for.
"""

import re
import re._constants as op  # type: ignore[import-not-found]  # of the standard library, without stubs
import re._parser as parser  # type: ignore[import-not-found]  # as above
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from logger_extension.errors import ConfigError

MAX_STEPS = 5_000
MAX_CLASS_CHARS = 128
SPACES = frozenset(filter(str.isspace, map(chr, range(0x3001))))
UNBOUNDED = 2**20

Node = tuple[Any, Any]


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return an expression whose time is linear in the text that it is matched with.

    Raises:
        ConfigError: it is no regular expression, or its time might not be linear.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later version may read otherwise
            compiled = re.compile(text)
            tree = parser.parse(text)
        analysis = _Analysis(compiled.flags | _inner_flags(tree))
        analysis.walk(list(tree), _State(), _Place(is_last=True, is_repeated=False))
    except (ValueError, re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"the regular expression {text[:80]!r} is not used: {error}") from None
    return compiled


class _Element(NamedTuple):
    """One element since the last open repeat: the characters it must match, if they are few."""

    chars: frozenset[str]
    width: int


# What lies behind it does not count as a barrier.
OPAQUE = (_Element(frozenset(), UNBOUNDED),)


class _State(NamedTuple):
    """How many matches arrive at one position, through what, and whether only at one in all."""

    arrivals: int = 1
    recent: tuple[_Element, ...] = ()
    is_anchored: bool = False


class _Place(NamedTuple):
    """Where elements stand: whether nothing behind them can fail; whether they are repeated."""

    is_last: bool
    is_repeated: bool


class _Analysis:
    """Walks through one expression and adds up its steps for each character of the text."""

    def __init__(self, flags: int) -> None:
        self._flags = flags
        self._steps = 0

    def walk(self, nodes: Sequence[Node], state: _State, place: _Place) -> _State:
        """Return the state behind a sequence of elements."""
        for number, (kind, value) in enumerate(nodes, 1):
            is_last = place.is_last and all(map(_cannot_fail, nodes[number:]))
            here = _Place(is_last, place.is_repeated)
            self._spend(state.arrivals)
            if kind in _REPEATS:
                state = self._repeat(value, state, here)
            elif kind in _GROUPS:
                inner = value[-1] if isinstance(value, tuple) else value
                state = self.walk(list(inner), state, here)
            elif kind is op.BRANCH:
                state = self._branch([list(way) for way in value[1]], state, here)
            elif kind in (op.ASSERT, op.ASSERT_NOT):
                self.walk(list(value[1]), state, _Place(is_last=False, is_repeated=True))
            elif kind is op.AT:
                if self._is_start(value):
                    state = state._replace(is_anchored=not state.recent)
            elif kind in _SINGLE:
                element = _Element(self._chars_of(kind, value), 1)
                state = state._replace(recent=(*state.recent, element))
            else:
                raise ValueError(f"{str(kind).lower()} is not supported")
        return state

    def _is_start(self, anchor: Any) -> bool:
        is_of_lines = bool(self._flags & re.MULTILINE)
        return anchor is op.AT_BEGINNING_STRING or (anchor is op.AT_BEGINNING and not is_of_lines)

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise ValueError(
                f"it may take more than {MAX_STEPS} steps for each character: use fewer repeats"
                " or lower bounds"
            )

    def _branch(self, ways: Sequence[Sequence[Node]], state: _State, place: _Place) -> _State:
        ends = [self.walk(way, state, place) for way in ways]
        arrivals = sum(end.arrivals for end in ends)
        return _State(arrivals, OPAQUE, all(end.is_anchored for end in ends))

    def _repeat(self, value: Any, state: _State, place: _Place) -> _State:
        least, most, body = value[0], int(value[1]), list(value[2])
        while len(body) == 1 and body[0][0] is op.SUBPATTERN:
            body = list(body[0][1][-1])
        if len(body) == 1 and body[0][0] in _SINGLE:
            return self._repeat_one(body[0], least, most, state, place)
        if most == 1:
            return self._branch([body, []], state, place)
        if most >= UNBOUNDED:
            raise ValueError(
                "a repeat of more than one character, or of another repeat, needs an upper bound:"
                " {1,20} instead of +"
            )
        arrivals = 0 if least else state.arrivals
        for count in range(1, most + 1):
            self._spend(state.arrivals)
            state = self.walk(body, state, _Place(is_last=False, is_repeated=True))
            arrivals += state.arrivals if count >= least else 0
        return _State(arrivals, OPAQUE, state.is_anchored)

    def _repeat_one(self, one: Node, least: int, most: int, state: _State, place: _Place) -> _State:
        """Repeat one class: at how many places a match can enter one run of it is what counts."""
        entries = 1 if state.is_anchored else self._count_entries(one, state.recent)
        is_open = most >= UNBOUNDED
        if is_open and place.is_repeated:
            raise ValueError("a repeat inside a repeat or a look-around needs an upper bound")
        if place.is_last:
            # It takes what it can get, and what it took is not looked at again.
            self._spend(state.arrivals * min(least, entries))
            return _State(state.arrivals, OPAQUE)
        if is_open and entries >= UNBOUNDED:
            raise ValueError(
                "a repeat such as .* needs an upper bound, as in .{0,80}, unless it stands at the"
                " end, behind ^, or behind a character that it cannot match itself"
            )
        self._spend(state.arrivals * min(most, entries))
        arrivals = state.arrivals * min(most - least + 1, entries)
        element = _Element(self._chars_of(*one) if least else frozenset(), most)
        recent = (element,) if is_open else (*state.recent, element)
        return _State(arrivals, recent, state.is_anchored and least == most)

    def _count_entries(self, one: Node, recent: Sequence[_Element]) -> int:
        """Return how many positions of one run of a class a match can enter it at."""
        width = 0
        for element in reversed(recent):
            if element.chars and not any(self._has(one, char) for char in element.chars):
                return 1 + width
            width += element.width
        return UNBOUNDED

    def _chars_of(self, kind: Any, value: Any) -> frozenset[str]:
        """Return the characters that an element matches; none when they are many, or cased."""
        chars: set[str] = set()
        for item, content in value if kind is op.IN else [(kind, value)]:
            if item is op.LITERAL:
                chars.add(chr(content))
            elif item is op.RANGE and content[1] - content[0] < MAX_CLASS_CHARS:
                chars.update(map(chr, range(content[0], content[1] + 1)))
            elif item is op.CATEGORY and content is op.CATEGORY_SPACE:
                chars |= SPACES
            else:
                return frozenset()
        has_case = any(char.lower() != char.upper() for char in chars)
        return frozenset() if has_case and self._flags & re.IGNORECASE else frozenset(chars)

    def _has(self, one: Node, char: str) -> bool:
        """Return whether a class has a character; only asked of what case does not change."""
        kind, value = one
        if kind is op.ANY:
            return char != "\n" or bool(self._flags & re.DOTALL)
        if kind is op.NOT_LITERAL:
            return char != chr(value)
        items = value if kind is op.IN else [one]
        if not char.isascii() and any(item is op.CATEGORY for item, _ in items):
            return True  # it depends on re.ASCII; "has it" is the careful answer
        found = any(_item_has(item, content, char) for item, content in items)
        return found != (items[0][0] is op.NEGATE)


def _item_has(item: Any, content: Any, char: str) -> bool:
    if item is op.LITERAL:
        return char == chr(content)
    if item is op.RANGE:
        return bool(content[0] <= ord(char) <= content[1])
    return item is op.CATEGORY and bool(_CATEGORIES[content].fullmatch(char))


def _cannot_fail(node: Node) -> bool:
    kind, value = node
    if kind in _REPEATS:
        return bool(value[0] == 0)
    if kind in _GROUPS:
        return all(map(_cannot_fail, value[-1] if isinstance(value, tuple) else value))
    return kind is op.BRANCH and any(all(map(_cannot_fail, way)) for way in value[1])


def _inner_flags(tree: Any) -> int:
    """Return the flags of groups such as `(?i:…)`, for all of the expression."""
    flags = 0
    for kind, value in tree:
        if kind is op.BRANCH:
            inner = value[1]
        elif kind in _REPEATS or kind in _GROUPS:
            inner = [value[-1] if isinstance(value, tuple) else value]
        else:
            continue
        flags |= int(value[1]) if kind is op.SUBPATTERN else 0
        for part in inner:
            flags |= _inner_flags(part)
    return flags


_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_GROUPS = (op.SUBPATTERN, op.ATOMIC_GROUP)
_SINGLE = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)
_CATEGORIES = {
    op.CATEGORY_DIGIT: re.compile(r"\d"),
    op.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    op.CATEGORY_SPACE: re.compile(r"\s"),
    op.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    op.CATEGORY_WORD: re.compile(r"\w"),
    op.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
