"""Whether an invocation ended because its memory did not suffice.

Lambda has no event for it: it shows in the type of the error, in the last lines that the runtime
printed, or in a report whose used memory equals the memory size. Must only be asked about
invocations that failed: a function may well print these words and go on.
"""

from collections.abc import Iterable

OUT_OF_MEMORY = "Runtime.OutOfMemory"

# What the runtimes themselves say last.
LAST_WORDS = (
    "signal: killed",  # Lambda, of a runtime that the kernel ended
    "MemoryError",  # Python
    "JavaScript heap out of memory",  # Node
    "java.lang.OutOfMemoryError",
    "OutOfMemoryException",  # .NET
    "failed to allocate memory (NoMemoryError)",  # Ruby
    "fatal error: runtime: out of memory",  # Go
)


def is_out_of_memory(
    error_type: str,
    last_lines: Iterable[str],
    memory_size_mb: int | None = None,
    max_memory_used_mb: int | None = None,
) -> bool:
    """Return whether a failed invocation was out of memory, by any of the signs."""
    if "OutOfMemory" in error_type:
        return True
    if memory_size_mb and max_memory_used_mb and max_memory_used_mb >= memory_size_mb:
        return True
    return any(words in line for line in last_lines for words in LAST_WORDS)
