"""What a layer can be built for."""

import pytest

from deploy.layer.errors import LayerError
from deploy.layer.target import ARCHITECTURES, PYTHONS, Target


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_known_targets(python: str, architecture: str) -> None:
    """Each managed runtime on each architecture has a name of its own."""
    target = Target(python=python, architecture=architecture, extras=("grpc",))
    assert target.name == f"logger-extension-python{python}-{architecture}-grpc"
    assert not target.is_bundled


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"python": "3.10"}, r"3\.11, 3\.12, 3\.13, 3\.14"),
        ({"python": "3"}, r"3\.11, 3\.12"),
        ({"python": "3.12", "architecture": "arm"}, "x86_64, arm64"),
        ({"python": "3.12", "extras": ("viewer",)}, "grpc, aws"),
        ({}, "for which Python"),
        ({"python": "3.12", "extras": ("aws",)}, "bring botocore"),
    ],
)
def test_what_is_not_known_is_refused(fields: dict[str, object], known: str) -> None:
    """With the list of what is."""
    with pytest.raises(LayerError, match=known):
        Target(**fields)  # type: ignore[arg-type]


def test_with_an_interpreter_it_is_for_any_runtime() -> None:
    """Then a version need not be given, and botocore may come along."""
    target = Target(interpreter="uv", architecture="arm64", extras=("grpc", "aws"))
    assert target.name == "logger-extension-any-arm64-aws-grpc"
    assert target.is_bundled
    assert target.machine == "aarch64"
