"""The locked dependencies are those of the project."""

import re
import tomllib

import pytest

from deploy.layer.target import EXTRAS
from deploy.layer.wheels import find_locks
from deploy.stage import REPOSITORY


def _read_names(extras: tuple[str, ...]) -> set[str]:
    text = find_locks(extras)[-1].read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_each_lock_holds_what_the_project_asks_for(extra: str) -> None:
    """A dependency that was added without `make constraints` would miss in the layer."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    if extra:
        wanted += project["optional-dependencies"][extra]
    names = {re.split(r"[<>=]", each)[0] for each in wanted}
    assert names <= _read_names((extra,) if extra else ())


def test_layer_and_tests_have_the_same_versions() -> None:
    """What is shipped is what was tested."""
    pin = re.compile(r"^([a-z0-9-]+==\S+)", re.MULTILINE)
    tested = set(pin.findall((REPOSITORY / "constraints" / "dev.txt").read_text()))
    for lock in find_locks(EXTRAS):
        assert set(pin.findall(lock.read_text())) <= tested


def test_every_wheel_is_known_by_its_hash() -> None:
    """No line names where it came from."""
    for lock in find_locks(EXTRAS):
        text = lock.read_text()
        assert text.count("==") <= text.count("--hash=sha256:")
        assert "://" not in text
