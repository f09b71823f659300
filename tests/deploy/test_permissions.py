"""What the function's role may do."""

from deploy.permissions import make_statements
from tests.support.parameter_sets import (
    ACCOUNT,
    AWS,
    ENDPOINT,
    PARTITION,
    PLACE,
    REGION,
    SECRET,
    Set,
)


def test_nothing_is_allowed_without_need() -> None:
    """A function that only sends to a collector gets no policy."""
    values: Set = {"endpoint": ENDPOINT, "xray": False, "secret_arns": [], "log_group": None}
    assert make_statements(values, PLACE) == []


def test_each_need_is_one_statement() -> None:
    """Reading is limited to what is named, writing to one stream; X-Ray knows no resources."""
    key = f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/1"
    stream = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:/group:log-stream:2026/[1]all"
    values: Set = {"endpoint": ENDPOINT, "secret_arns": [SECRET], "kms_key_arns": [key], **AWS}
    values |= {"log_group": "/group", "log_stream": "2026/[1]all"}
    statements = make_statements(values, PLACE)
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        (["secretsmanager:GetSecretValue"], [SECRET]),
        (["kms:Decrypt"], [key]),
        (["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"], ["*"]),
        (["logs:PutLogEvents"], [stream]),
    ]
