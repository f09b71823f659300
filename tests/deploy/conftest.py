"""Fixtures of the tests of what brings the extension to Lambda."""

import pytest

from tests.support.layer_builds import Builds


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Give the layers of this session; each is built when it is first asked for."""
    return Builds(tmp_path_factory.mktemp("layers"))
