"""Two worlds of certificates, made once a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.certificates import Certificates, make_certificates

if TYPE_CHECKING:
    from pathlib import Path


def worlds(folder: Path) -> tuple[Certificates, Certificates]:
    """Return the world that the extension trusts and one that it does not."""
    made = []
    for name in ("right", "wrong"):
        world = folder / name
        if world.exists():
            made.append(Certificates(world))
        else:
            world.mkdir()
            made.append(make_certificates(world))
    right, wrong = made
    return right, wrong
