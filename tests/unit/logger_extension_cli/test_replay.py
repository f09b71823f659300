"""`replay` in the process: its sources, its collector, its rest file."""

import argparse
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from logger_extension.signals.otlp_lines import encode_lines
from logger_extension_cli.__main__ import main
from logger_extension_cli.errors import UsageError
from logger_extension_cli.fallback_lines import Unreadable
from logger_extension_cli.replay import find_sources, open_rest, read_targets
from logger_extension_cli.replay_summary import Summary, show_summary
from logger_extension_cli.resending import Counts
from tests.support.export_targets import make_request

BODY = make_request("logs", "hello").SerializeToString()


def make_arguments(**fields: Any) -> argparse.Namespace:
    """Return arguments that say nothing of the collector."""
    return argparse.Namespace(**{"endpoint": None, "header": [], "protocol": None} | fields)


def test_sources_in_order(tmp_path: Path) -> None:
    """Files as they are named; of a directory its own files, sorted."""
    for name in ("2.jsonl", "1.jsonl", ".1.jsonl.part", "other"):
        (tmp_path / name).touch()
    other = str(tmp_path / "other")
    assert find_sources([other, "-", str(tmp_path)]) == [
        *(other, "-"),
        *(str(tmp_path / "1.jsonl"), str(tmp_path / "2.jsonl")),
    ]


def test_a_pipe_is_a_source(tmp_path: Path) -> None:
    """Such as a shell makes of `<(aws logs …)`."""
    os.mkfifo(tmp_path / "pipe")
    assert find_sources([str(tmp_path / "pipe")]) == [str(tmp_path / "pipe")]


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    """Told before anything is sent."""
    with pytest.raises(UsageError, match="no file"):
        find_sources([str(tmp_path / "nowhere")])
    with pytest.raises(UsageError, match=r"no \.jsonl files"):
        find_sources([str(tmp_path)])


def test_a_source_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot read"):
        find_sources([str(tmp_path / "file")])


def test_the_collector_of_the_environment() -> None:
    """By OpenTelemetry's own rules."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/own",
        "OTEL_METRICS_EXPORTER": "none",
    }
    targets = read_targets(make_arguments(), environ)
    assert {signal: target.url for signal, target in targets.items()} == {
        "logs": "http://collector:4318/v1/logs",
        "traces": "http://traces/own",
    }


def test_arguments_win_over_the_environment() -> None:
    """For all signals."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/own",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x=y",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    arguments = make_arguments(
        endpoint="http://other:1", header=["api-key=a, b%=", "n=m"], protocol="http/json"
    )
    for signal, target in read_targets(arguments, environ).items():
        assert target.url == f"http://other:1/v1/{signal}"
        assert target.headers == {"api-key": "a, b%=", "n": "m"}
        assert target.protocol == "http/json"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "no collector"),
        ({"endpoint": "collector:4318"}, "http://"),
        ({"endpoint": "http://c", "header": ["secret"]}, "NAME=VALUE"),
        ({"endpoint": "http://c", "header": ["a b=c"]}, "HTTP header"),
    ],
)
def test_no_usable_collector(fields: dict[str, Any], words: str) -> None:
    """Told, without the value of a header."""
    with pytest.raises(UsageError, match=words) as caught:
        read_targets(make_arguments(**fields), {})
    assert "secret" not in str(caught.value)


def test_bad_values_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As the extension tells them."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}
    assert len(read_targets(make_arguments(), environ)) == 3
    assert "OTEL_EXPORTER_OTLP_TIMEOUT" in capsys.readouterr().err


def test_the_rest_file(tmp_path: Path) -> None:
    """New, for its owner alone, lines as a fallback writes them; none where nothing is left."""
    path = tmp_path / "rest"
    with open_rest(path):
        pass
    assert not path.exists()
    with open_rest(path) as keep:
        keep("logs", BODY)
    (line,) = encode_lines("logs", BODY)
    assert path.read_bytes() == line.text + b"\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="cannot make"), open_rest(path):
        pass


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest file may not be the source."""
    source = tmp_path / "lines"
    source.write_text("hello\n")
    assert main(["replay", str(source), "--endpoint", "http://c", "--rest", str(source)]) == 2
    assert source.read_text() == "hello\n"
    assert capsys.readouterr().err.count("\n") == 1


def test_a_certificate_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of the call, told in one line."""
    (tmp_path / "lines").touch()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "nowhere"))
    assert main(["replay", str(tmp_path / "lines"), "--endpoint", "https://c"]) == 2
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in capsys.readouterr().err


def make_summary() -> Summary:
    """Return the summary of a run in which something was left."""
    counts = Counts()
    counts.found.update(logs=1_300, traces=1)
    counts.delivered.update(logs=1_200)
    counts.undelivered.update(logs=100, traces=1)
    summary = Summary(counts, is_dry=False)
    summary.lines.update(logs=3, traces=1)
    for number in range(7):
        summary.note_line(f"file, line {number}", [Unreadable()])
    summary.note_line("file, line 7", [])
    return summary


def test_summary_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned plain text that a script can cut."""
    show_summary(make_summary())
    head, logs, traces, others, unreadable = capsys.readouterr().out.splitlines()
    assert head.split() == ["signal", "lines", "found", "delivered", "rejected", "undelivered"]
    assert logs.split() == ["logs", "3", "1,300", "1,200", "0", "100"]
    assert traces.split() == ["traces", "1", "1", "0", "0", "1"]
    assert others == "1 other lines were skipped."
    assert unreadable.startswith("7 requests are cut or broken")
    assert unreadable.endswith(
        "file, line 0; file, line 1; file, line 2; file, line 3; file, line 4, …"
    )


@pytest.mark.parametrize("has_rich", [True, False])
def test_summary_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, has_rich: bool
) -> None:
    """A table where rich is installed; no colour where NO_COLOR asks for none."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    if not has_rich:
        monkeypatch.setattr("logger_extension_cli.terminal.find_spec", lambda _: None)
    show_summary(make_summary())
    text = capsys.readouterr().out
    assert ("┃" in text) == has_rich
    assert "1,200" in text
    assert "\x1b[3" not in text


def test_summary_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It says so."""
    show_summary(Summary(Counts(), is_dry=True))
    assert "There is no telemetry in what was read." in capsys.readouterr().out
