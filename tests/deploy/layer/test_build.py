"""Whole layers: built from locked wheels, unpacked and looked into."""

import importlib.util
import json
import marshal
import struct
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.layer.build import build_layer, name_part
from deploy.layer.elf import find_binaries, read_binary
from deploy.layer.errors import LayerError
from deploy.layer.startup import Bounds
from deploy.layer.target import Target
from deploy.stage import NAME
from tests.support.layer_builds import (
    ARCHITECTURE,
    BUNDLED,
    FOREIGN,
    LOOSE,
    MANAGED,
    OTHER_ARCHITECTURE,
    RUNNING,
    Builds,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TARGETS = pytest.mark.parametrize(
    "target",
    [
        pytest.param(MANAGED, id="managed"),
        pytest.param(FOREIGN, id="other architecture"),
        pytest.param(BUNDLED, id="with interpreter"),
    ],
)

# PEP 552: hash-based, and never checked against the source.
UNCHECKED_HASH = 0b01


@TARGETS
def test_layout(builds: Builds, target: Target) -> None:
    """All lies where the launcher looks for it, and nothing on the function's import path."""
    root = builds.unpack(target)
    assert sorted(path.name for path in root.iterdir()) == ["extensions", NAME]
    [launcher] = (root / "extensions").iterdir()
    assert launcher.name == NAME
    assert launcher.stat().st_mode & 0o777 == 0o755
    home = root / NAME
    assert (home / "logger_extension" / "__main__.py").is_file()
    assert (home / "logger_extension" / "policy" / "prices.json").is_file()
    assert (home / "bin" / "python3").exists() == target.is_bundled
    if target.is_bundled:
        assert (home / "bin" / "python3").stat().st_mode & 0o777 == 0o755


@TARGETS
def test_holds_what_runs_and_no_more(builds: Builds, target: Target) -> None:
    """No tests, no metadata, no installer, no stubs, no sources of compiled modules."""
    home = builds.unpack(target) / NAME
    names = [path.relative_to(home).as_posix() for path in home.rglob("*")]
    unwanted = ("/tests", "/test", ".dist-info", "/pip", ".pyi", ".pyx", ".c", ".h", "/idlelib")
    assert [name for name in names if name.endswith(unwanted)] == []
    assert any(name.endswith("/aiohttp/client.py") for name in names)


@TARGETS
def test_size_is_within_the_limit(builds: Builds, target: Target) -> None:
    """12 MB for a managed runtime, 35 MB with an interpreter; the table adds up to the zip."""
    built = builds.build(target)
    size_bytes = built.archive.stat().st_size
    assert size_bytes <= (35_000_000 if target.is_bundled else 12_000_000)
    packed = sum(size for _, size in built.sizes.values())
    assert 0.9 * size_bytes < packed < size_bytes
    assert built.sizes.keys() >= {"launcher", "logger_extension", "site-packages/aiohttp"}
    assert ("interpreter" in built.sizes) == target.is_bundled


@TARGETS
def test_every_module_is_compiled_and_never_checked(builds: Builds, target: Target) -> None:
    """Each source has bytecode of the right version that names its place on Lambda."""
    root = builds.unpack(target)
    sources = [path for path in root.rglob("*.py") if "lib2to3" not in path.parts]
    assert len(sources) > 100
    for source in sources:
        cached = Path(importlib.util.cache_from_source(str(source)))
        content = cached.read_bytes()
        assert content[:4] == importlib.util.MAGIC_NUMBER
        assert struct.unpack_from("<I", content, 4)[0] == UNCHECKED_HASH
        code = marshal.loads(content[16:])  # noqa: S302 - our own
        assert isinstance(code, CodeType)
        assert code.co_filename == f"/opt/{source.relative_to(root)}"


@TARGETS
def test_compiled_files_fit_the_architecture(builds: Builds, target: Target) -> None:
    """No file of the build machine slips in, and none needs a library that Lambda lacks."""
    home = builds.unpack(target) / NAME
    binaries = {path: read_binary(path) for path in find_binaries(home)}
    assert {binary.architecture for binary in binaries.values()} == {target.architecture}
    manifest = json.loads((home / "manifest.json").read_text())
    assert manifest["architecture"] == target.architecture
    if not target.is_bundled:
        # Amazon Linux 2's, which the oldest of the runtimes has.
        assert max(binary.glibc for binary in binaries.values()) <= (2, 26)


@TARGETS
def test_manifest_bill_and_licences_agree(builds: Builds, target: Target) -> None:
    """What is in site-packages is in all three, with its version; the bill follows its schema."""
    home = builds.unpack(target) / NAME
    manifest = json.loads((home / "manifest.json").read_text())
    assert manifest["python"] == (None if target.is_bundled else RUNNING)
    bill_text = (home / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill_text) is None
    bill = json.loads(bill_text)
    listed = {part["name"]: part["version"] for part in bill["components"]}
    assert listed == manifest["packages"]
    assert bill["metadata"]["component"]["version"] == manifest["version"]
    assert {"aiohttp", "orjson", "protobuf", "opentelemetry-proto"} <= listed.keys()
    assert ("CPython" in listed) == target.is_bundled
    licences = (home / "LICENSES.txt").read_text()
    for name, version in manifest["packages"].items():
        assert f"{name} {version}: " in licences
    assert licences.count("Apache License") > 3
    assert licences.count("Permission is hereby granted") > 1


def test_two_builds_are_the_same_bytes(builds: Builds, tmp_path: Path) -> None:
    """Whoever builds the same commit can compare."""
    again = build_layer(MANAGED, tmp_path / "again.zip", bounds=LOOSE)
    assert again.archive.read_bytes() == builds.build(MANAGED).archive.read_bytes()


def test_a_start_that_is_too_slow_leaves_no_zip(tmp_path: Path) -> None:
    """Nor does an old one stay, which would pass for the new."""
    archive = tmp_path / "layer.zip"
    archive.write_bytes(b"old")
    with pytest.raises(LayerError, match="to register"):
        build_layer(MANAGED, archive, bounds=Bounds(most_ms=0.001))
    assert list(tmp_path.iterdir()) == []


def test_a_zip_that_is_too_large_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the parts that take the room."""
    monkeypatch.setattr("deploy.layer.target.MANAGED_LIMIT_BYTES", 1_000_000)
    with pytest.raises(LayerError, match=r"1,000,000 are allowed.*aiohttp"):
        build_layer(MANAGED, tmp_path / "layer.zip")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_downloaded_leaves_no_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel that no index has is told of by its name."""
    lock = tmp_path / "layer.txt"
    lock.write_text(f"no-such-distribution-of-ours==9 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr("deploy.layer.wheels.find_locks", lambda _: [lock])
    with pytest.raises(LayerError, match="no-such-distribution-of-ours"):
        build_layer(MANAGED, tmp_path / "out" / "layer.zip")
    assert not (tmp_path / "out").exists()


def test_grpc_stays_within_the_limit(builds: Builds) -> None:
    """With the extra, a layer for a managed runtime is still one, and TLS has its authorities."""
    target = Target(python=RUNNING, architecture=ARCHITECTURE, extras=("grpc",))
    built = builds.build(target)
    assert built.archive.name == f"logger-extension-python{RUNNING}-{ARCHITECTURE}-grpc.zip"
    assert built.sizes["site-packages/grpc"][1] > 1_000_000
    home = builds.unpack(target) / NAME
    program = "import sys; sys.path[:0] = [sys.argv[1]]; import grpc; grpc.secure_channel("
    program += "'127.0.0.1:1', grpc.ssl_channel_credentials()).close()"
    folders = [home / "site-packages", home / "site-packages/grpc/_cython/_credentials"]
    assert (folders[1] / "roots.pem").is_file()
    subprocess.run([sys.executable, "-I", "-S", "-c", program, folders[0]], check=True)


def test_the_interpreter_brings_what_it_links_to(builds: Builds) -> None:
    """Its own libpython, OpenSSL and the like lie in lib, where the launcher points the loader."""
    home = builds.unpack(BUNDLED) / NAME
    present = {path.name for path in (home / "lib").iterdir()}
    needed = {name for path in find_binaries(home) for name in read_binary(path).needs}
    assert any(name.startswith("libssl.so") for name in present) or not any(
        name.startswith("libssl.so") for name in needed
    )
    manifest = json.loads((home / "manifest.json").read_text())
    assert manifest["packages"]["CPython"] == sys.version.split()[0]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("extensions/logger-extension", "launcher"),
        ("logger-extension/logger_extension/app.py", "logger_extension"),
        ("logger-extension/site-packages/aiohttp/web.py", "site-packages/aiohttp"),
        ("logger-extension/site-packages/six.py", "site-packages/six"),
        ("logger-extension/site-packages/__pycache__/six.cpython-312.pyc", "site-packages/six"),
        ("logger-extension/lib/python3.12/os.py", "interpreter"),
        ("logger-extension/LICENSES.txt", "LICENSES.txt"),
    ],
)
def test_parts(name: str, part: str) -> None:
    """A file is counted to what a reader of the table knows."""
    assert name_part(name) == part


def test_other_architecture_is_named_so() -> None:
    """The name of a zip tells what it is for."""
    assert FOREIGN.name == f"logger-extension-python{RUNNING}-{OTHER_ARCHITECTURE}"
