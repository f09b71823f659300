"""OTLP messages of any content for property tests: every field of a message, at its extremes too.

Driven by the messages' own descriptors, so that a field which a new version of OTLP has is drawn as
well.
"""

from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

_MessageT = TypeVar("_MessageT", bound=Message)

# Values of attributes hold values; deeper ones add nothing but time.
_MAX_DEPTH = 8
# Resources, scopes and what is in them.
_TRUNK = 2
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 25),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1) | st.just(2**64 - 1),
}


@st.composite
def messages(draw: st.DrawFn, kind: type[_MessageT]) -> _MessageT:
    """Draw a message of this kind, with at most two items in each list."""
    message = kind()
    _fill(draw, message, depth=0)
    return message


def _fill(draw: st.DrawFn, message: Any, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        # What holds the items is always there, or most messages would be empty.
        is_trunk = field.is_repeated and depth <= _TRUNK
        if not is_trunk and not draw(st.booleans()):
            continue
        if field.message_type is None:
            _set(draw, message, field)
        elif depth < _MAX_DEPTH:
            target = getattr(message, field.name)
            count = draw(st.integers(1, 2)) if field.is_repeated else 0
            for _ in range(count):
                _fill(draw, target.add(), depth + 1)
            if not field.is_repeated:
                target.SetInParent()
                _fill(draw, target, depth + 1)


def _set(draw: st.DrawFn, message: Any, field: FieldDescriptor) -> None:
    values = _SCALARS.get(field.cpp_type)
    if values is None:
        is_text = field.type == FieldDescriptor.TYPE_STRING
        values = st.text(max_size=6) if is_text else st.binary(max_size=17)
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    else:
        setattr(message, field.name, draw(values))
