"""Layers built for real, each once a session; and unpacked as Lambda does."""

import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.layer.archive import unpack
from deploy.layer.build import Built, build_layer
from deploy.layer.startup import Bounds
from deploy.layer.target import Target

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() == "aarch64" else "x86_64"
OTHER_ARCHITECTURE = "x86_64" if ARCHITECTURE == "arm64" else "arm64"

MANAGED = Target(python=RUNNING, architecture=ARCHITECTURE)
FOREIGN = Target(python=RUNNING, architecture=OTHER_ARCHITECTURE)
BUNDLED = Target(interpreter=Path(sys.base_prefix), architecture=ARCHITECTURE)

# Tests share the machine with others: only what is far off is wrong here.
LOOSE = Bounds(most_ms=5_000, most_share=50)


@dataclass(slots=True)
class Builds:
    """What has been built in this session, in a folder of its own."""

    folder: Path
    _built: dict[Target, Built] = field(default_factory=dict)
    _roots: dict[Target, Path] = field(default_factory=dict)

    def build(self, target: Target) -> Built:
        """Return a finished layer."""
        if target not in self._built:
            archive = self.folder / f"{target.name}.zip"
            self._built[target] = build_layer(target, archive, bounds=LOOSE)
        return self._built[target]

    def unpack(self, target: Target) -> Path:
        """Return a folder that stands for /opt, with the layer in it; nobody may change it."""
        if target not in self._roots:
            root = self.folder / target.name
            unpack(self.build(target).archive, root)
            self._roots[target] = root
        return self._roots[target]
