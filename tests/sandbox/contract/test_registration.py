"""Contract tests of starting and registering extensions: T1 to T7, T40 to T42."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from lambda_sandbox import Sandbox
from tests.support.sandbox_programs import SERVE_EXTENSION, said

if TYPE_CHECKING:
    from tests.sandbox.contract.conftest import Workshop


async def test_runtime_starts_after_all_extensions_registered(workshop: Workshop) -> None:
    """T1: the runtime process starts only after both extensions have registered."""
    workshop.extension("a", SERVE_EXTENSION)
    workshop.extension("b", f"time.sleep(0.15)\n{SERVE_EXTENSION}")
    async with Sandbox(workshop.scenario()) as sandbox:
        order = [
            (entry.actor, entry.event)
            for entry in sandbox.transcript
            if entry.event in ("exec", "register")
        ]
    assert order[:2] == [("extension:a", "exec"), ("extension:b", "exec")]
    assert order[2:] == [
        ("extension:a", "register"),
        ("extension:b", "register"),
        ("runtime", "exec"),
    ]


async def test_folder_is_ignored(workshop: Workshop) -> None:
    """T2: a directory in the extensions folder is no extension."""
    extension = workshop.extension("a", SERVE_EXTENSION)
    (extension.parent / "folder").mkdir()
    async with Sandbox(workshop.scenario()) as sandbox:
        assert list(sandbox.extension_pids) == ["a"]
        assert (await sandbox.invoke()).status == "success"


async def test_file_that_cannot_be_executed_fails_init(workshop: Workshop) -> None:
    """T2: a non-executable file fails init with Extension.LaunchError."""
    workshop.extension("a", SERVE_EXTENSION).chmod(0o644)
    async with Sandbox(workshop.scenario()) as sandbox:
        assert sandbox.transcript.select("init.end", phase="init", status="error")
        result = await sandbox.invoke()
    assert (result.status, result.error_type) == ("error", "Extension.LaunchError")
    assert not sandbox.transcript.select("exec", actor="runtime")


async def test_dangling_link_fails_init(workshop: Workshop) -> None:
    """T2: a link to nothing fails init with Extension.LaunchError."""
    folder = workshop.extension("a", SERVE_EXTENSION).parent
    (folder / "b").symlink_to(folder / "nothing")
    async with Sandbox(workshop.scenario()) as sandbox:
        result = await sandbox.invoke()
    assert result.error_type == "Extension.LaunchError"


async def test_eleventh_extension_fails_init(workshop: Workshop) -> None:
    """T3: an 11th extension file fails init, ten are fine."""
    for number in range(11):
        workshop.extension(f"e{number:02}", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario()) as sandbox:
        assert sandbox.transcript.select("init.end", status="error")
        assert len(sandbox.transcript.select("exec")) == 10
        (workshop.root / "opt/extensions/e10").unlink()
        assert (await sandbox.invoke()).status == "success"


async def test_name_that_is_no_file_is_an_internal_extension(workshop: Workshop) -> None:
    """T4: SHUTDOWN is refused to a name that is no file, and the file is still waited for."""
    workshop.extension("a", "register(name='A')\ntime.sleep(0.1)\nregister()\nserve()")
    async with Sandbox(workshop.scenario()) as sandbox:
        refused, external = said(sandbox, "a", "registered")
        registered = sandbox.transcript.select("register", actor="extension:a")
        started = sandbox.transcript.select("exec", actor="runtime")
    assert refused["status"] == 403
    assert refused["registered"] == {
        "errorMessage": "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        "errorType": "Extension.InvalidEventType",
    }
    assert external["status"] == 200
    assert registered[0].time_ms <= started[0].time_ms


async def test_register_twice(workshop: Workshop) -> None:
    """T5: a second register is 403 InvalidExtensionState, one after init is RegistrationClosed."""
    workshop.extension(
        "a",
        "register()\nkept = dict(identity)\nregister()\nidentity.update(kept)\n"
        "next_event()\nregister(name='late')\nregister()\nidentity.update(kept)\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        await sandbox.invoke()
        await sandbox.wait_idle()
        _, again, late, known = said(sandbox, "a", "registered")
    assert again["status"] == late["status"] == known["status"] == 403
    assert again["registered"] == {
        "errorMessage": "State transition from Registered to Registered failed for extension a. "
        "Error: State transition is not allowed",
        "errorType": "Extension.InvalidExtensionState",
    }
    assert late["registered"] == {
        "errorMessage": "Extension registration closed already",
        "errorType": "Extension.RegistrationClosed",
    }
    assert known["registered"]["errorType"] == "Extension.InvalidExtensionState"
    assert known["registered"]["errorMessage"].startswith(
        "State transition from Running to Registered failed"
    )


async def test_register_answer(workshop: Workshop) -> None:
    """T6: register answers identifier and function; accountId only with the accept-feature."""
    workshop.extension("a", SERVE_EXTENSION)
    workshop.extension("b", "register(**{'Lambda-Extension-Accept-Feature': 'accountId'})\nserve()")
    async with Sandbox(workshop.scenario(function_name="f", handler="x.y")) as sandbox:
        plain, with_account = said(sandbox, "a", "registered") + said(sandbox, "b", "registered")
    function = {"functionName": "f", "functionVersion": "$LATEST", "handler": "x.y"}
    assert plain["registered"] == function
    assert with_account["registered"] == function | {"accountId": "123456789012"}
    assert uuid.UUID(plain["identifier"]) != uuid.UUID(with_account["identifier"])


IDENTIFIER_PROBE = """
def ask(method, path, headers):
    status, _, content = request(method, path, b"{}", headers)
    say(asked=path, status=status, error=json.loads(content)["errorType"])

unknown = "00000000-0000-4000-8000-000000000000"
for headers in ({}, {IDENTIFIER: "x"}, {IDENTIFIER: unknown}):
    ask("GET", "/2020-01-01/extension/event/next", headers)
    for kind in ("init", "exit"):
        ask("POST", f"/2020-01-01/extension/{kind}/error",
            {**headers, "Lambda-Extension-Function-Error-Type": "Extension.X"})
register()
ask("POST", "/2020-01-01/extension/init/error", identity)
serve()
"""


async def test_identifier_is_checked(workshop: Workshop) -> None:
    """T7: a missing, malformed or unknown identifier is 403 with three different types."""
    workshop.extension("a", IDENTIFIER_PROBE)
    async with Sandbox(workshop.scenario()) as sandbox:
        asked = said(sandbox, "a", "asked")
    assert {answer["status"] for answer in asked} == {403}
    assert [answer["error"] for answer in asked] == [
        *["Extension.MissingExtensionIdentifier"] * 3,
        *["Extension.InvalidExtensionIdentifier"] * 3,
        *["Extension.UnknownExtensionIdentifier"] * 3,
        "Extension.MissingHeader",
    ]


@pytest.mark.parametrize(
    ("name", "body", "error_type"),
    [
        ("", '{"events":[]}', "Extension.InvalidExtensionName"),
        ("a", '{"events":["FOO"]}', "Extension.InvalidEventType"),
        ("a", "", "InvalidRequestFormat"),
        ("a", '{"configurationKeys":["k"]}', "InvalidRequestFormat"),
    ],
)
async def test_bad_registration(workshop: Workshop, name: str, body: str, error_type: str) -> None:
    """A malformed registration is 403 with its own type, and a good one is possible after it."""
    workshop.extension(
        "a",
        f"status, _, content = request('POST', '/2020-01-01/extension/register', {body!r}.encode(),"
        f" {{'Lambda-Extension-Name': {name!r}}})\n"
        "say(refused=json.loads(content)['errorType'], status=status)\nregister()\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        (refusal,) = said(sandbox, "a", "refused")
    assert (refusal["status"], refusal["refused"]) == (403, error_type)


async def test_extension_environment(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """T40: no function-only variable and nothing of the machine; the customer's are there."""
    monkeypatch.setenv("SECRET_OF_THE_MACHINE", "1")
    workshop.environment |= {"OTEL_SERVICE_NAME": "shop", "_PRIVATE": "1"}
    workshop.extension("a", "say(environment=dict(os.environ))\nregister()\nserve()")
    async with Sandbox(workshop.scenario(memory_size_mb=512)) as sandbox:
        address = sandbox.api_address
        environment = said(sandbox, "a", "environment")[0]["environment"]
        result = await sandbox.invoke()
    assert result.status == "success"
    assert not {name for name in environment if name.startswith("_")}
    assert not environment.keys() & {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_XRAY_CONTEXT_MISSING",
        "AWS_XRAY_DAEMON_ADDRESS",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "SECRET_OF_THE_MACHINE",
    }
    assert environment["OTEL_SERVICE_NAME"] == "shop"
    assert environment["AWS_LAMBDA_RUNTIME_API"] == address
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"


async def test_runtime_environment(workshop: Workshop) -> None:
    """T40, the other side: the runtime has the handler, the task root and the log stream."""
    workshop.environment["CUSTOMER"] = "1"
    workshop.runtime("say(environment=dict(os.environ), cwd=os.getcwd())\nnext_invocation()")
    async with Sandbox(workshop.scenario(handler="x.y")) as sandbox:
        (told,) = said(sandbox, "runtime", "environment")
    environment = told["environment"]
    assert environment["_HANDLER"] == "x.y"
    assert environment["LAMBDA_TASK_ROOT"] == told["cwd"]
    assert environment["CUSTOMER"] == "1"
    assert "[$LATEST]" in environment["AWS_LAMBDA_LOG_STREAM_NAME"]


async def test_other_api_address(workshop: Workshop) -> None:
    """T41: the APIs may live on another address than 127.0.0.1."""
    workshop.extension("a", SERVE_EXTENSION)
    async with Sandbox(workshop.scenario(api_host="127.0.0.2")) as sandbox:
        assert sandbox.api_address.startswith("127.0.0.2:")
        assert (await sandbox.invoke()).status == "success"
    assert sandbox.transcript.select("event", actor="extension:a", type="INVOKE")


async def test_extensions_disabled_by_file(workshop: Workshop) -> None:
    """T42: with the magic file no extension is started and its routes are 404."""
    workshop.extension("a", SERVE_EXTENSION)
    (workshop.root / "opt" / "disable-extensions-jwigqn8j").touch()
    workshop.runtime(
        "status, _, content = request('POST', '/2020-01-01/extension/register', b'{}',"
        " {'Lambda-Extension-Name': 'x'})\nsay(status=status, content=content.decode())\n"
        "next_invocation()"
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        assert sandbox.extension_pids == {}
        (told,) = said(sandbox, "runtime", "status")
    assert (told["status"], told["content"]) == (404, "404 page not found\n")


async def test_ping_and_wrong_method(workshop: Workshop) -> None:
    """Ping answers pong; a wrong method is 405 with an empty body."""
    workshop.extension(
        "a",
        "pong = request('GET', '/2018-06-01/ping')\nwrong = request('DELETE', '/2018-06-01/ping')\n"
        "say(pong=[pong[0], pong[2].decode()], wrong=[wrong[0], wrong[2].decode()])\n"
        "register()\nserve()",
    )
    async with Sandbox(workshop.scenario()) as sandbox:
        (told,) = said(sandbox, "a", "pong")
    assert told["pong"] == [200, "pong"]
    assert told["wrong"] == [405, ""]
