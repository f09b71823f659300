"""What a user may ask of logs, on the running whole."""

import json
from pathlib import Path

from tests.support.whole import run_whole


async def test_rules_for_lines(tmp_path: Path) -> None:
    """Severity, include and exclude decide; what has no severity is not taken for unimportant."""
    environ = {
        "LOGGER_EXTENSION_LOG_MIN_SEVERITY": "warn",
        "LOGGER_EXTENSION_LOG_EXCLUDE": "healthcheck",
    }
    lines = [
        json.dumps({"level": "INFO", "message": "chatter"}),
        json.dumps({"level": "ERROR", "message": "no stock"}),
        "GET /healthcheck",
        "plain",
    ]
    async with run_whole(tmp_path, environ=environ) as whole:
        await whole.sandbox.invoke(json.dumps({"lines": lines}).encode())
        await whole.sandbox.shutdown()
        assert whole.bodies() == ["no stock", "plain"]
        assert whole.stderr == []


async def test_sampling_keeps_what_is_worth_it(tmp_path: Path) -> None:
    """With a share of 0 only cold, failed and slow invocations have their lines."""
    environ = {
        "LOGGER_EXTENSION_LOG_SAMPLE_RATIO": "0",
        "LOGGER_EXTENSION_LOG_SAMPLE_SLOW_MS": "200",
    }
    async with run_whole(tmp_path, environ=environ) as whole:
        for name, more in (
            ("cold", {}),
            ("ordinary", {}),
            ("slow", {"sleep_s": 0.25}),
            ("failed", {"error": "boom"}),
        ):
            await whole.sandbox.invoke(json.dumps({"lines": [name], **more}).encode())
        await whole.sandbox.shutdown()
        kept = [str(body) for body in whole.bodies()]
        assert kept[:2] == ["cold", "slow"]
        assert "failed" in kept
        assert "ordinary" not in kept


async def test_redaction_before_anything_leaves(tmp_path: Path) -> None:
    """Named patterns and an own one, in text and in fields."""
    environ = {
        "LOGGER_EXTENSION_LOG_REDACT": "email,aws_key",
        "LOGGER_EXTENSION_LOG_REDACT_PATTERN": "order-[0-9]{4}",
    }
    lines = [
        "mail ada@example.org about order-1234",
        json.dumps({"message": "key", "detail": {"id": "AKIAIOSFODNN7EXAMPLE"}}),
    ]
    async with run_whole(tmp_path, environ=environ) as whole:
        await whole.sandbox.invoke(json.dumps({"lines": lines}).encode())
        await whole.sandbox.shutdown()
        told = json.dumps([[row.body, dict(row.attributes)] for row in whole.logs()])
        assert "REDACTED" in told
        for secret in ("ada@example.org", "order-1234", "AKIAIOSFODNN7EXAMPLE"):
            assert secret not in told


async def test_a_redaction_that_cannot_be_used_sends_nothing(tmp_path: Path) -> None:
    """What would not be redacted does not leave; one line says why."""
    environ = {"LOGGER_EXTENSION_LOG_REDACT_PATTERN": "(a+)+$"}
    async with run_whole(tmp_path, environ=environ) as whole:
        assert (await whole.sandbox.invoke(b'{"lines": ["aaa"]}')).status == "success"
        await whole.sandbox.shutdown()
        assert whole.logs() == []
        assert "LOGGER_EXTENSION_LOG_REDACT_PATTERN" in json.loads(whole.stderr[0])["reason"]


async def test_platform_events_as_lines_when_asked(tmp_path: Path) -> None:
    """START, END and REPORT with the ids of their own invocation."""
    environ = {"LOGGER_EXTENSION_PLATFORM_LOGS": "true"}
    async with run_whole(tmp_path, environ=environ) as whole:
        results = [await whole.sandbox.invoke(b'{"lines": ["hello"]}') for _ in range(2)]
        await whole.sandbox.shutdown()
        for result in results:
            own = [
                str(row.body).split(" ")[0]
                for row in whole.logs()
                if row.attributes.get("faas.invocation_id") == result.request_id
            ]
            assert own == ["START", "hello", "END", "REPORT"]
