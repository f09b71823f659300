"""The console script as a user starts it: its own process, without a terminal."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "logger_extension_cli")


def command_environment() -> dict[str, str]:
    """Return the environment without what would change how the command prints."""
    dropped = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"}
    return {key: value for key, value in os.environ.items() if key not in dropped} | {
        "COLUMNS": "80"
    }


def run_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `logger-extension` with these arguments to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=REPOSITORY,
        env=command_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )


def processes_with(marker: str) -> list[int]:
    """Return the ids of the processes whose environment holds `marker`."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            environ = (folder / "environ").read_bytes() if folder.name.isdigit() else b""
        except OSError:
            continue  # ended meanwhile, or not ours to read
        if marker.encode() in environ:
            found.append(int(folder.name))
    return found
