"""The bill of materials: CycloneDX, made by its own tool from the installed wheels.

Owns what that tool cannot see: that all of it belongs to this layer, and the interpreter. Must not
know what of the wheels is left out later.
https://cyclonedx.org/docs/1.6/json/
"""

import json
import sys
import venv
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from deploy.layer.commands import find_tool, run
from deploy.layer.distributions import Package


def write_sbom(
    site_packages: Path, layer: Package, work: Path, *, interpreter: str | None = None
) -> str:
    """Return the bill of materials as JSON.

    Args:
        site_packages: the wheels, with their metadata.
        layer: name and version of what they are in.
        work: an empty folder to work in.
        interpreter: the whole version of a Python that is carried along.

    Raises:
        LayerError: the tool failed.
    """
    environment = work / "venv"
    venv.create(environment)
    # The tool asks an environment for its packages; this one has those of the layer.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = environment / "lib" / version / "site-packages"
    own.rmdir()
    own.symlink_to(site_packages)
    made = run([find_tool("cyclonedx-py"), "environment", "--output-reproducible", environment])
    bom: Bom = Bom.from_json(json.loads(made))  # type: ignore[attr-defined]
    bom.metadata.component = whole = Component(
        name=layer.name,
        version=layer.version,
        type=ComponentType.APPLICATION,
        bom_ref="layer",
        licenses=[DisjunctiveLicense(id=layer.licence)],
    )
    if interpreter:
        bom.components.add(_describe_python(interpreter))
    bom.register_dependency(whole, bom.components)
    written = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    return _sort_out(written)


def _describe_python(version: str) -> Component:
    return Component(
        name="CPython",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="interpreter",
        purl=PackageURL("generic", None, "python", version),
        cpe=f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        licenses=[DisjunctiveLicense(id="PSF-2.0")],
    )


def _sort_out(text: str) -> str:
    """Return the bill without its time and number, which would differ with each build."""
    bill = json.loads(text)
    bill.pop("serialNumber", None)
    bill["metadata"].pop("timestamp", None)
    return json.dumps(bill, indent=1, sort_keys=True) + "\n"
