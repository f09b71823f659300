"""`logger-extension layer build`: the zip that Lambda unpacks into /opt.

Owns the arguments and the table of what takes the room. How a layer is built is `deploy.layer`'s.
"""

import argparse
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.layer.errors import LayerError
from deploy.layer.target import UV, Target
from logger_extension_cli.errors import CommandError, UsageError
from logger_extension_cli.progress import show_steps

# Parts of the zip that are smaller than this share are added up.
LEAST_SHARE = 0.01

Sizes = Mapping[str, tuple[int, int]]


def execute(arguments: argparse.Namespace) -> int:
    """Build the layer and say what is in it; return the exit code."""
    if importlib.util.find_spec("elftools") is None:
        raise UsageError("what builds layers is missing: pip install 'logger-extension[layer]'")
    from deploy.layer.build import build_layer  # noqa: PLC0415 - needs the layer extra

    target = read_target(arguments)
    archive = arguments.output / f"{target.name}.zip"
    try:
        with show_steps("building") as tell:
            built = build_layer(target, archive, tell=tell)
    except LayerError as error:
        raise CommandError(str(error)) from error
    print("\n".join(draw_sizes(built.sizes, target.limit_bytes)))
    if built.startup is not None:
        print(
            f"\nexec to register: {built.startup.launcher_ms:.1f} ms"
            f" (bare Python on this machine: {built.startup.bare_python_ms:.1f} ms)"
        )
    for note in built.notes:
        print(f"note: {note}")
    print(f"\n{archive}")
    return 0


def read_target(arguments: argparse.Namespace) -> Target:
    """Return what is to be built.

    Raises:
        UsageError: it cannot be; the message names what can.
    """
    chosen = arguments.bundle_python
    interpreter = chosen if chosen in (None, UV) else Path(chosen)
    if isinstance(interpreter, Path) and arguments.python is not None:
        raise UsageError("--python is what the prefix of --bundle-python has: leave it out")
    try:
        return Target(
            python=arguments.python,
            architecture=arguments.arch,
            interpreter=interpreter,
            extras=tuple(dict.fromkeys(arguments.extra)),
        )
    except LayerError as error:
        raise UsageError(str(error)) from error


def draw_sizes(sizes: Sizes, limit_bytes: int) -> Iterator[str]:
    """Yield the table of what takes the room, largest first; sizes in kB (1,000 bytes)."""
    unpacked, packed = (sum(column) for column in zip(*sizes.values(), strict=True))
    yield f"{'part':<34}{'unpacked':>12}{'in the zip':>12}{'share':>8}"
    small = {name for name, (_, size) in sizes.items() if size < LEAST_SHARE * packed}
    rows = [(name, *size) for name, size in sizes.items() if name not in small]
    for name, unpacked_bytes, packed_bytes in sorted(rows, key=lambda row: -row[2]):
        yield _draw(name, unpacked_bytes, packed_bytes, packed)
    if small:
        rest = [sum(column) for column in zip(*(sizes[name] for name in small), strict=True)]
        yield _draw(f"{len(small)} smaller parts", rest[0], rest[1], packed)
    yield _draw("all", unpacked, packed, packed)
    yield f"allowed are {limit_bytes // 1000:,} kB in the zip"


def _draw(name: str, unpacked_bytes: int, packed_bytes: int, all_bytes: int) -> str:
    return (
        f"{name:<34}{unpacked_bytes // 1000:>9,} kB{packed_bytes // 1000:>9,} kB"
        f"{packed_bytes / all_bytes:>8.0%}"
    )
