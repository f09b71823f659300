"""Header values that are secrets.

Owns the notation that the extension reads a secret by, and what it must be allowed to read then.
CloudFormation replaces only `{{resolve:…}}`: `{{secretsmanager:…}}` and `{{ssm:…}}` reach the
function as they are, and the secret is in neither template nor console. Must not know how headers
are written into a variable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm

# What ends a field, or what would be percent-encoded around it, which references are not.
NOT_IN_FIELDS = frozenset(':{}%,;="\\ ')

# With such an end the ARN of a secret that is known by its name would be taken for a whole one.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
LIKE_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """A header's value that holds a secret; made by one of the functions below.

    Attributes:
        text: what stands in the variable: the prefix and the reference.
        grants: what the function must be allowed to read: an ARN by row of deploy/parameters.py.
    """

    text: str
    grants: Mapping[str, str]


def header_from_secret(
    secret: secretsmanager.ISecret, *, field: str | None = None, prefix: str = ""
) -> SecretHeader:
    """Return a header's value that the extension reads from Secrets Manager when it runs.

    Args:
        secret: the secret.
        field: which field of it, where it is a JSON object.
        prefix: what stands before it, for example `"Bearer "`.

    Raises:
        ValueError: the field cannot be written into a reference, or the key has no ARN.
    """
    if field is not None and (not field or NOT_IN_FIELDS.intersection(field)):
        raise ValueError(f"field: give a name without blanks and {''.join(sorted(NOT_IN_FIELDS))}")
    arn = secret.secret_arn
    # A secret that is known by its name lacks the six letters at the end of its ARN.
    grants = {"secret_arns": secret.secret_full_arn or f"{arn}-??????"}
    if secret.encryption_key is not None and (key := _find_key_arn(secret.encryption_key)):
        grants["kms_key_arns"] = key
    known_as = arn
    if secret.secret_full_arn is None and LIKE_SUFFIX.search(arn):
        known_as = arn.rpartition(":")[2]
    reference = known_as if field is None else f"{known_as}:SecretString:{field}"
    return SecretHeader(f"{prefix}{{{{secretsmanager:{reference}}}}}", grants)


def header_from_parameter(parameter: ssm.IParameter, *, prefix: str = "") -> SecretHeader:
    """Return a header's value that the extension reads from Systems Manager when it runs.

    A SecureString with a key of your own needs that key in `kms_key_arns`.

    Args:
        parameter: the parameter, a String or a SecureString.
        prefix: what stands before it.
    """
    arn = parameter.parameter_arn
    return SecretHeader(f"{prefix}{{{{ssm:{arn}}}}}", {"parameter_arns": arn})


def _find_key_arn(key: kms.IKey) -> str:
    """Return the ARN by which IAM can allow a key; empty for a key of AWS, which all may use.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    arn = key.alias_target_key.key_arn if isinstance(key, kms.Alias) else key.key_arn
    if ":alias/" not in arn:
        return arn
    if ":alias/aws/" in arn:
        return ""
    raise ValueError(
        "only the alias of the secret's key is known, and IAM allows keys by their ARN: give the"
        " secret its key by Key.from_key_arn or Key.from_lookup"
    )
