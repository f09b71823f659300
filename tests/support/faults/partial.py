"""A collector that takes a request in part."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

if TYPE_CHECKING:
    from tests.support.faults.answers import Exchange, Fault

LOGS_PATH = "/v1/logs"


def reject_last(count: int) -> Fault:
    """Take all log records but the last ones, and say so; other signals are passed on whole.

    https://opentelemetry.io/docs/specs/otlp/#partial-success-1
    """

    async def fault(exchange: Exchange) -> None:
        body = await exchange.read_body()
        if exchange.path != LOGS_PATH:
            await exchange.pass_on(body)
            return
        request = ExportLogsServiceRequest.FromString(gzip.decompress(body))
        rejected = sum(_drop_one(request) for _ in range(count))
        await exchange.ask_collector(gzip.compress(request.SerializeToString()))
        answer = ExportLogsServiceResponse()
        answer.partial_success.rejected_log_records = rejected
        answer.partial_success.error_message = "as asked"
        content_type = {"Content-Type": "application/x-protobuf"}
        await exchange.answer(200, answer.SerializeToString(), content_type)

    return fault


def _drop_one(request: ExportLogsServiceRequest) -> bool:
    """Take out the last record; return whether there was one."""
    scopes: list[Any] = [
        scope for resource in request.resource_logs for scope in resource.scope_logs
    ]
    for scope in reversed(scopes):
        if scope.log_records:
            del scope.log_records[-1]
            return True
    return False
