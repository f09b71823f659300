"""What wheels say about their licence, in the old ways and the new."""

from pathlib import Path

import pytest

from deploy.layer.distributions import Package, read_own, read_packages
from deploy.layer.errors import LayerError
from deploy.layer.licences import write_licences


def _install(folder: Path, fields: str, files: dict[str, str] | None = None) -> None:
    metadata = folder / "demo-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n{fields}\n"
    )
    for name, text in (files or {}).items():
        (metadata / name).parent.mkdir(exist_ok=True)
        (metadata / name).write_text(text)
    names = [path for path in metadata.rglob("*") if path.is_file()]
    record = "".join(f"{path.relative_to(folder)},,\n" for path in names)
    (metadata / "RECORD").write_text(record)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other", "MIT OR Apache-2.0"),
        ("License: BSD", "BSD"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT License"),
        ("License: a whole\n        text\nClassifier: License :: OSI Approved :: X", "X"),
    ],
)
def test_declared_licence(tmp_path: Path, fields: str, licence: str) -> None:
    """An SPDX expression first, then the older fields."""
    _install(tmp_path, fields)
    [package] = read_packages(tmp_path)
    assert package == Package("demo", "1.0", licence, ())


def test_texts_are_found_wherever_they_lie(tmp_path: Path) -> None:
    """In licenses/, or beside the metadata; notices too, and nothing else."""
    files = {"licenses/LICENSE.txt": "one", "NOTICE": "two", "licenses/vendor.md": "no"}
    _install(tmp_path, "License: X", files)
    [package] = read_packages(tmp_path)
    assert sorted(package.texts) == [("NOTICE", "two"), ("licenses/LICENSE.txt", "one")]
    text = write_licences([package])
    assert "demo 1.0: X" in text
    assert text.index("two") > text.index("demo 1.0: NOTICE")


def test_one_without_any_is_not_shipped(tmp_path: Path) -> None:
    """Nobody may pass on what has no licence."""
    _install(tmp_path, "Summary: nothing")
    with pytest.raises(LayerError, match=r"demo 1\.0 does not say"):
        read_packages(tmp_path)


def test_our_own() -> None:
    """This project is shipped too."""
    own = read_own()
    assert own.licence == "Apache-2.0"
    assert "Apache License" in own.texts[0][1]
