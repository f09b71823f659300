"""Lines as the runtimes and loggers of the field print them.

Each shape is written down by hand from what its logger's documentation shows. Knows nothing of the
extension, so that a misreading there cannot hide here.
"""

import json
from typing import Any

REQUEST_ID = "b397bf4c-7424-4baa-b7e2-ab6e11d76a35"
TRACE_ID = "5f35ae120c0fec141ab77a00bc047aa2"
XRAY_ID = "1-5f35ae12-0c0fec141ab77a00bc047aa2"
SPAN_ID = "2be948a625588e32"
# When Lambda read the line: 2026-11-23T09:51:34.620Z.
NEAR_UNIX_NANO = 1_795_427_494_620_000_000
# What most of the lines below tell as their time: 370 ms before.
TIME_UNIX_NANO = 1_795_427_494_250_000_000

# By logger: the line; its severity number; its attributes.
JSON_SHAPES: dict[str, tuple[dict[str, Any], int, dict[str, Any]]] = {
    "lambda": (
        {
            "timestamp": "2026-11-23T09:51:34.250Z",
            "level": "INFO",
            "message": "paid",
            "logger": "shop",
            "requestId": REQUEST_ID,
        },
        9,
        {"logger": "shop"},
    ),
    "powertools": (
        {
            "level": "WARNING",
            "location": "handler:12",
            "message": "paid",
            "timestamp": "2026-11-23 09:51:34,250+0000",
            "service": "shop",
            "cold_start": True,
            "function_request_id": REQUEST_ID,
            "xray_trace_id": XRAY_ID,
        },
        13,
        {"location": "handler:12", "service": "shop", "cold_start": True},
    ),
    "structlog": (
        {"event": "paid", "level": "info", "timestamp": "2026-11-23T09:51:34.250Z", "sku": "A"},
        9,
        {"sku": "A"},
    ),
    "pino": (
        {"level": 40, "time": 1_795_427_494_250, "pid": 8, "hostname": "h", "msg": "paid"},
        13,
        {"pid": 8, "hostname": "h"},
    ),
    "winston": (
        {"level": "verbose", "message": "paid", "timestamp": "2026-11-23T09:51:34.250Z", "a": [1]},
        6,
        {"a": [1]},
    ),
    ".NET": (
        {
            "Timestamp": "2026-11-23T09:51:34.2500000Z",
            "EventId": 0,
            "LogLevel": "Information",
            "Category": "Shop",
            "Message": "paid",
            "TraceId": TRACE_ID,
            "SpanId": SPAN_ID,
        },
        9,
        {"EventId": 0, "Category": "Shop"},
    ),
    "Serilog": (
        {"@t": "2026-11-23T09:51:34.2500000Z", "@m": "paid", "@l": "Warning", "@tr": TRACE_ID},
        13,
        {},
    ),
    "Log4j": (
        {
            "instant": {"epochSecond": 1_795_427_494, "nanoOfSecond": 250_000_000},
            "thread": "main",
            "level": "ERROR",
            "loggerName": "shop",
            "message": "paid",
        },
        17,
        {"thread": "main", "loggerName": "shop"},
    ),
    "Log4j for Lambda": (
        {
            "timestamp": "2026-11-23T09:51:34.250Z",
            "level": "FATAL",
            "message": "paid",
            "AWSRequestId": REQUEST_ID,
        },
        21,
        {},
    ),
    "ECS": (
        {
            "@timestamp": "2026-11-23T09:51:34.250Z",
            "log.level": "DEBUG",
            "message": "paid",
            "trace.id": TRACE_ID,
            "span.id": SPAN_ID,
            "ecs.version": "1.2.0",
        },
        5,
        {"ecs.version": "1.2.0"},
    ),
    "zap": (
        {"level": "info", "ts": 1_795_427_494.25, "caller": "a.go:1", "msg": "paid"},
        9,
        {"caller": "a.go:1"},
    ),
}

# By logger: the line; type, message and trace of the exception that it tells of.
EXCEPTION_SHAPES: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "lambda": (
        {
            "level": "ERROR",
            "message": "failed",
            "errorType": "ValueError",
            "errorMessage": "boom",
            "stackTrace": ['  File "a.py", line 1, in b\n', "    raise ValueError\n"],
        },
        ("ValueError", "boom", '  File "a.py", line 1, in b\n    raise ValueError'),
    ),
    "lambda, as a message": (
        {"message": {"errorType": "E", "errorMessage": "boom", "stackTrace": ["E: boom", " at x"]}},
        ("E", "boom", "E: boom\n at x"),
    ),
    "powertools": (
        {
            "message": "failed",
            "exception": "Traceback (most recent call last):\n  File x\nValueError: boom",
            "exception_name": "ValueError",
        },
        ("ValueError", "boom", "Traceback (most recent call last):\n  File x\nValueError: boom"),
    ),
    "structlog": (
        {
            "event": "failed",
            "level": "error",
            "exception": [{"exc_type": "ValueError", "exc_value": "boom", "frames": []}],
        },
        ("ValueError", "boom", ""),
    ),
    "pino": (
        {"level": 50, "msg": "x", "err": {"type": "E", "message": "boom", "stack": "E: boom\n at"}},
        ("E", "boom", "E: boom\n at"),
    ),
    "winston": (
        {"level": "error", "message": "boom", "stack": "TypeError: boom\n    at f (a.js:1:2)"},
        ("TypeError", "boom", "TypeError: boom\n    at f (a.js:1:2)"),
    ),
    "Serilog": (
        {"@m": "failed", "@x": "System.Exception: boom\n   at A.B() in a.cs:line 1"},
        ("System.Exception", "boom", "System.Exception: boom\n   at A.B() in a.cs:line 1"),
    ),
    "Log4j": (
        {
            "message": "failed",
            "thrown": {"name": "java.io.IOException", "message": "boom", "extendedStackTrace": []},
        },
        ("java.io.IOException", "boom", ""),
    ),
    "ECS": (
        {
            "message": "failed",
            "error.type": "java.io.IOException",
            "error.message": "boom",
            "error.stack_trace": "java.io.IOException: boom\n\tat A.b(A.java:1)",
        },
        ("java.io.IOException", "boom", "java.io.IOException: boom\n\tat A.b(A.java:1)"),
    ),
}

_HEAD = f"2026-11-23T09:51:34.250Z\t{REQUEST_ID}"
LINES = [
    *(json.dumps(line) + "\n" for line, _, _ in JSON_SHAPES.values()),
    *(json.dumps(line) + "\n" for line, _ in EXCEPTION_SHAPES.values()),
    f"[INFO]\t{_HEAD}\tpaid\n",
    f"{_HEAD}\tINFO\tpaid\n",
    f'{_HEAD}\tERROR\tInvoke Error \t{{"errorType": "E", "errorMessage": "boom"}}\n',
    f'{_HEAD}\tINFO\t{{"message": "paid", "sku": "A"}}\n',
    "[ERROR] ValueError: boom\rTraceback (most recent call last):\r\xa0\xa0File x\n",
    "Traceback (most recent call last):\n  File x\nValueError: boom\n",
    "TypeError: boom\n    at f (a.js:1:2)\n",
    "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n",
    "a.rb:3:in 'pay': boom (ShopError)\n\tfrom a.rb:7:in '<main>'\n",
]
