"""Functions of three kinds, each started by an executable file, as a runtime is.

A Python handler is run by AWS's own client; Node and bash serve the Runtime API with nothing but
themselves. Each prints `hello from NAME` and answers `{"request_id": ...}`. What the function's
variables would break in the runtime itself the file takes away first: a user whose runtime does not
start has no function. Must not know where it all runs.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

_SOURCES = Path(__file__).with_name("runtimes")
_PYTHON_HANDLER = """
def handler(event, context):
    print("hello from python")
    return {"request_id": context.aws_request_id}
"""
# The shell that does it runs already, and starts one program.
_CLEAN = (
    "unset LD_LIBRARY_PATH LD_PRELOAD OPENSSL_CONF NODE_OPTIONS PYTHONPATH PYTHONHOME"
    " PYTHONPLATLIBDIR PYTHONVERBOSE PYTHONWARNINGS PYTHONINSPECT PYTHONIOENCODING TMOUT FUNCNEST"
    " POSIXLY_CORRECT MALLOC_CHECK_ GLIBC_TUNABLES LC_ALL\n"
)

NAMES = ("python", "node", "bash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Where the programs of the runtimes are for the processes that start them.

    Attributes:
        python: an interpreter.
        libraries: what its LD_LIBRARY_PATH must be.
        site_packages: where AWS's client is.
        node: Node.
    """

    python: str
    libraries: str
    site_packages: str
    node: str


def find_node() -> Path:
    """Return Node; skip the test where there is none."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    return Path(node).resolve()


def write_function(
    name: str, task: Path, seen_at: str, bootstrap: Path, programs: Programs
) -> None:
    """Write a function and the file that runs it.

    Args:
        name: of `NAMES`.
        task: the folder of the function's code.
        seen_at: its path for the processes.
        bootstrap: the file to write.
        programs: what the runtimes need.
    """
    for source in _SOURCES.iterdir():
        shutil.copy(source, task)
    (task / "app.py").write_text(_PYTHON_HANDLER)
    command = {
        "python": f"LD_LIBRARY_PATH={programs.libraries}"
        f" PYTHONPATH={seen_at}:{programs.site_packages}"
        f' exec {programs.python} -m awslambdaric "$_HANDLER"',
        "node": f"exec {programs.node} {seen_at}/runtime.js",
        "bash": f"exec /bin/bash -p {seen_at}/runtime.bash",
    }[name]
    bootstrap.write_text(f"#!/bin/sh\n{_CLEAN}{command}\n")
    bootstrap.chmod(0o755)
