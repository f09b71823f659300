"""Calls that fetch secrets: as few as can be, and what their answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.aws_endpoints import Scope
from logger_extension.policy.references import Secret
from logger_extension.policy.secret_calls import Answers, Call, plan_calls, read_answers
from tests.support.laws import LAW

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:otel/key-AbCdEf"
SHARED = "arn:aws:ssm:eu-west-1:123456789012:parameter/otel/key"

SECRETS = st.builds(
    Secret,
    st.sampled_from(["secretsmanager", "ssm"]),
    st.one_of(st.text("ab", min_size=1, max_size=4), st.sampled_from([ARN, SHARED])),
    version=st.sampled_from(["", "1"]),
)


def _call(*secrets: Secret) -> Call:
    (call,) = plan_calls(secrets, "us-east-1")
    return call


def _read(call: Call, answer: Any, status: int = 200) -> Answers:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return read_answers(call, status, body)


@LAW
@given(st.lists(SECRETS, max_size=40))
def test_each_secret_is_asked_for_once(secrets: list[Secret]) -> None:
    """Parameters ten a call, in the region that the ARN names."""
    calls = plan_calls(secrets, "us-east-1")
    asked = [secret for call in calls for secret in call.secrets]
    assert sorted(map(repr, asked)) == sorted(map(repr, set(secrets)))
    for call in calls:
        assert 0 < len(call.secrets) <= (10 if call.scope.service == "ssm" else 1)
        for secret in call.secrets:
            assert call.scope == Scope(secret.service, secret.region or "us-east-1")
    per_region = {call.scope.region for call in calls if call.scope.service == "ssm"}
    parameters = [secret for secret in asked if secret.service == "ssm"]
    batches = [call for call in calls if call.scope.service == "ssm"]
    assert len(batches) <= len(per_region) + len(parameters) // 10


def test_what_is_asked() -> None:
    """The bodies that the services' references describe; what is not given is left out."""
    call = _call(Secret("secretsmanager", ARN, "AWSPREVIOUS", "4711"))
    assert call.operation == "secretsmanager.GetSecretValue"
    assert json.loads(call.body) == {
        "SecretId": ARN,
        "VersionStage": "AWSPREVIOUS",
        "VersionId": "4711",
    }
    assert json.loads(_call(Secret("secretsmanager", "key")).body) == {"SecretId": "key"}
    call = _call(Secret("ssm", "/b", version="2"), Secret("ssm", "/a"))
    assert call.operation == "AmazonSSM.GetParameters"
    assert json.loads(call.body) == {"Names": ["/a", "/b:2"], "WithDecryption": True}


def test_parameters_are_told_apart() -> None:
    """By name and selector, a shared one by its ARN; what is not there is told."""
    plain, second = Secret("ssm", "/a"), Secret("ssm", "/a", version="2")
    shared, missing = Secret("ssm", SHARED.replace("eu-west", "us-east")), Secret("ssm", "/no")
    answer = {
        "Parameters": [
            {"Name": "/a", "Value": "third", "Version": 3},
            {"Name": "/a", "Value": "second", "Version": 2, "Selector": ":2"},
            {"Name": "/otel/key", "ARN": shared.name, "Value": "shared", "Version": 1},
        ],
        "InvalidParameters": ["/no"],
    }
    calls = plan_calls([plain, second, missing], "us-east-1")
    answers = _read(calls[0], answer)
    assert answers.texts == {plain: "third", second: "second"}
    assert answers.reasons == {missing: "there is no such parameter or version"}
    assert _read(Call(calls[0].scope, calls[0].operation, b"", (shared,)), answer).texts == {
        shared: "shared"
    }


def test_a_secret_without_text_is_told() -> None:
    """A header cannot hold bytes."""
    secret = Secret("secretsmanager", "key")
    assert _read(_call(secret), {"SecretString": "hunter2"}).texts == {secret: "hunter2"}
    assert "bytes" in _read(_call(secret), {"SecretBinary": "aHVudGVyMg=="}).reasons[secret]


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (400, {"__type": "ResourceNotFoundException", "Message": "hunter2"}, "ResourceNotFound"),
        (400, {"__type": "com.amazonaws#AccessDeniedException"}, "secretsmanager:GetSecretValue"),
        (400, {"__type": "InvalidSignatureException", "message": "token hunter2"}, "InvalidSig"),
        (400, {"__type": "no name: hunter2"}, "HTTP 400"),
        (503, b"<html>hunter2", "HTTP 503"),
        (200, b"hunter2", "HTTP 200"),
        (200, ["hunter2"], "HTTP 200"),
    ],
)
def test_what_a_service_says_against_us(status: int, answer: Any, reason: str) -> None:
    """The name of the error and what to do; its words may repeat the request."""
    secret = Secret("secretsmanager", "key")
    told = _read(_call(secret), answer, status).reasons[secret]
    assert reason in told
    assert "hunter2" not in told


def test_an_answers_repr_tells_no_secret() -> None:
    """It may come into a log by way of an error."""
    secret = Secret("secretsmanager", "key")
    assert "hunter2" not in repr(_read(_call(secret), {"SecretString": "hunter2"}))
