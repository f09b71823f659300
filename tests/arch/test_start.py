"""What the start may import: every module costs time while Lambda waits."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# The standard modules that `-S` leaves out and the bootstrap needs: raw sockets, the environment,
# and what `os` itself brings.
ALLOWED = {
    "_socket",
    "os",
    "posixpath",
    "genericpath",
    "stat",
    "_stat",
    "abc",
    "_abc",
    "_collections_abc",
    "os.path",
    "logger_extension",
    "logger_extension.__main__",
    "logger_extension.bootstrap",
    "logger_extension.errors",
    "logger_extension.http1",
    "logger_extension.raw_call",
    "time",
}

PROGRAM = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import logger_extension.__main__
import logger_extension.bootstrap
print("\\n".join(set(sys.modules) - before))
"""


def test_bootstrap_imports_a_handful() -> None:
    """Up to the subscription only allow-listed modules are imported."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(REPOSITORY)],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stdout.split())
    assert "logger_extension.bootstrap" in imported
    assert imported <= ALLOWED, f"not allowed: {imported - ALLOWED}"
