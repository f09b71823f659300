"""The layer's price table and the full one."""

import json

import pytest

from deploy.prices import FULL_TABLE, LAYER_TABLE, compact


def test_the_layer_s_table_is_made_of_the_full_one() -> None:
    """`python -m deploy.prices` was run after the last change."""
    assert LAYER_TABLE.read_text() == compact(json.loads(FULL_TABLE.read_text()))


def test_every_price_has_a_source() -> None:
    """Each figure names at least one source that the table describes."""
    table = json.loads(FULL_TABLE.read_text())
    for prices in filter(None, table["regions"].values()):
        for architecture in filter(None, (prices["x86_64"], prices["arm64"])):
            [tier] = architecture["usd_per_gb_second"]
            assert set(tier["source"]) <= table["sources"].keys()
            assert tier["source"]
            if provisioned := architecture["provisioned_concurrency"]:
                assert set(provisioned["source"]) <= table["sources"].keys()


def test_a_table_that_contradicts_itself_is_refused() -> None:
    """A request costs the same on both architectures."""
    architecture = {
        "usd_per_gb_second": [{"usd": 1e-5}],
        "usd_per_request": 2e-7,
        "provisioned_concurrency": None,
    }
    region = {
        "x86_64": architecture,
        "arm64": {**architecture, "usd_per_request": 3e-7},
        "ephemeral_storage_usd_per_gb_second_above_512mb": None,
    }
    with pytest.raises(ValueError, match="too many values"):
        compact({"generated": "", "regions": {"eu-west-1": region}})
