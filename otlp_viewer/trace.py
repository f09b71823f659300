"""The spans of one trace as a tree. Pure, and without recursion: a trace may be deep.

Spans arrive in any order and some never do. Nothing is left out: a span whose parent is not here
becomes a root of its own, and a ring of spans that name each other as parent is opened at its
earliest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from otlp_viewer.rows import SpanRow


@dataclass(slots=True, eq=False)
class SpanNode:
    """A span and its children, in order of their start.

    `orphan`: its parent is not in the store; rightly so where the caller of the function began the
    trace. `in_cycle`: its chain of parents leads back to itself.
    """

    span: SpanRow
    children: list["SpanNode"] = field(default_factory=list)
    orphan: bool = False
    in_cycle: bool = False


@dataclass(slots=True, eq=False)
class Trace:
    """One trace: its roots in order of their start."""

    trace_id: str
    roots: list[SpanNode]

    def walk(self) -> Iterator[tuple[int, SpanNode]]:
        """Yield every node once with its depth (0 for a root), a parent before its children."""
        stack = [(0, node) for node in reversed(self.roots)]
        while stack:
            depth, node = stack.pop()
            yield depth, node
            stack.extend((depth + 1, child) for child in reversed(node.children))


def build_trace(trace_id: str, spans: Iterable[SpanRow]) -> Trace:
    """Return the tree of the spans that carry `trace_id`.

    A span id that comes twice gives two nodes; the children belong to the earlier one.
    """
    nodes = sorted(
        (SpanNode(span) for span in spans if span.trace_id == trace_id),
        key=lambda node: (node.span.start_unix_nano, node.span.span_id),
    )
    by_id: dict[str, SpanNode] = {}
    for node in nodes:
        by_id.setdefault(node.span.span_id, node)

    roots = []
    for node in nodes:
        parent = by_id.get(node.span.parent_span_id) if node.span.parent_span_id else None
        if parent is not None:
            parent.children.append(node)
        else:
            node.orphan = bool(node.span.parent_span_id)
            roots.append(node)

    trace = Trace(trace_id, roots)
    _open_cycles(trace, nodes, by_id)
    return trace


def _open_cycles(trace: Trace, nodes: list[SpanNode], by_id: dict[str, SpanNode]) -> None:
    """Make the earliest span of every ring a root, so that each span is reached once."""
    reached = {id(node) for _, node in trace.walk()}
    for node in nodes:
        if id(node) in reached:
            continue
        ring = _ring_above(node, by_id)
        first = min(ring, key=lambda member: (member.span.start_unix_nano, member.span.span_id))
        by_id[first.span.parent_span_id].children.remove(first)
        first.in_cycle = True
        trace.roots.append(first)
        reached.update(id(below) for _, below in Trace("", [first]).walk())
    trace.roots.sort(key=lambda node: (node.span.start_unix_nano, node.span.span_id))


def _ring_above(node: SpanNode, by_id: dict[str, SpanNode]) -> list[SpanNode]:
    """Follow the parents of a node that no root reaches until one comes again."""
    path: dict[int, SpanNode] = {}
    while id(node) not in path:
        path[id(node)] = node
        node = by_id[node.span.parent_span_id]
    members = list(path.values())
    return members[members.index(node) :]
