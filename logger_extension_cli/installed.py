"""Which libraries a command needs, and the extra that brings them.

Owns the table. Only looks for them: nothing is imported here, so that asking costs nothing.
"""

from collections.abc import Mapping
from importlib.util import find_spec

from logger_extension_cli.errors import UsageError

# Libraries by the extra that has them.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "viewer": ("awslambdaric", "rich"),
    "web": ("rich", "duckdb", "ibis", "jinja2", "plotly"),
    "cost": ("rich", "duckdb", "ibis"),
    "plot": ("matplotlib",),
    "clickhouse": ("ibis", "clickhouse_connect"),
    "completion": ("shtab",),
}
# What is no extra of its own comes with this one.
_COMES_WITH = {"plot": "cost", "completion": "viewer"}

# The extra that a command cannot do without.
NEEDED_BY = {
    "demo": "viewer",
    "run": "viewer",
    "collector": "viewer",
    "view": "web",
    "cost": "cost",
    "completion": "completion",
}


def require(name: str) -> None:
    """Return when what an entry of `EXTRAS` names is installed.

    Raises:
        UsageError: it is not; the message says how to install it.
    """
    missing = [library for library in EXTRAS[name] if find_spec(library) is None]
    if missing:
        extra = _COMES_WITH.get(name, name)
        raise UsageError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed:"
            f" pip install 'logger-extension[{extra}]', in a checkout make web"
        )
