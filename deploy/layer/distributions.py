"""What the wheels say about themselves, read before their metadata is left out.

Owns name, version, declared licence, and the files of licence texts of a distribution. Must not
know what is made of them.
"""

from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path, PurePosixPath

from deploy.layer.errors import LayerError

# https://packaging.python.org/en/latest/specifications/core-metadata/#license-file
_TEXTS = ("licen[cs]e*", "copying*", "notice*", "authors*")
_CLASSIFIER = "License :: "


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution in the layer.

    Attributes:
        licence: as declared: an SPDX expression where there is one, else in its own words.
        texts: file name and content of what it says about its licence.
    """

    name: str
    version: str
    licence: str
    texts: tuple[tuple[str, str], ...]


def read_packages(folder: Path) -> list[Package]:
    """Return the distributions installed in a folder, by name.

    Raises:
        LayerError: one has neither a licence text nor a declaration: it must not be shipped unseen.
    """
    found = [_read(each) for each in distributions(path=[str(folder)])]
    return sorted(found, key=lambda package: package.name.lower())


def read_own() -> Package:
    """Return what is said of this project itself."""
    return _read(distribution("logger-extension"))


def _read(each: Distribution) -> Package:
    package = Package(
        name=each.metadata["Name"],
        version=each.version,
        licence=_find_licence(each),
        texts=tuple(_find_texts(each)),
    )
    if not package.licence and not package.texts:
        raise LayerError(f"{package.name} {package.version} does not say under which licence it is")
    return package


def _find_licence(each: Distribution) -> str:
    fields = each.metadata.json
    if expression := fields.get("license_expression"):
        return str(expression)
    # The older free field sometimes holds the whole text.
    words = str(fields.get("license", ""))
    if words and "\n" not in words:
        return words
    classifiers = [line for line in fields.get("classifier", ()) if line.startswith(_CLASSIFIER)]
    return "; ".join(line.rpartition(" :: ")[2] for line in classifiers)


def _find_texts(each: Distribution) -> list[tuple[str, str]]:
    texts = []
    for path in sorted(each.files or ()):
        inside = PurePosixPath(str(path))
        is_metadata = ".dist-info" in inside.parts[0]
        name = PurePosixPath(inside.name.lower())
        if is_metadata and any(name.match(pattern) for pattern in _TEXTS):
            texts.append(("/".join(inside.parts[1:]), path.read_text(encoding="utf-8")))
    return texts
