"""What the source of the extension must not hold, found in its syntax tree (SECURITY.md)."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXTENSION = REPOSITORY / "logger_extension"
SOURCES = sorted(EXTENSION.rglob("*.py"))

# They run what they read, or start programs, or make files in directories of others.
FORBIDDEN_MODULES = {
    *("pickle", "_pickle", "marshal", "shelve", "dbm", "copyreg", "code", "codeop", "runpy"),
    *("subprocess", "_posixsubprocess", "multiprocessing", "pty", "ctypes", "_ctypes"),
    *("tempfile", "shutil"),
    *("xml", "yaml"),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
FORBIDDEN_OF_OS = {
    *("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"),
    *(f"spawn{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    *(f"exec{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
}
# Modules of `asyncio` and others bring these too.
FORBIDDEN_ANYWHERE = {"create_subprocess_exec", "create_subprocess_shell", "literal_eval"}
FORBIDDEN_OF_TLS = {"CERT_NONE", "_create_unverified_context", "check_hostname", "verify_mode"}

# Where files are made, each in one place whose tests are about just that.
WRITERS = {
    "exporters/spool.py",  # the fallback's directory
    "held.py",  # the launcher's pipe
}
WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND"}
WRITING_METHODS = {"write_text", "write_bytes", "touch", "mkdir", "makedirs", "symlink_to"}

REQUESTS = {"get", "post", "put", "request"}
# aiohttp's own context trusts nobody here (`logger_extension/authorities.py`).
CLIENTS = {"ClientSession": "connector", "TCPConnector": "ssl"}


def find_offences(source: str, path: str = "x.py") -> list[str]:
    """Return what a source must not hold, `line: what`."""
    return [f"{line}: {what}" for line, what in _walk(ast.parse(source), path)]


def _walk(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _judge_module(node.lineno, alias.name)
            case ast.ImportFrom(module=module, names=names):
                yield from _judge_module(node.lineno, module or "")
                for alias in names:
                    yield from _judge_name(node.lineno, alias.name, module)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                yield from _judge_name(node.lineno, name, owner)
            case ast.Attribute(attr=name):
                yield from _judge_name(node.lineno, name, None)
            case ast.Call():
                yield from _judge_call(node, path)
            case ast.Assert():
                yield node.lineno, "assert checks nothing under -O"


def _judge_module(line: int, name: str) -> Iterator[tuple[int, str]]:
    if name.partition(".")[0] in FORBIDDEN_MODULES:
        yield line, f"import {name}"


def _judge_name(line: int, name: str, owner: str | None) -> Iterator[tuple[int, str]]:
    is_of_os = owner in ("os", "posix") and name in FORBIDDEN_OF_OS
    if is_of_os or name in FORBIDDEN_ANYWHERE | FORBIDDEN_OF_TLS:
        yield line, name


def _judge_call(call: ast.Call, path: str) -> Iterator[tuple[int, str]]:
    given = {each.arg: each.value for each in call.keywords}
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in FORBIDDEN_CALLS:
        yield call.lineno, f"{name}()"
    if _is_true(given.get("shell")):
        yield call.lineno, "shell=True"
    if path not in WRITERS and _writes(call, name or method):
        yield call.lineno, "a file is written"
    if method in CLIENTS and CLIENTS[method] not in given:
        yield call.lineno, f"{method} without {CLIENTS[method]}"
    if method in REQUESTS and _is_session(call.func):
        redirects = given.get("allow_redirects")
        if not (isinstance(redirects, ast.Constant) and redirects.value is False):
            yield call.lineno, "redirects are followed"
        if isinstance(tls := given.get("ssl"), ast.Constant) and tls.value is False:
            yield call.lineno, "certificates are not checked"


def _writes(call: ast.Call, name: str) -> bool:
    if name in WRITING_METHODS:
        return not (name == "write_text" and len(call.args) > 1)  # signals have one of their own
    if name != "open":
        return False
    texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
    modes = [text for text in texts if isinstance(text, str) and set(text) <= set("rwxabt+")]
    flags = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    return bool(flags & WRITING_FLAGS) or any(set(mode) & set("wxa+") for mode in modes)


def _is_session(function: ast.expr) -> bool:
    text = ast.unparse(function)
    return "session" in text.lower()


def _is_true(value: ast.expr | None) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and not value.value)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import xml.etree.ElementTree",
        "import subprocess as s",
        "import tempfile",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
        "os.system(text)",
        "from os import popen",
        "os.execv(path, [])",
        "await asyncio.create_subprocess_exec('x')",
        "run('x', shell=True)",
        "run('x', shell=is_it)",
        "assert is_safe",
        "open(name, 'w')",
        "path.open('ab')",
        "path.write_text('x')",
        "os.open(name, os.O_CREAT | os.O_WRONLY)",
        "os.makedirs(name)",
        "context.verify_mode = 0",
        "ssl._create_unverified_context()",
        "self._session.get(url)",
        "aiohttp.ClientSession(timeout=timeout)",
        "aiohttp.TCPConnector()",
        "session.post(url, allow_redirects=True)",
        "session.post(url, allow_redirects=False, ssl=False)",
    ],
)
def test_an_offence_is_found(source: str) -> None:
    """Each by itself."""
    assert len(find_offences(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "re.compile(text)",
        "path.open('rb', buffering=0)",
        "os.open('/proc/self/fd/0', os.O_RDONLY)",
        "session.post(url, allow_redirects=False, ssl=context)",
        "environ.get(name)",
        "run('x', shell=False)",
    ],
)
def test_what_is_no_offence(source: str) -> None:
    """The rules do not cry at what is harmless."""
    assert find_offences(source) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(EXTENSION)))
def test_the_extension_holds_none(path: Path) -> None:
    """Nothing unpickles, starts a program, follows a redirect or makes a file others can plant."""
    assert find_offences(path.read_text(), str(path.relative_to(EXTENSION))) == []


def test_the_writers_are_there() -> None:
    """No exception outlives its reason."""
    for name in WRITERS:
        assert "a file is written" in str(find_offences((EXTENSION / name).read_text()))


def test_what_the_threat_model_names_is_there() -> None:
    """Each file that SECURITY.md names as the one that does it."""
    page = (REPOSITORY / "SECURITY.md").read_text()
    named = re.findall(r"`([a-z_.]+/[\w./-]*)`", page)
    assert len(named) > 20
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def _audit(folder: Path, prints: str, says: str = "", status: int = 0) -> tuple[int, str]:
    """Run .ci/audit.py with a program in pip-audit's place; return its exit code and words."""
    program = folder / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"print({prints!r})\nsys.stderr.write({says!r})\nsys.exit({status})\n"
    )
    program.chmod(0o755)
    command = [sys.executable, str(REPOSITORY / ".ci/audit.py"), str(program), "demo.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


CLEAN = {"name": "a", "version": "1", "vulns": []}
VULNERABLE = {
    "name": "b",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": []}],
}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def test_the_audit_passes_what_is_clean(tmp_path: Path) -> None:
    """And says how much it looked at."""
    status, words = _audit(tmp_path, _report(CLEAN, CLEAN))
    assert (status, "2 packages" in words) == (0, True)


def test_the_audit_fails_on_a_finding(tmp_path: Path) -> None:
    """With package, finding and the version that mends it; the same for one it does not know."""
    status, words = _audit(tmp_path, _report(CLEAN, VULNERABLE), "Found 1", 1)
    assert (status, "b 2: PYSEC-1, fixed in 3" in words) == (1, True)
    status, words = _audit(tmp_path, _report(CLEAN, UNKNOWN))
    assert (status, "c is not in the database" in words) == (1, True)


@pytest.mark.parametrize(
    ("prints", "says"),
    [
        (_report(UNKNOWN, UNKNOWN), ""),
        ("", "requests.exceptions.ConnectionError: no route"),
        ("", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"),
    ],
    ids=["a mirror", "no route", "no connection"],
)
def test_the_audit_is_skipped_where_nobody_answers(tmp_path: Path, prints: str, says: str) -> None:
    """With the reason."""
    status, words = _audit(tmp_path, prints, says, 1)
    assert (status, "skipped, the database cannot be reached: " in words) == (0, True)


@pytest.mark.parametrize("prints", [_report(), ""], ids=["no package", "no report"])
def test_the_audit_fails_where_nothing_was_audited(tmp_path: Path, prints: str) -> None:
    """A broken list is no clean one."""
    assert _audit(tmp_path, prints, "invalid requirements input", 1)[0] == 1
