"""A matcher that backtracks as `re` does, and counts its steps.

It tries what `re` tries, in the same order, remembers nothing and knows no short cut: so its steps
are an upper bound of those of `re`, up to a constant. Small and slow: an oracle for what an
expression may cost. It takes the tree of `re`'s own parser and makes a program of it, in the manner
of https://swtch.com/~rsc/regexp/regexp2.html.
"""

import re
import re._constants as op  # type: ignore[import-not-found]  # of the standard library, without stubs
import re._parser as parser  # type: ignore[import-not-found]  # as above
from collections.abc import Sequence
from typing import Any

CLASSES = {op.CATEGORY_WORD: r"\w", op.CATEGORY_SPACE: r"\s", op.CATEGORY_DIGIT: r"\d"}


# The next instruction, the place in the text, and where the rounds of loops began.
Thread = tuple[int, int, tuple[int, ...]]


class TooManySteps(Exception):  # noqa: N818  (a result, not an error)
    """The limit of steps was reached."""


class StepCounter:
    """Searches texts for one expression; `steps` counts the instructions that were tried."""

    def __init__(self, pattern: str, most_steps: int) -> None:
        self._program: list[tuple[str, Any, Any]] = []
        self._compile(list(parser.parse(pattern)))
        self._emit("match")
        self._most_steps = most_steps
        self.steps = 0

    def find_all(self, text: str) -> list[str]:
        """Return the matches from left to right, none inside another."""
        found: list[str] = []
        start = 0
        while start <= len(text):
            end = self._match(text, start)
            if end is not None:
                found.append(text[start:end])
            start = max(end or 0, start + 1)
        return found

    def _match(self, text: str, start: int) -> int | None:
        """Return where a match from `start` ends; what is still to be tried waits in a stack."""
        waiting: list[Thread] = [(0, start, ())]
        while waiting:
            thread: Thread | None = waiting.pop()
            while thread is not None:
                self.steps += 1
                if self.steps > self._most_steps:
                    raise TooManySteps
                place, at, marks = thread
                kind, first, second = self._program[place]
                if kind == "match":
                    return at
                if kind == "split":
                    waiting.append((second, at, marks))
                    thread = (first, at, marks)
                else:
                    thread = _step(text, (place + 1, at, marks), kind, first, second)
        return None

    def _emit(self, kind: str, first: Any = None, second: Any = None) -> int:
        self._program.append((kind, first, second))
        return len(self._program) - 1

    def _split(self, *, is_lazy: bool) -> tuple[int, int]:
        """Emit a choice between going on and leaving; return its place and which part leaves."""
        place = self._emit("split")
        self._program[place] = ("split", place + 1, place + 1)
        return place, 1 if is_lazy else 2

    def _leave_here(self, place: int, part: int) -> None:
        instruction = list(self._program[place])
        instruction[part] = len(self._program)
        self._program[place] = (instruction[0], instruction[1], instruction[2])

    def _compile(self, nodes: Sequence[Any]) -> None:
        for kind, value in nodes:
            if kind is op.AT:
                self._emit("at", value)
            elif kind is op.SUBPATTERN:
                self._compile(list(value[-1]))
            elif kind is op.BRANCH:
                self._compile_branch([list(way) for way in value[1]])
            elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
                self._compile_repeat(value[0], value[1], list(value[2]), kind is op.MIN_REPEAT)
            else:
                self._emit("one", kind, value)

    def _compile_branch(self, ways: Sequence[Sequence[Any]]) -> None:
        jumps = []
        for way in ways[:-1]:
            split = self._split(is_lazy=False)
            self._compile(way)
            jumps.append(self._emit("jump"))
            self._leave_here(*split)
        self._compile(ways[-1])
        for jump in jumps:
            self._leave_here(jump, 1)

    def _compile_repeat(self, least: int, most: Any, body: Sequence[Any], is_lazy: bool) -> None:  # noqa: FBT001  (an inner step)
        for _ in range(least):
            self._compile(body)
        if most is op.MAXREPEAT:
            split = self._split(is_lazy=is_lazy)
            self._emit("mark")
            self._compile(body)
            check = self._emit("check")
            self._emit("jump", split[0])
            self._leave_here(*split)
            self._leave_here(check, 1)
            return
        splits = []
        for _ in range(least, most):
            splits.append(self._split(is_lazy=is_lazy))
            self._compile(body)
        for split in splits:
            self._leave_here(*split)


def _step(text: str, thread: Thread, kind: str, first: Any, second: Any) -> Thread | None:
    """Return where one instruction leads, None when it fails."""
    place, at, marks = thread
    if kind == "jump":
        return first, at, marks
    if kind == "mark":
        return place, at, (*marks, at)
    if kind == "one":
        return (
            (place, at + 1, marks) if text[at : at + 1] and _has(first, second, text[at]) else None
        )
    if kind == "at":
        return thread if at == (0 if first is op.AT_BEGINNING else len(text)) else None
    # The end of a round; one that took nothing is the last.
    return (first if marks[-1] == at else place), at, marks[:-1]


def _has(kind: Any, value: Any, char: str) -> bool:
    if kind is op.ANY:
        return char != "\n"
    if kind is op.LITERAL:
        return char == chr(value)
    if kind is op.NOT_LITERAL:
        return char != chr(value)
    is_negated = value[0][0] is op.NEGATE
    return is_negated != any(_item_has(item, content, char) for item, content in value)


def _item_has(item: Any, content: Any, char: str) -> bool:
    if item is op.LITERAL:
        return char == chr(content)
    if item is op.RANGE:
        return bool(content[0] <= ord(char) <= content[1])
    return item is op.CATEGORY and bool(re.fullmatch(CLASSES[content], char))
