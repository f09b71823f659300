"""The layer's price table from the full one: `python -m deploy.prices`.

`deploy/lambda_prices.json` holds list prices by region with the source of each; it is what a person
edits, from the offer that its `refresh` names. The layer carries only the numbers that it reads
(`logger_extension/policy/prices.json`): tier 1, because a sandbox cannot know how much its account
has used this month. A test holds the two together.
"""

import json
from collections.abc import Mapping
from typing import Any

from deploy.stage import REPOSITORY

FULL_TABLE = REPOSITORY / "deploy" / "lambda_prices.json"
LAYER_TABLE = REPOSITORY / "logger_extension" / "policy" / "prices.json"


def compact(table: Mapping[str, Any]) -> str:
    """Return the layer's table as JSON, one region a line.

    A region's row: USD a request, USD a GB-second of storage above 512 MB, and by architecture USD
    a GB-second of duration and of duration with provisioned concurrency; null where no source has
    the price. Regions and architectures without any price are left out.
    """
    rows = [
        f"  {json.dumps(region)}: {json.dumps(_row(prices))}"
        for region, prices in sorted(table["regions"].items())
        if prices is not None
    ]
    head = f' "as_of": {json.dumps(table["generated"])},\n "currency": "USD",\n'
    return f'{{\n{head} "regions": {{\n' + ",\n".join(rows) + "\n }\n}\n"


def _row(prices: Mapping[str, Any]) -> dict[str, Any]:
    by_architecture = {name: prices[name] for name in ("x86_64", "arm64") if prices.get(name)}
    requests = {each["usd_per_request"] for each in by_architecture.values()}
    [request] = requests  # A request costs the same on both; a table that says otherwise is wrong.
    row: dict[str, Any] = {
        "request": request,
        "ephemeral": prices["ephemeral_storage_usd_per_gb_second_above_512mb"],
    }
    for name, each in by_architecture.items():
        provisioned = each["provisioned_concurrency"] or {}
        row[name] = [
            each["usd_per_gb_second"][0]["usd"],
            provisioned.get("usd_per_gb_second_duration"),
        ]
    return row


if __name__ == "__main__":
    LAYER_TABLE.write_text(compact(json.loads(FULL_TABLE.read_text())))
