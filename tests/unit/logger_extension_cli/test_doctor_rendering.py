"""How the doctor's report looks, for people and for programs."""

import json

import pytest

from logger_extension_cli.doctor.masking import Masking
from logger_extension_cli.doctor.rendering import print_report
from logger_extension_cli.doctor.report import Check, Plan, Report, Setting, Status

MASKING = Masking({"OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2-hunter2"})
REPORT = Report(
    origin="a test",
    settings=[
        Setting(name="A", value="1", origin="set", meaning="First.", is_set=True),
        Setting(name="B", value="2", origin="default", meaning="Second.", is_set=False),
    ],
    plans=[Plan(name="logs", text="to hunter2-hunter2")],
    checks=[
        Check(name="x", status=Status.OK, text="fine\x1b[31m"),
        Check(name="y", status=Status.WARNING, text="hm", advice="do this"),
        Check(name="z", status=Status.SKIPPED, text="hunter2-hunter2"),
    ],
)


def show(
    capsys: pytest.CaptureFixture[str], *, is_json: bool = False, shows_all: bool = False
) -> str:
    """Return what is printed of the report."""
    print_report(REPORT, MASKING, is_json=is_json, is_strict=True, shows_all=shows_all)
    return capsys.readouterr().out


def test_plain_text_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each finding, without colours or characters that a terminal obeys."""
    text = show(capsys)
    assert "\x1b" not in text
    assert "  warning      y: hm\n" in text
    assert "-> do this\n" in text
    assert "0 failed, 1 warnings, 1 not checked\n" in text


def test_settings_at_their_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    """Only where they are asked for."""
    assert "B = 2" not in show(capsys)
    assert "B = 2" in show(capsys, shows_all=True)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, with the exit code that the command has."""
    report = json.loads(show(capsys, is_json=True))
    assert report["exit_code"] == 1
    assert [each["name"] for each in report["settings"]] == ["A", "B"]
    assert report["checks"][1] == {
        "name": "y",
        "status": "warning",
        "text": "hm",
        "advice": "do this",
    }


@pytest.mark.parametrize("is_json", [False, True])
def test_a_secret_that_has_come_into_a_sentence(
    capsys: pytest.CaptureFixture[str], *, is_json: bool
) -> None:
    """Is masked at the last moment."""
    text = show(capsys, is_json=is_json)
    assert "hunter2" not in text
    assert "***" in text


def test_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours where there is one, unless NO_COLOR is set."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33m" in show(capsys)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[33m" not in show(capsys)
