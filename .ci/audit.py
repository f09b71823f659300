#!/usr/bin/env python3
"""Ask a database of known vulnerabilities about everything that is pinned.

    audit.py PIP_AUDIT CONSTRAINTS...

Ends with 0 when nothing is known, with 1 when something is or a package is not in the database, and
with 0 and a reason when the database cannot be reached: a build without a network is no finding.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

# One question a package; without an answer the first one ends it.
SOCKET_TIMEOUT_S = 5
TIMEOUT_S = 60

UNREACHABLE = re.compile(r"Could not connect|requests\.exceptions\.|ServiceError|ConnectionError")


class Unreachable(Exception):  # noqa: N818  (a state of the network, not an error of ours)
    """The database did not answer; the reason why."""


def main(arguments: Sequence[str]) -> int:
    """Audit each file, until the database cannot be reached; return the exit code."""
    command, *files = arguments
    try:
        return max(_audit(command, file) for file in files)
    except Unreachable as reason:
        sys.stdout.write(f"Vulnerabilities: skipped, the database cannot be reached: {reason}\n")
        return 0


def _audit(command: str, file: str) -> int:
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    options += ["--timeout", str(SOCKET_TIMEOUT_S), "--requirement", file]
    try:
        done = subprocess.run(  # noqa: S603  (our own tool)
            [command, *options], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"it did not answer within {TIMEOUT_S} s") from None
    if done.stdout.startswith("{"):
        return _judge(file, json.loads(done.stdout)["dependencies"])
    last_line = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if UNREACHABLE.search(done.stderr):
        raise Unreachable(last_line)
    return _fail([f"{file}: {last_line}"])


def _judge(file: str, dependencies: Sequence[Mapping[str, Any]]) -> int:
    unknown = [each["name"] for each in dependencies if "skip_reason" in each]
    if dependencies and len(unknown) == len(dependencies):
        raise Unreachable("it knows none of the packages")
    findings = [f"{file}: {name} is not in the database" for name in unknown]
    for each in dependencies:
        for found in each.get("vulns", ()):
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            package = f"{each['name']} {each['version']}"
            findings.append(f"{file}: {package}: {found['id']}, fixed in {fixed}")
    if findings or not dependencies:
        return _fail(findings or [f"{file}: nothing was audited"])
    sys.stdout.write(f"{file}: no known vulnerability in {len(dependencies)} packages\n")
    return 0


def _fail(lines: Sequence[str]) -> int:
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
