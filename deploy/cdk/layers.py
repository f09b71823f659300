"""The zips that `logger-extension layer build` made, and which of them fits a function.

Owns what a zip's manifest says to us. Must not know how a layer is put on a function.
"""

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

BUILD = (
    "make it with `logger-extension layer build --python 3.13 --arch x86_64` (or --bundle-python uv"
    " for any runtime)"
)
MANIFEST = "logger-extension/manifest.json"


class LayerError(ValueError):
    """A zip that is no layer of ours; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LayerZip:
    """A layer that waits to be uploaded.

    Attributes:
        path: the zip.
        python: the version of the managed Python runtime that it is for, such as `3.13`; None with
            an interpreter of its own, which serves any runtime.
        architecture: `x86_64` or `arm64`.
        extras: what it has beside the core: `grpc`, `aws`.
    """

    path: Path
    python: str | None
    architecture: str
    extras: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "LayerZip":
        """Read what a zip is for.

        Raises:
            LayerError: there is no such file, or it is no layer of ours.
        """
        if not path.is_file():
            raise LayerError(f"there is no layer at {path}: {BUILD}")
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = json.loads(archive.read(MANIFEST))
            return cls(
                path.resolve(),
                manifest["python"],
                manifest["architecture"],
                frozenset(manifest["extras"]),
            )
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
            raise LayerError(f"{path} is no layer of logger-extension: {BUILD}") from error

    @property
    def runtime(self) -> str | None:
        """The name of the runtime that it is for, as Lambda has it; None for any."""
        return None if self.python is None else f"python{self.python}"

    @property
    def label(self) -> str:
        """What tells it from the others, in letters that a construct's id may have."""
        return f"{self.runtime or 'any'}-{self.architecture}"


def read_zips(paths: Iterable[str | Path]) -> tuple[LayerZip, ...]:
    """Read all zips.

    Raises:
        LayerError: as in `LayerZip.read`, or two are for the same, or there is none.
    """
    zips = tuple(LayerZip.read(Path(path)) for path in paths)
    if not zips:
        raise LayerError(f"no layer is given: {BUILD}")
    labels = [each.label for each in zips]
    if twice := {label for label in labels if labels.count(label) > 1}:
        raise LayerError(f"more than one layer is for {', '.join(sorted(twice))}: give one of them")
    return zips


def choose_zip(
    zips: Sequence[LayerZip],
    *,
    runtime: str,
    architecture: str,
    needs: frozenset[str] = frozenset(),
) -> LayerZip:
    """Return the zip for a function: the one for its very runtime first, which is smaller.

    Args:
        zips: those that there are.
        runtime: the function's.
        architecture: the function's.
        needs: the extras that the settings need.

    Raises:
        LayerError: none fits, or the one that does lacks an extra.
    """
    by_fit = {(each.runtime, each.architecture): each for each in zips}
    chosen = by_fit.get((runtime, architecture)) or by_fit.get((None, architecture))
    if chosen is None:
        raise LayerError(
            f"it runs {runtime} on {architecture}, and the layers given are for"
            f" {', '.join(each.label for each in zips)}: build one that fits, add it to layer_zips"
        )
    # Lambda's Python runtimes have botocore, which is all that the extra aws is.
    brought = {"aws"} if runtime.startswith("python") else set()
    if lacking := needs - chosen.extras - brought:
        raise LayerError(
            f"its settings need what {chosen.path.name} lacks: build that with"
            f" {' '.join(f'--extra {each}' for each in sorted(lacking))}"
        )
    return chosen
