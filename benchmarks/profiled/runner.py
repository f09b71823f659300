"""Runs the extension's start under pyinstrument; its arguments are those of the launcher.

Runs instead of `python -c CODE PATH...`: without the site module, so it finds pyinstrument by
BENCHMARK_PYINSTRUMENT, the folder that it is installed in.
"""

import importlib
import os
import sys
from typing import Any


def main() -> None:
    """Run CODE until it ends, and save what the main thread was busy with."""
    _, code, *paths = sys.argv
    # What the code finds is what it finds without us; ours comes last.
    sys.argv = ["-c", *paths]
    sys.path.append(os.environ["BENCHMARK_PYINSTRUMENT"])
    pyinstrument: Any = importlib.import_module("pyinstrument")
    profiler = pyinstrument.Profiler(async_mode="disabled")
    leave = os._exit

    def save_and_leave(status: int) -> None:
        profiler.stop().save(os.environ["BENCHMARK_PROFILE"])
        leave(status)

    # The extension ends by os._exit, which asks nobody.
    os._exit = save_and_leave  # type: ignore[assignment]
    profiler.start()
    exec(compile(code, "<launcher>", "exec"), {"__name__": "__main__"})  # noqa: S102  (launcher's)


if __name__ == "__main__":
    main()
