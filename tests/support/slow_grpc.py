"""A collector on gRPC's own server that takes logs at once and answers late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


@dataclass
class SlowGrpc(grpc.GenericRpcHandler):
    """Takes all signals.

    Attributes:
        answer_s: how long each answer takes.
        lines: the bodies of the log records, in order.
        endpoint: where it listens.
    """

    answer_s: float
    lines: list[str] = field(default_factory=list)
    endpoint: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve on a free port."""
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((self,))
        self.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            yield
        finally:
            await server.stop(None)

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of a call."""
        is_logs = handler_call_details.method == LOGS

        async def answer(body: bytes, _context: Any) -> bytes:
            if is_logs:
                request = ExportLogsServiceRequest.FromString(body)
                self.lines += [
                    record.body.string_value
                    for resource in request.resource_logs
                    for scope in resource.scope_logs
                    for record in scope.log_records
                ]
            await asyncio.sleep(self.answer_s)
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)
