"""Programs that the builder starts: uv, Python, the tool for the bill of materials.

Owns how they are found and how their failure is told. Must not know what they are for.
"""

import os
import subprocess  # nosec B404  # programs that the builder itself names, without a shell
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.layer.errors import LayerError

_MOST_LINES = 12


def run(command: Sequence[str | Path], *, environ: Mapping[str, str] | None = None) -> str:
    """Run a program to its end; return what it printed on stdout.

    Args:
        command: the program and its arguments.
        environ: variables beside those of this process.

    Raises:
        LayerError: it cannot be started or failed; with the end of what it said.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(  # noqa: S603  (as above)  # nosec B603
            words,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise LayerError(f"cannot start {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-_MOST_LINES:]
        raise LayerError(f"{' '.join(words[:3])} … failed:\n  " + "\n  ".join(said))
    return done.stdout


def find_tool(name: str) -> Path:
    """Return a program that the `layer` extra installs beside this interpreter.

    Raises:
        LayerError: it is not installed.
    """
    tool = Path(sys.executable).parent / name
    if not tool.is_file():
        raise LayerError(f"{name} is not installed: pip install 'logger-extension[layer]'")
    return tool
