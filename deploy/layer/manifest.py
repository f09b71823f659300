"""What is in the layer, for those who have only the zip: versions and sizes.

Owns the keys of `/opt/logger-extension/manifest.json`, which is read by what attaches the layer.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from deploy.layer.distributions import Package
from deploy.layer.target import Target

FILE = "manifest.json"


def write_manifest(
    target: Target,
    packages: Sequence[Package],
    home: Path,
    *,
    python: str,
    glibc: tuple[int, ...],
) -> str:
    """Return the manifest as JSON.

    Args:
        target: the layer.
        packages: ours first, then what it comes with.
        home: `/opt/logger-extension`.
        python: the version that the layer is compiled for, such as `3.12`.
        glibc: the least version that all compiled files run with.
    """
    own, *others = packages
    value = {
        "name": own.name,
        "version": own.version,
        # null: any runtime, by the layer's own interpreter.
        "python": None if target.is_bundled else python,
        "architecture": target.architecture,
        "extras": sorted(target.extras),
        "glibc": ".".join(str(part) for part in glibc),
        "packages": {each.name: each.version for each in others},
        "sizes_bytes": measure_folders(home),
    }
    return json.dumps(value, indent=1) + "\n"


def measure_folders(home: Path) -> dict[str, int]:
    """Return the bytes of each folder of the layer, unpacked."""
    return {
        folder.name: sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        for folder in sorted(home.iterdir())
        if folder.is_dir()
    }
