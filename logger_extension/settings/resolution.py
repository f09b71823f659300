"""A target whose references are known: its headers and address, checked like those that are set.

Owns what is told when a secret does not make a usable header or endpoint: names, never a value.
Must not know where the values came from.
"""

from collections.abc import Mapping
from dataclasses import replace

from logger_extension.errors import ConfigError
from logger_extension.policy.references import Reference, fill_references, find_references
from logger_extension.settings.export import GRPC, Target, locate
from logger_extension.settings.headers import check_header


def resolve(target: Target, values: Mapping[Reference, str]) -> Target:
    """Return a target with its references replaced, checked as if it had been set so.

    Args:
        target: one whose headers or endpoint hold references.
        values: what each of them means.

    Raises:
        ConfigError: what came of it cannot be used; names the secrets, no value.
    """
    is_grpc = target.protocol == GRPC
    headers = {name: fill_references(text, values) for name, text in target.headers.items()}
    for name, value in headers.items():
        check_header(f"the header {name} with its secret", name, value, is_grpc=is_grpc)
    resolved = replace(target, headers=headers)
    if target.endpoint is None:
        return resolved
    try:
        return locate(resolved, target.endpoint.fill(values))
    except ConfigError:
        # Its words may repeat a part of the endpoint.
        names = sorted({each.secret.name for each in find_references([target.endpoint.text])})
        raise ConfigError(
            f"the endpoint for {target.signal} with what {', '.join(names)} holds cannot be used:"
            " it must be a URL like http://collector:4318, and none of our own listeners"
        ) from None
