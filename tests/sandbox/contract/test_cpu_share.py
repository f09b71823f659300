"""The CPU share of a small function, where a control group may be written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_sandbox import Sandbox
from tests.support.sandbox_programs import SERVE_EXTENSION

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Workshop

BURNING = """
request_id, _, _ = next_invocation()
wall, cpu = time.monotonic(), time.process_time()
while time.monotonic() - wall < 0.6:
    pass
respond(request_id, json.dumps({"share": (time.process_time() - cpu) / 0.6}).encode())
next_invocation()
"""


def groups() -> list[Path]:
    """Control groups that this process has made."""
    return list(Path("/sys/fs/cgroup").glob(f"**/lambda-sandbox-{os.getpid()}-*"))


async def test_cpu_share(workshop: Workshop) -> None:
    """177 MB get a tenth of a CPU after init; where that cannot be done, the notes say so."""
    workshop.extension("a", SERVE_EXTENSION)
    workshop.runtime(BURNING)
    async with Sandbox(workshop.scenario(memory_size_mb=177, enforce_cpu=True)) as sandbox:
        enforced = bool(groups())
        result = await sandbox.invoke()
        assert result.status == "success"
        share = json.loads(result.payload)["share"]
    assert groups() == []
    if enforced:
        assert share < 0.4
        assert sandbox.notes == ()
    else:
        assert sandbox.notes[0].startswith("CPU share not enforced")
