"""References to secrets inside the values of settings, nearly in CloudFormation's notation.

    {{secretsmanager:NAME-OR-ARN[:SecretString[:KEY[:STAGE[:VERSION-ID]]]]}}
    {{ssm:NAME-OR-ARN[:VERSION]}}, and the same with ssm-secure

CloudFormation's own begin with `{{resolve:`; they mean the same here, but a template cannot hold
one: CloudFormation would put the secret itself into the function's environment.

Owns the grammar, and how a value is put together once its secrets are known. A key is a field of a
secret that is a JSON object. Must not know how secrets are fetched. No error here repeats a value.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/cfn-example_reference-secret.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

SECRETS_MANAGER, SSM = "secretsmanager", "ssm"

BEGIN = r"\{\{(?:resolve:|(?=(?:secretsmanager|ssm|ssm-secure):))"
MARK = re.compile(BEGIN)
REFERENCE = re.compile(rf"({BEGIN}.*?\}}\}})", re.DOTALL)

# What has colons of its own is told by its beginning.
SECRET = re.compile(
    r"(?P<name>arn:[^:\s]+:secretsmanager:[^:\s]+:[^:\s]*:secret:[^:\s{}]+|(?!arn:)[^:\s{}]+)"
    r"(?::(?:SecretString)?(?::(?P<key>[^:{}]*)(?::(?P<stage>[^:\s{}]*)"
    r"(?::(?P<version>[^:\s{}]*))?)?)?)?"
)
PARAMETER = re.compile(
    r"(?P<name>arn:[^:\s]+:ssm:[^:\s]+:[^:\s]*:parameter/[^:\s{}]+|(?!arn:)[^:\s{}]+)"
    r"(?::(?P<version>[^:\s{}]+))?"
)
# Both kinds of parameters are read with decryption, which changes nothing for plain ones.
GRAMMARS = {SECRETS_MANAGER: SECRET, SSM: PARAMETER, "ssm-secure": PARAMETER}
SERVICES = {SECRETS_MANAGER: SECRETS_MANAGER, SSM: SSM, "ssm-secure": SSM}

ARN_REGION = 3


class Secret(NamedTuple):
    """What is fetched as one.

    Attributes:
        service: `secretsmanager` or `ssm`.
        name: the name or the whole ARN.
        stage: of the version, for example `AWSPREVIOUS`; empty for the current one.
        version: its id; of a parameter its number or label. Empty for the current one.
    """

    service: str
    name: str
    stage: str = ""
    version: str = ""

    @property
    def region(self) -> str:
        """The region that an ARN names; empty for a plain name."""
        return self.name.split(":")[ARN_REGION] if self.name.startswith("arn:") else ""


class Reference(NamedTuple):
    """A secret, or with a key one field of it."""

    secret: Secret
    key: str = ""


def split_references(text: str) -> list[str | Reference]:
    """Return plain text and references in their order.

    Raises:
        ValueError: a reference is malformed; the text is not repeated.
    """
    if "{{" not in text:
        return [text] if text else []
    # What the pattern has found stands in every second place.
    parts = [_read(part) if n % 2 else part for n, part in enumerate(REFERENCE.split(text))]
    if any(isinstance(part, str) and MARK.search(part) for part in parts):
        raise ValueError("a reference has no end: }} is missing")
    return [part for part in parts if part]


def find_references(texts: Iterable[str]) -> frozenset[Reference]:
    """Return all references in some texts that `split_references` has taken."""
    return frozenset(
        part for text in texts for part in split_references(text) if isinstance(part, Reference)
    )


def fill_references(text: str, values: Mapping[Reference, str]) -> str:
    """Return the text with each reference replaced; what a value holds is never looked into."""
    return "".join(
        part if isinstance(part, str) else values[part] for part in split_references(text)
    )


def pick_value(reference: Reference, secret_text: str) -> str:
    """Return what a reference means: the secret, or a field of it, without blanks around it.

    Blanks at the ends are taken for slips: a line feed comes with many a file or `echo`.

    Raises:
        ValueError: there is no such field of text or a whole number, or nothing in it; the secret
            is not repeated.
    """
    if reference.key:
        try:
            fields = orjson.loads(secret_text)
        except orjson.JSONDecodeError:
            raise ValueError("is no JSON object, so it has no keys") from None
        value = fields.get(reference.key) if isinstance(fields, dict) else None
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise ValueError(f"has no text under the key {reference.key!r}")
        secret_text = str(value)
    if not (text := secret_text.strip()):
        raise ValueError("is empty")
    return text


def _read(text: str) -> Reference:
    """Read one reference, from its first brace to its last."""
    service, _, rest = MARK.sub("", text, count=1).removesuffix("}}").partition(":")
    if service not in GRAMMARS:
        raise ValueError(f"a reference is to none of {', '.join(GRAMMARS)}")
    match = GRAMMARS[service].fullmatch(rest)
    if match is None:
        raise ValueError(f"a reference to {service} does not read as it should")
    found = {name: part or "" for name, part in match.groupdict().items()}
    key = found.pop("key", "")
    return Reference(Secret(SERVICES[service], **found), key)
