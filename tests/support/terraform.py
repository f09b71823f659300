"""Terraform on a copy of a module, offline: where its provider is found, and its own test command.

The provider is the real one, mocked by Terraform itself: its schema counts, AWS is not asked. Must
not know what a module is for.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROVIDER = "registry.terraform.io/hashicorp/aws"

# Where Terraform itself looks for a mirror, and where images of CI have theirs.
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
MIRRORS = (
    Path.home() / ".terraform.d" / "plugins",
    Path.home() / ".local" / "share" / "terraform" / "plugins",
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
    *sorted(Path("/opt").glob("*")),
)


def find_mirror() -> Path | None:
    """Return a folder that holds AWS's provider, None where there is none."""
    return next((each for each in MIRRORS if (each / PROVIDER).is_dir()), None)


def explain_lack() -> str:
    """Return why nothing can run here, empty when it can."""
    if shutil.which("terraform") is None:
        return "needs the terraform command"
    if find_mirror() is None:
        return f"needs AWS's provider: terraform providers mirror {MIRRORS[0]}, in deploy/terraform"
    return ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What Terraform complains about.

    Attributes:
        file: where it is caused.
        message: summary and detail.
    """

    file: str
    message: str


def run(*arguments: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of Terraform, which writes below `home` only and reads no configuration."""
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TF_DATA_DIR": str(home / "data"),
            "CHECKPOINT_DISABLE": "1",
        },
        check=False,
        capture_output=True,
        text=True,
    )


class Module:
    """A root module within a folder that may be written to, made ready to run.

    Args:
        folder: of the module.
        home: for what Terraform itself keeps.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self._home = folder, home
        done = self.run("init", f"-plugin-dir={find_mirror()}", "-input=false")
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Terraform in the module."""
        return run(*arguments, folder=self.folder, home=self._home)

    def test(self, content: Mapping[str, Any]) -> tuple[bool, list[Diagnostic]]:
        """Return whether a test file with this content passes, and what it complains about."""
        (self.folder / "all.tftest.json").write_text(json.dumps(content))
        done = self.run("test", "-json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert any(event["type"] == "test_run" for event in events), done.stdout
        diagnostics = [event["diagnostic"] for event in events if event["type"] == "diagnostic"]
        return done.returncode == 0, [
            Diagnostic(
                each.get("range", {}).get("filename", ""), f"{each['summary']}: {each['detail']}"
            )
            for each in diagnostics
        ]


def escape(value: Any) -> Any:
    """Return a JSON value whose strings hold no expression.

    https://developer.hashicorp.com/terraform/language/syntax/json#expression-mapping
    """
    return json.loads(json.dumps(value).replace("${", "$${").replace("%{", "%%{"))


def assert_equal(expression: str, value: Any, name: str = "") -> dict[str, str]:
    """Return an assertion; its message begins with a name and tells what is there instead."""
    text = json.dumps(escape(json.dumps(value)))
    return {
        "condition": f"${{jsonencode({expression}) == jsonencode(jsondecode({text}))}}",
        "error_message": f"{name or expression}: got ${{jsonencode({expression})}}",
    }
