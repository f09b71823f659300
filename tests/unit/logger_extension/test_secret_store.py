"""Secrets fetched from real services: all at a time, once, again only when that may help."""

import asyncio
from collections.abc import Iterator

import pytest

from logger_extension.aws import secret_store
from logger_extension.aws.secret_store import SecretStore
from logger_extension.errors import AwsError
from logger_extension.policy.references import Reference, fill_references, find_references
from tests.support.aws_services import CREDENTIALS, AwsServices, run_aws_services

GET_SECRET, GET_PARAMETERS = "secretsmanager.GetSecretValue", "AmazonSSM.GetParameters"
DENIED = (400, '{"__type": "AccessDeniedException", "Message": "hunter2"}')


class Clock:
    """Stands for the wall clock, and stands still."""

    now_ms = 1_795_427_490_000.0

    def __call__(self) -> float:
        """Return milliseconds since 1970."""
        return self.now_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the module a clock of ours."""
    clock = Clock()
    monkeypatch.setattr(secret_store, "_now_ms", clock)
    return clock


@pytest.fixture(scope="module")
def running() -> Iterator[AwsServices]:
    """Run the services."""
    with run_aws_services() as services:
        yield services


@pytest.fixture
def aws(running: AwsServices) -> Iterator[AwsServices]:
    """Return the services with one secret in them, and nothing remembered."""
    running.put_secret("otel/key", '{"api": "hunter2", "port": 4318}')
    running.put_parameter("/otel/key", "param-hunter2")
    running.forget()
    yield running
    running.refusal = None
    running.gate.set()


def _references(*bodies: str) -> frozenset[Reference]:
    return find_references(f"{{{{resolve:{body}}}}}" for body in bodies)


async def _read(store: SecretStore, *bodies: str) -> list[str]:
    """Return what references mean, in their order."""
    values = await store.read(_references(*bodies))
    return [fill_references(f"{{{{resolve:{body}}}}}", values) for body in bodies]


async def test_each_is_fetched_once(aws: AwsServices) -> None:
    """Two keys of one secret are one call, all parameters another; later reads need none."""
    store = SecretStore(aws.environ)
    bodies = (
        "secretsmanager:otel/key:SecretString:api",
        "secretsmanager:otel/key:SecretString:port",
        "ssm-secure:/otel/key",
        "ssm:/otel/key:1",
    )
    for _ in range(2):
        values = await _read(store, *bodies)
        assert values == ["hunter2", "4318", "param-hunter2", "param-hunter2"]
    assert sorted(aws.targets) == [GET_PARAMETERS, GET_SECRET]


async def test_what_is_wanted_is_fetched_together(aws: AwsServices) -> None:
    """All targets say what they need before the first of them asks; three askers, one fetch."""
    store = SecretStore(aws.environ)
    store.want(_references("ssm:/otel/key"))
    asked = [_read(store, "secretsmanager:otel/key::api") for _ in range(3)]
    assert await asyncio.gather(*asked) == [["hunter2"]] * 3
    assert sorted(aws.targets) == [GET_PARAMETERS, GET_SECRET]
    assert await _read(store, "ssm:/otel/key") == ["param-hunter2"]
    assert len(aws.targets) == 2


async def test_a_fetch_outlives_who_asked(aws: AwsServices) -> None:
    """An invocation waits no longer than its budget; the next one finds the secret there."""
    store = SecretStore(aws.environ)
    aws.gate.clear()
    asked = asyncio.create_task(_read(store, "ssm:/otel/key"))
    await asyncio.to_thread(aws.arrived.wait)
    asked.cancel()
    await asyncio.wait({asked})
    assert asked.cancelled()
    aws.gate.set()
    assert await _read(store, "ssm:/otel/key") == ["param-hunter2"]
    assert len(aws.targets) == 1


async def test_the_region_of_an_arn_wins(aws: AwsServices) -> None:
    """Over the function's own."""
    arn = aws.put_secret("elsewhere", "hunter2", region="eu-central-1")
    aws.forget()
    assert await _read(SecretStore(aws.environ), f"secretsmanager:{arn}") == ["hunter2"]
    assert aws.scopes == [("eu-central-1", "secretsmanager")]


async def test_more_parameters_than_a_call_takes(aws: AwsServices) -> None:
    """Ten a call."""
    names = [f"p{n:02}" for n in range(21)]
    for name in names:
        aws.put_parameter(name, f"value of {name}", "String")
    aws.forget()
    values = await _read(SecretStore(aws.environ), *(f"ssm:{name}" for name in names))
    assert values == [f"value of {name}" for name in names]
    assert aws.targets == [GET_PARAMETERS] * 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("secretsmanager:nothing", r"nothing.*there is none of that name in us-east-1"),
        ("ssm:/nothing", r"/nothing.*no such parameter"),
        ("ssm:/otel/key:77", r"no such parameter or version"),
        ("secretsmanager:otel/key:SecretString:nothing", r"otel/key.*'nothing'"),
        ("secretsmanager:binary", r"binary.*bytes"),
        ("secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:x", r"arn:.*:secret:x"),
    ],
)
async def test_what_cannot_be_had(aws: AwsServices, body: str, reason: str) -> None:
    """It is named, with the reason; what else was wanted is there all the same."""
    if body == "secretsmanager:binary":
        aws.put_binary_secret("binary", b"hunter2")
    store = SecretStore(aws.environ)
    store.want(_references("ssm:/otel/key"))
    with pytest.raises(AwsError, match=reason) as caught:
        await _read(store, body)
    assert "hunter2" not in str(caught.value)
    assert await _read(store, "ssm:/otel/key") == ["param-hunter2"]


async def test_denied_access_names_the_permission(aws: AwsServices) -> None:
    """What the service says besides is not repeated."""
    aws.refusal = DENIED
    with pytest.raises(AwsError, match=r"otel/key.*secretsmanager:GetSecretValue") as caught:
        await _read(SecretStore(aws.environ), "secretsmanager:otel/key")
    assert "hunter2" not in str(caught.value)


async def test_failures_are_tried_again_with_pauses(aws: AwsServices, clock: Clock) -> None:
    """Once at once, for a freeze may have broken the first; then after 1 s, 2 s, 4 s, a minute."""
    aws.refusal = DENIED
    store = SecretStore(aws.environ)

    async def count_tries() -> int:
        before = len(aws.targets)
        with pytest.raises(AwsError, match="AccessDenied"):
            await _read(store, "ssm:/otel/key")
        return len(aws.targets) - before

    assert [await count_tries() for _ in range(3)] == [1, 1, 0]
    for pause_ms in (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000):
        clock.now_ms += pause_ms - 1
        assert await count_tries() == 0
        clock.now_ms += 1
        assert await count_tries() == 1
    aws.refusal = None
    clock.now_ms += 60_000
    assert await _read(store, "ssm:/otel/key") == ["param-hunter2"]


async def test_a_new_version_is_found_after_a_while(aws: AwsServices, clock: Clock) -> None:
    """At most every five minutes is asked again; a fetch that fails leaves what there was."""
    aws.put_secret("rotating", "first")
    store = SecretStore(aws.environ)
    wanted = _references("secretsmanager:rotating")
    assert list((await store.read(wanted)).values()) == ["first"]
    aws.put_secret("rotating", "second")
    clock.now_ms += 299_999
    assert list((await store.renew(wanted)).values()) == ["first"]
    clock.now_ms += 1
    aws.refusal = DENIED
    assert list((await store.renew(wanted)).values()) == ["first"]
    aws.refusal = None
    clock.now_ms += 300_000
    assert list((await store.renew(wanted)).values()) == ["second"]
    assert list((await store.read(wanted)).values()) == ["second"]


async def test_nobody_at_the_endpoint(aws: AwsServices, unused_port: int) -> None:
    """The secret is named, and that nobody answers."""
    environ = aws.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused_port}"}
    with pytest.raises(AwsError, match=r"otel/key.*Cannot connect"):
        await _read(SecretStore(environ), "secretsmanager:otel/key")


async def test_an_answer_that_is_none(aws: AwsServices) -> None:
    """Whatever is at the endpoint, it is no service of AWS."""
    aws.refusal = (200, '{"Parameters": ["hunter2"]}')
    with pytest.raises(AwsError, match="the fetch failed"):
        await _read(SecretStore(aws.environ), "ssm:/otel/key")


async def test_without_credentials(aws: AwsServices) -> None:
    """Nothing is asked, and what is missing is told."""
    environ = {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"}
    with pytest.raises(AwsError, match=r"/otel/key.*AWS_ACCESS_KEY_ID"):
        await _read(SecretStore(environ), "ssm:/otel/key")
    assert aws.targets == []


async def test_closing_ends_a_fetch(aws: AwsServices) -> None:
    """Who waits for it is told that there is nothing."""
    store = SecretStore(aws.environ)
    aws.gate.clear()
    asked = asyncio.create_task(_read(store, "ssm:/otel/key"))
    await asyncio.to_thread(aws.arrived.wait)
    await store.close()
    with pytest.raises(AwsError, match="the fetch failed"):
        await asked
    await store.close()


def test_whether_a_snapshot_may_come() -> None:
    """Under SnapStart nothing is fetched ahead."""
    snap = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    assert SecretStore(CREDENTIALS | snap).is_before_snapshot
    assert not SecretStore(CREDENTIALS).is_before_snapshot


async def test_no_secret_is_shown(aws: AwsServices) -> None:
    """Not in the repr of what holds them."""
    store = SecretStore(aws.environ)
    await _read(store, "ssm:/otel/key")
    assert "hunter2" not in repr(store)
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in repr(store.signer)
