"""AWS's own runtime client for Python, awslambdaric, inside the sandbox."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from lambda_sandbox import InitType, Sandbox
from tests.support.sandbox_programs import SERVE_EXTENSION

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Intake, Workshop

HANDLER = """
import json, os, time
print("importing")
def handler(event, context):
    print(json.dumps({"seen": event, "remaining": context.get_remaining_time_in_millis()}))
    if "raise" in event:
        raise ValueError(event["raise"])
    time.sleep(event.get("sleep_s", 0))
    return {"pid": os.getpid(), "arn": context.invoked_function_arn}
"""


def write_handler(workshop: Workshop, source: str = HANDLER) -> None:
    """Put a Python handler in the place of the bootstrap file."""
    (workshop.root / "task" / "bootstrap").unlink()
    (workshop.root / "task" / "app.py").write_text(source)


async def test_handler(workshop: Workshop, intake: Intake) -> None:
    """A handler of the task root runs, prints, raises and times out as in Lambda."""
    write_handler(workshop)
    workshop.extension("a", "register()\nsubscribe()\nserve()")
    async with Sandbox(workshop.scenario(timeout_ms=1_000)) as sandbox:
        good = await sandbox.invoke(b'{"x": 1}')
        bad = await sandbox.invoke(b'{"raise": "no"}')
        slow = await sandbox.invoke(b'{"sleep_s": 9}')
        again = await sandbox.invoke()
        await sandbox.shutdown()
    assert json.loads(good.payload)["arn"].endswith(":function:sandbox-function")
    assert (bad.status, bad.error_type) == ("error", "ValueError")
    assert json.loads(bad.payload)["errorMessage"] == "no"
    assert (slow.status, again.status) == ("timeout", "success")
    assert intake.records("function")[0] == "importing\n"
    statuses = [record["status"] for record in intake.records("platform.report")]
    assert statuses == ["success", "success", "timeout", "success"]
    assert intake.records("platform.report")[0]["metrics"]["maxMemoryUsedMB"] > 5


async def test_handler_that_cannot_be_imported(workshop: Workshop) -> None:
    """An import error is the answer of the first invocation, as the runtime reported it."""
    write_handler(workshop, "import nothing_of_that_name\n")
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
    assert (result.status, result.error_type) == ("error", "Runtime.ImportModuleError")
    assert "nothing_of_that_name" in json.loads(result.payload)["errorMessage"]


async def test_json_log_format(workshop: Workshop, intake: Intake) -> None:
    """In JSON format a logged line is an object with Lambda's own fields."""
    write_handler(
        workshop,
        "import logging\ndef handler(event, context):\n    logging.getLogger().warning('low')\n",
    )
    workshop.extension("a", "register()\nsubscribe(types=['function'])\nserve()")
    async with Sandbox(workshop.scenario(log_format="JSON")) as sandbox:
        result = await sandbox.invoke()
        await sandbox.shutdown()
    (record,) = intake.records("function")
    assert record["message"] == "low"
    assert record["level"] == "WARNING"
    assert record["requestId"] == result.request_id


async def test_managed_instances_workers(workshop: Workshop) -> None:
    """On Managed Instances awslambdaric forks one worker for each parallel invocation."""
    write_handler(workshop)
    scenario = workshop.scenario(init_type=InitType.MANAGED_INSTANCES, max_concurrency=3)
    async with Sandbox(scenario) as sandbox:
        await sandbox.transcript.wait_for("next", actor="runtime", count=3)
        results = await asyncio.gather(*(sandbox.invoke(b'{"sleep_s": 0.2}') for _ in range(3)))
    assert len({json.loads(result.payload)["pid"] for result in results}) == 3


async def test_snap_start_hooks(workshop: Workshop) -> None:
    """With SnapStart the runtime's after-restore hook runs when the first invocation comes."""
    write_handler(
        workshop,
        "import snapshot_restore_py\n"
        "snapshot_restore_py.register_before_snapshot(print, 'before the snapshot')\n"
        "snapshot_restore_py.register_after_restore(print, 'after the restore')\n"
        "def handler(event, context):\n    print('handler')\n",
    )
    async with Sandbox(workshop.scenario(init_type=InitType.SNAP_START)) as sandbox:
        assert sandbox.output.text("runtime") == "before the snapshot"
        assert (await sandbox.invoke()).status == "success"
        await sandbox.wait_idle()
        assert sandbox.output.text("runtime") == "before the snapshot\nafter the restore\nhandler"
