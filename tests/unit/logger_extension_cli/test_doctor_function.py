"""Where the doctor's settings may come from."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from logger_extension_cli.doctor.function import read_function
from logger_extension_cli.errors import UsageError

CONFIGURATION = {
    "FunctionName": "shop",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:shop",
    "Runtime": "nodejs22.x",
    "MemorySize": 1024,
    "Version": "7",
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 2048},
    "Environment": {"Variables": {"A": "of the function", "AWS_REGION": "nowhere"}},
}


def make_arguments(**fields: Any) -> argparse.Namespace:
    """Return arguments that name nothing."""
    return argparse.Namespace(**{"function_config": None, "env_file": None, "env": []} | fields)


def write(folder: Path, content: object) -> Path:
    """Return a file with a function's configuration."""
    path = folder / "configuration.json"
    path.write_text(json.dumps(content))
    return path


def test_this_environment() -> None:
    """Unless a file is named; --env adds to it."""
    function = read_function(make_arguments(env=["A=1", "B=x=y"]), {"A": "0", "C": "2"})
    assert function.environ == {"A": "1", "B": "x=y", "C": "2"}
    assert function.origin == "this environment, --env"


def test_a_function_of_aws(tmp_path: Path) -> None:
    """Its variables, what Lambda would set, and of this environment only AWS credentials."""
    path = write(tmp_path, CONFIGURATION)
    environ = {"A": "of the shell", "AWS_ACCESS_KEY_ID": "id", "AWS_REGION": "us-east-1"}
    function = read_function(make_arguments(function_config=path), environ)
    assert function.environ == {
        "A": "of the function",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_REGION": "eu-west-1",
    }
    assert (function.machine, function.ephemeral_mb) == ("arm64", 2048)


def test_what_get_function_prints(tmp_path: Path) -> None:
    """The configuration stands one level deeper; SnapStart is known."""
    snap = {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}}
    path = write(tmp_path, {"Configuration": CONFIGURATION | snap, "Code": {}})
    environ = read_function(make_arguments(function_config=path), {}).environ
    assert environ["AWS_LAMBDA_FUNCTION_NAME"] == "shop"
    assert environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is read where - is named."""
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"FunctionName": "piped"})))
    function = read_function(make_arguments(function_config=Path("-")), {})
    assert function.environ == {"AWS_LAMBDA_FUNCTION_NAME": "piped"}
    assert function.origin == "stdin"


def test_order(tmp_path: Path) -> None:
    """An --env-file wins over the configuration, --env over both; comments do not count."""
    path = write(tmp_path, CONFIGURATION)
    file = tmp_path / "variables"
    file.write_text("# comment\n\nA=of the file\nB=of the file\n  # another\n")
    arguments = make_arguments(function_config=path, env_file=file, env=["B=of the argument"])
    environ = read_function(arguments, {}).environ
    assert (environ["A"], environ["B"]) == ("of the file", "of the argument")


@pytest.mark.parametrize("content", [[], {"Environment": {}}, "text", None])
def test_other_json(tmp_path: Path, content: object) -> None:
    """Is told to be something else."""
    path = write(tmp_path, content)
    with pytest.raises(UsageError, match="get-function-configuration"):
        read_function(make_arguments(function_config=path), {})


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"Environment": []}, "Environment"),
        ({"Environment": {"Variables": ["A=hunter2"]}}, "Variables"),
        ({"Environment": {"Variables": "hunter2"}}, "Variables"),
        ({"SnapStart": "On"}, "SnapStart"),
        ({"EphemeralStorage": 512}, "EphemeralStorage"),
        ({"EphemeralStorage": {"Size": "512"}}, "Size"),
        ({"Architectures": "arm64"}, "Architectures"),
        ({"MemorySize": "1024"}, "MemorySize"),
        ({"FunctionArn": 7}, "FunctionArn"),
        ({"FunctionName": None}, "FunctionName"),
    ],
)
def test_parts_of_another_kind(tmp_path: Path, part: dict[str, Any], named: str) -> None:
    """Are named, without what they hold."""
    path = write(tmp_path, CONFIGURATION | part)
    with pytest.raises(UsageError, match=named) as found:
        read_function(make_arguments(function_config=path), {})
    assert "hunter2" not in str(found.value)


@pytest.mark.parametrize(
    ("part", "known"),
    [
        ({}, False),
        ({"Layers": []}, False),
        ({"Layers": [{"Arn": "arn:aws:lambda:eu-west-1:123456789012:layer:a:1"}]}, True),
        ({"PackageType": "Zip"}, False),
        ({"PackageType": "Image"}, None),
    ],
)
def test_layers(tmp_path: Path, part: dict[str, Any], known: bool | None) -> None:  # noqa: FBT001
    """AWS names them only where there are some; images have none."""
    path = write(tmp_path, CONFIGURATION | part)
    assert read_function(make_arguments(function_config=path), {}).has_layers is known
    assert read_function(make_arguments(), {}).has_layers is None


def test_parts_that_are_null(tmp_path: Path) -> None:
    """Are not there: SDKs print them so, and so does `aws` with a --query of one's own."""
    path = write(tmp_path, dict.fromkeys(CONFIGURATION) | {"FunctionName": "shop"})
    function = read_function(make_arguments(function_config=path), {})
    assert function.environ == {"AWS_LAMBDA_FUNCTION_NAME": "shop"}
    assert function.ephemeral_mb is None


def test_files_of_windows(tmp_path: Path) -> None:
    """Begin with a byte order mark, and end their lines otherwise."""
    configuration, variables = tmp_path / "configuration.json", tmp_path / "variables"
    configuration.write_text(json.dumps({"FunctionName": "shop"}), encoding="utf-8-sig")
    variables.write_bytes(b"\xef\xbb\xbfA=1\r\nB=2\r\n")
    arguments = make_arguments(function_config=configuration, env_file=variables)
    assert read_function(arguments, {}).environ == {
        "A": "1",
        "B": "2",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
    }


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    """A value may hold what else Unicode takes for the end of a line."""
    file = tmp_path / "variables"
    file.write_text("A=1\x0c2\x853\u20284\n")
    assert read_function(make_arguments(env_file=file), {}).environ == {"A": "1\x0c2\x853\u20284"}


def test_stdin_is_read_once() -> None:
    """Two files cannot both be that."""
    arguments = make_arguments(function_config=Path("-"), env_file=Path("-"))
    with pytest.raises(UsageError, match="stdin"):
        read_function(arguments, {})


def test_variables_that_aws_could_not_decrypt(tmp_path: Path) -> None:
    """Are not taken for none."""
    error = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no"}}
    path = write(tmp_path, CONFIGURATION | {"Environment": error})
    with pytest.raises(UsageError, match="kms:Decrypt"):
        read_function(make_arguments(function_config=path), {})


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Is told without what it holds."""
    file = tmp_path / "file"
    file.write_text("A=1\nhunter2\n")
    with pytest.raises(UsageError, match="number 2 is not of the form") as found:
        read_function(make_arguments(env_file=file), {})
    assert "hunter2" not in str(found.value)
    with pytest.raises(UsageError, match="not JSON"):
        read_function(make_arguments(function_config=file), {})
    with pytest.raises(UsageError, match="cannot read"):
        read_function(make_arguments(env_file=tmp_path / "nowhere"), {})
    for pair in ("=hunter2", "export A=hunter2"):
        with pytest.raises(UsageError, match="number 1 is not of the form"):
            read_function(make_arguments(env=[pair]), {})
