"""Telemetry API batches, written by hand, against the OTLP that they must become.

One folder of `golden/` a story: the bodies that Lambda posts, by number, what is exported as text
(`logs.txtpb`, `traces.txtpb`), and the counts of what was lost (`lost.json`). The bodies' shapes
are those of https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
"""

import json
from pathlib import Path

import pytest
from google.protobuf import text_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from logger_extension import __version__
from tests.support.extension import Extension

GOLDEN = Path(__file__).parent / "golden"
STORIES = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())


async def _tell(story: str) -> Extension:
    """Post the bodies of a story and export once, as after a last flush."""
    extension = Extension(is_concurrent=story == "managed_instances")
    for body in sorted((GOLDEN / story).glob("[0-9]*.json")):
        extension.pipeline.accept(body.read_bytes())
    await extension.flush()
    return extension


def _to_text(message: Message) -> str:
    text = text_format.MessageToString(message, as_utf8=True)
    return text.replace(f'version: "{__version__}"', 'version: "(ours)"')


@pytest.mark.parametrize("story", STORIES)
async def test_logs(story: str) -> None:
    """Every line with its severity, body, attributes and ids."""
    (body,) = (await _tell(story)).logs.bodies
    request = ExportLogsServiceRequest.FromString(body)
    assert _to_text(request) == (GOLDEN / story / "logs.txtpb").read_text()


@pytest.mark.parametrize("story", STORIES)
async def test_traces(story: str) -> None:
    """Every invocation with its times, status and children."""
    (body,) = (await _tell(story)).traces.bodies
    request = ExportTraceServiceRequest.FromString(body)
    assert _to_text(request) == (GOLDEN / story / "traces.txtpb").read_text()


@pytest.mark.parametrize("story", STORIES)
async def test_lost(story: str) -> None:
    """What was lost on the way, which Lambda itself tells of."""
    extension = await _tell(story)
    expected = json.loads((GOLDEN / story / "lost.json").read_text())
    assert extension.pipeline.count_lost() == expected
