"""`logger-extension completion`, as the shells themselves complete with it."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from logger_extension_cli.__main__ import main
from logger_extension_cli.completion import make_script

# A line up to the cursor, and what must, and must not, be offered there.
CASES = [
    ("co", {"collector", "cost", "completion"}, {"demo"}),
    ("cost ", {"by", "compare", "what-if", "features"}, {"demo"}),
    ("cost by --j", {"--json"}, {"--csv"}),
    ("cost compare --measure ", {"cost", "billed", "duration"}, {"by"}),
    ("completion ", {"bash", "zsh", "fish"}, {"csh"}),
    ("run --init-type s", {"snap-start"}, {"on-demand"}),
    ("replay li", {"lines.jsonl"}, set()),
    ("cost by function --since 7d li", {"lines.jsonl"}, set()),
    ("view --file li", {"lines.jsonl"}, set()),
    ("layer build --output fold", {"folder"}, set()),
    ("layer build --output li", set(), {"lines.jsonl"}),
]

BASH = """
source ./script
COMP_WORDS=({words}) COMP_CWORD={last} COMP_LINE={line} COMP_POINT=${{#COMP_LINE}}
_shtab_logger_extension
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# A real line editor on a terminal of zsh's own: what it shows after two tabs.
ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'autoload -Uz compinit && compinit -D -u; eval "$(<script)"; echo REA''DY'
zpty -r z shown '*READY*'
zpty -w -n z $'logger-extension cost \\t\\t'
zpty -r z shown '*what-if*'
print -r -- "$shown"
zpty -d z
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file and a folder in it."""
    (tmp_path / "lines.jsonl").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


def run_shell(shell: str, program: str, folder: Path) -> str:
    """Return what a shell prints; `script` beside it completes for it."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (folder / "script").write_text(make_script(shell))
    plain = ["--norc"] if shell == "bash" else ["-f"] if shell == "zsh" else ["--no-config"]
    done = subprocess.run(
        [shell, *plain, "-c", program],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("typed", "offered", "hidden"), CASES)
def test_bash(folder: Path, typed: str, offered: set[str], hidden: set[str]) -> None:
    """Commands, options, choices, files and folders."""
    words = ["logger-extension", *typed.split(" ")]
    program = BASH.format(
        words=shlex.join(words), last=len(words) - 1, line=shlex.quote(" ".join(words))
    )
    found = set(run_shell("bash", program, folder).split())
    assert offered <= found
    assert not hidden & found


@pytest.mark.parametrize(("typed", "offered", "hidden"), CASES)
def test_fish(folder: Path, typed: str, offered: set[str], hidden: set[str]) -> None:
    """The same."""
    line = f"logger-extension {typed}"
    printed = run_shell("fish", f"source script; complete -C {shlex.quote(line)}", folder)
    found = {row.split("\t")[0].rstrip("/") for row in printed.splitlines()}
    assert offered <= found
    assert not hidden & found


def test_zsh(folder: Path) -> None:
    """The questions of `cost`, with what they are about."""
    shown = run_shell("zsh", ZSH, folder)
    assert all(name in shown for name in ("by", "compare", "features", "what-if"))
    assert "-- Which features cost most" in shown


def test_the_command_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else."""
    assert main(["completion", "bash"]) == 0
    captured = capsys.readouterr()
    assert captured.out == make_script("bash") + "\n"
    assert captured.err == ""
