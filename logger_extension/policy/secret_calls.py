"""The calls that fetch secrets, as bytes, and what their answers mean.

Owns the two operations of AWS's JSON protocol that are needed: GetSecretValue of Secrets Manager,
one secret a call, and GetParameters of Systems Manager, ten. Must not know connections, signatures
nor references. Of what a service says against us only the name of the error is told: its words may
repeat the request, which holds a session token.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from logger_extension.policy.aws_endpoints import Scope
from logger_extension.policy.references import SSM, Secret

MOST_PARAMETERS = 10

GET_SECRET, GET_PARAMETERS = "secretsmanager.GetSecretValue", "AmazonSSM.GetParameters"

ERROR_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")

ACTIONS = {GET_SECRET: "secretsmanager:GetSecretValue", GET_PARAMETERS: "ssm:GetParameters"}


class Call(NamedTuple):
    """One POST.

    Attributes:
        scope: service and region.
        operation: the value of `X-Amz-Target`.
        body: JSON.
        secrets: what it asks for.
    """

    scope: Scope
    operation: str
    body: bytes
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a call has brought: texts, or reasons why there is none, which hold no secret."""

    texts: dict[Secret, str] = field(default_factory=dict, repr=False)
    reasons: dict[Secret, str] = field(default_factory=dict)


def plan_calls(secrets: Iterable[Secret], region: str) -> list[Call]:
    """Return the fewest calls for some secrets.

    Args:
        secrets: what is wanted.
        region: where the function runs; an ARN's own region wins.
    """
    parameters: dict[str, list[Secret]] = defaultdict(list)
    calls: list[Call] = []
    for secret in sorted(set(secrets), key=lambda each: (each.name, each.stage, each.version)):
        own_region = secret.region or region
        if secret.service == SSM:
            parameters[own_region].append(secret)
        else:
            asked = {"SecretId": secret.name, "VersionStage": secret.stage}
            asked = {k: v for k, v in (asked | {"VersionId": secret.version}).items() if v}
            scope = Scope(secret.service, own_region)
            calls.append(Call(scope, GET_SECRET, orjson.dumps(asked), (secret,)))
    for own_region, wanted in parameters.items():
        for start in range(0, len(wanted), MOST_PARAMETERS):
            some = tuple(wanted[start : start + MOST_PARAMETERS])
            body = orjson.dumps({"Names": [_ask(each) for each in some], "WithDecryption": True})
            calls.append(Call(Scope(SSM, own_region), GET_PARAMETERS, body, some))
    return calls


def read_answers(call: Call, status: int, body: bytes) -> Answers:
    """Return what came back for each secret of a call.

    Args:
        call: what was asked.
        status: the HTTP status.
        body: the answer's body.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if status != HTTPStatus.OK or not isinstance(answer, dict):
        reason = _explain(call, status, answer)
        return Answers(reasons=dict.fromkeys(call.secrets, reason))
    if call.operation == GET_PARAMETERS:
        texts, lacking = _read_parameters(call, answer), "there is no such parameter or version"
    else:
        texts = {call.secrets[0]: answer.get("SecretString")}
        lacking = "it holds bytes, not a text"
    answers = Answers()
    for secret in call.secrets:
        text = texts.get(secret)
        if isinstance(text, str):
            answers.texts[secret] = text
        else:
            answers.reasons[secret] = lacking
    return answers


def _ask(parameter: Secret) -> str:
    return f"{parameter.name}:{parameter.version}" if parameter.version else parameter.name


def _read_parameters(call: Call, answer: dict[str, Any]) -> dict[Secret, Any]:
    """Return values by what was asked: by name or, for a shared parameter, by its ARN.

    A parameter asked for with a version or label comes back with that as its selector.
    """
    found: dict[str, Any] = {}
    for each in answer.get("Parameters") or ():
        selector = str(each.get("Selector") or "").lstrip(":")
        for name in (each.get("Name"), each.get("ARN")):
            found[f"{name}:{selector}" if selector else f"{name}"] = each.get("Value")
            found.setdefault(f"{name}:{each.get('Version')}", each.get("Value"))
    return {secret: found.get(_ask(secret)) for secret in call.secrets}


def _explain(call: Call, status: int, answer: Any) -> str:
    """Return the name of the error, with what to do about it where that is known."""
    kind = str(answer.get("__type", "")).rpartition("#")[2] if isinstance(answer, dict) else ""
    if not ERROR_NAME.fullmatch(kind):
        return f"HTTP {status}"
    if kind.startswith("AccessDenied"):
        action = ACTIONS[call.operation]
        return f"{kind}: the function's role needs {action} on it, and kms:Decrypt on its key"
    if kind == "ResourceNotFoundException":
        return f"{kind}: there is none of that name in {call.scope.region}"
    return kind
