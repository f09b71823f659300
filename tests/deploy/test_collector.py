"""The configurations of `deploy/collector` name only what there is; no collector is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from deploy.stage import REPOSITORY
from logger_extension.config import Config
from logger_extension.policy.cost import Cost
from logger_extension.policy.invocation import Invocation
from logger_extension.policy.trace_context import derive_context
from logger_extension.signals.cost import describe_cost
from logger_extension.signals.phases import make_invocation_spans
from logger_extension.signals.resource import describe_resource

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = REPOSITORY / "deploy" / "collector"
KINDS = {
    "receivers": "receiver",
    "processors": "processor",
    "exporters": "exporter",
    "extensions": "extension",
}
BACKENDS = sorted((FOLDER / "backends").glob("*.yaml"))
README = (FOLDER / "README.md").read_text()

# What runs: configurations, each laid over the one before.
WHOLES = [
    *(
        (FOLDER / base, path)
        for base in ("agent.yaml", "gateway-sampler.yaml")
        for path in BACKENDS
    ),
    (FOLDER / "gateway-loadbalancer.yaml",),
    *(
        (FOLDER / base, FOLDER / "backends" / "otlp.yaml", FOLDER / "authenticated.yaml")
        for base in ("agent.yaml", "gateway-sampler.yaml")
    ),
    (FOLDER / "gateway-loadbalancer.yaml", FOLDER / "authenticated.yaml"),
]


def read(path: Path) -> Any:
    """Return a YAML file's contents."""
    return yaml.safe_load(path.read_text())


def lay_over(base: Any, top: Any) -> Any:
    """Merge as the collector does: maps by key, everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    both = {key: lay_over(base[key], top[key]) for key in base.keys() & top.keys()}
    return base | top | both


def merge(paths: tuple[Path, ...]) -> Any:
    """Return what the collector reads from several files."""
    whole: Any = {}
    for path in paths:
        whole = lay_over(whole, read(path))
    return whole


def used_in(config: Any) -> dict[str, set[str]]:
    """Return the components that a configuration's service names, by kind."""
    used = {kind: set() for kind in KINDS} | {"extensions": set(config["service"]["extensions"])}
    for pipeline in config["service"]["pipelines"].values():
        for kind in KINDS.keys() - {"extensions"}:
            used[kind] |= set(pipeline.get(kind, ()))
    return used


def built() -> set[str]:
    """Return the last part of each module of the builder's manifest, as `kind/name`."""
    manifest = read(FOLDER / "builder.yaml")
    return {
        f"{kind}/{entry['gomod'].split()[0].rpartition('/')[2]}"
        for kind in KINDS
        for entry in manifest[kind]
    }


def modules_of(kind: str, name: str) -> set[str]:
    """Return what the module of a component may be called: `load_balancing/metrics` and others."""
    bare = name.partition("/")[0].replace("_", "")
    return {f"{kind}/{bare}{KINDS[kind]}", f"{kind}/{bare}"}


@pytest.mark.parametrize("paths", WHOLES, ids=lambda paths: "+".join(path.stem for path in paths))
def test_components_are_defined_and_used(paths: tuple[Path, ...]) -> None:
    """Whatever is named is defined, and whatever is defined is named."""
    config = merge(paths)
    defined = {kind: set(config.get(kind) or ()) for kind in KINDS}
    assert used_in(config) == defined
    assert set(config["service"]["pipelines"]) == {"logs", "traces", "metrics"}


def test_the_builder_has_what_is_used_and_no_more() -> None:
    """Each component of the configurations is in the manifest, and each of the manifest in them."""
    used = {
        (kind, name)
        for paths in WHOLES
        for kind, names in used_in(merge(paths)).items()
        for name in names
    }
    found = {module for kind, name in used for module in modules_of(kind, name) & built()}
    assert [each for each in used if not modules_of(*each) & built()] == []
    assert built() == found


def test_the_builder_names_one_version() -> None:
    """Components of different versions do not build; the documentation names the same one."""
    manifest = read(FOLDER / "builder.yaml")
    version = manifest["dist"]["version"]
    entries = [entry["gomod"] for kind in KINDS for entry in manifest[kind]]
    assert {entry.split()[1] for entry in entries} == {f"v{version}"}
    assert f"cmd/builder@v{version}" in README


@pytest.mark.parametrize("paths", WHOLES, ids=lambda paths: "+".join(path.stem for path in paths))
def test_queues_are_on_disk_and_never_give_up(paths: tuple[Path, ...]) -> None:
    """What has been taken survives a restart, and is tried until it is delivered."""
    exporters = merge(paths)["exporters"]
    kept = {name: settings for name, settings in exporters.items() if name != "nop"}
    assert kept
    for settings in kept.values():
        assert settings["sending_queue"]["storage"] == "file_storage"
        assert settings["retry_on_failure"]["max_elapsed_time"] == "0s"


def test_policies_ask_for_attributes_that_are_sent() -> None:
    """A policy on an attribute that nobody sends would keep nothing, and say nothing."""
    policies = read(FOLDER / "gateway-sampler.yaml")["processors"]["tail_sampling"]["policies"]
    text = str(policies)
    spans = set(re.findall(r'span\.attributes\["(.+?)"\]', text))
    spans |= {each["boolean_attribute"]["key"] for each in policies if "boolean_attribute" in each}
    resources = set(re.findall(r'resource\.attributes\["(.+?)"\]', text))
    invocation = Invocation("id", derive_context("id", ""), status="success")
    [server, *_] = make_invocation_spans(invocation, "f", "1", describe_cost(Cost(1, 0, 0)))
    config = Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    assert spans
    assert spans <= set(server.attributes)
    assert resources
    assert resources <= set(describe_resource(config))


@pytest.mark.parametrize("path", BACKENDS, ids=lambda path: path.stem)
def test_each_backend_is_documented(path: Path) -> None:
    """Its file tells of each variable and of its sources, and the table has a row for it."""
    text = path.read_text()
    head = text.partition("\n\n")[0]
    for name in re.findall(r"\$\{env:(\w+)", text):
        assert name in head, f"{path.name} does not tell what {name} is"
    assert "https://" in head
    assert f"(backends/{path.name})" in README


def test_direct_settings_exist() -> None:
    """Every variable of the extension that the documentation names is one of the reference's."""
    known = (REPOSITORY / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"\b(?:OTEL|LOGGER_EXTENSION)_[A-Z0-9_]*[A-Z0-9]\b", README))
    assert named
    assert {name for name in named if name not in known} == set()
