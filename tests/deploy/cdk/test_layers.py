"""A zip says what it is for, and the one that fits best is chosen."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cdk.layers import LayerError, choose_zip, read_zips
from deploy.layer.target import ARCHITECTURES, PYTHONS

MakeZip = Callable[..., Path]


def test_the_manifest_says_what_a_zip_is_for(make_zip: MakeZip) -> None:
    """What the builder writes into the manifest is read: all Pythons, architectures, and any."""
    pythons = (*PYTHONS, None)
    zips = read_zips(make_zip(python, each) for python in pythons for each in ARCHITECTURES)
    assert [(each.python, each.architecture) for each in zips] == [
        (python, each) for python in pythons for each in ARCHITECTURES
    ]


def test_the_very_runtime_comes_before_any(make_zip: MakeZip) -> None:
    """The layer without an interpreter is smaller, so it is taken where it fits."""
    zips = read_zips([make_zip(None), make_zip("3.13")])
    assert choose_zip(zips, runtime="python3.13", architecture="x86_64").python == "3.13"
    assert choose_zip(zips, runtime="python3.12", architecture="x86_64").python is None


def test_no_fit_names_what_there_is(make_zip: MakeZip) -> None:
    """The message names the function's runtime and the layers that are given."""
    zips = read_zips([make_zip("3.13"), make_zip("3.12", "arm64")])
    with pytest.raises(LayerError) as caught:
        choose_zip(zips, runtime="nodejs22.x", architecture="arm64")
    for words in ("nodejs22.x", "arm64", "python3.13-x86_64", "python3.12-arm64"):
        assert words in str(caught.value)


def test_a_missing_zip_names_the_command(tmp_path: Path) -> None:
    """Who has no layer yet learns how it is made."""
    with pytest.raises(LayerError, match="logger-extension layer build"):
        read_zips([tmp_path / "absent.zip"])
    with pytest.raises(LayerError, match="logger-extension layer build"):
        read_zips([])


@pytest.mark.parametrize(
    "manifest", [None, "", "[]", "{}", '{"python": null, "architecture": "arm64"}', b"\xff"]
)
def test_another_zip_is_refused(tmp_path: Path, manifest: str | bytes | None) -> None:
    """A zip without a manifest of ours is no layer of ours."""
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        if manifest is not None:
            archive.writestr("logger-extension/manifest.json", manifest)
    with pytest.raises(LayerError, match=r"other\.zip"):
        read_zips([path])


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    """A file of another kind is refused with its name."""
    path = tmp_path / "layer.zip"
    path.write_text("no zip")
    with pytest.raises(LayerError, match=r"layer\.zip"):
        read_zips([path])


def test_two_for_the_same_are_refused(make_zip: MakeZip, tmp_path: Path) -> None:
    """Of two layers for the same functions it would be chance which one they get."""
    path = make_zip("3.13")
    copy = tmp_path / "copy.zip"
    copy.write_bytes(path.read_bytes())
    with pytest.raises(LayerError, match=r"python3\.13-x86_64"):
        read_zips([path, copy])
