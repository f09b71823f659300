"""What the parameters become is what the extension reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.environment import ParameterError, make_variables, write_map
from deploy.parameters import OWN_PREFIX, PARAMETERS, STANDARD_PREFIX, is_given
from logger_extension.config import Config
from logger_extension.environment import Environment
from logger_extension.settings.headers import parse_headers
from tests.support.laws import LAW
from tests.support.parameter_sets import (
    AWS,
    ENDPOINT,
    PLACE,
    REFERENCE,
    REGION,
    Set,
    refuse_alone,
    refuse_together,
    take_sets,
)

TAKEN = dict(take_sets())
REFUSED = {name: values for name, _, values in [*refuse_alone(), *refuse_together()]}


@pytest.mark.parametrize("name", TAKEN)
def test_the_extension_takes_what_is_set(name: str) -> None:
    """Variables made from usable parameters are read without a complaint, and each has a target."""
    variables = make_variables(TAKEN[name], PLACE)
    config = Config.from_env({**variables, "AWS_REGION": REGION})
    assert config.complaints == ()
    assert config.export.logs is not None
    assert config.export.traces is not None
    assert config.export.metrics is not None


@pytest.mark.parametrize("name", TAKEN)
def test_each_given_parameter_sets_its_variable(name: str) -> None:
    """A row with a variable sets it, under the standard name or ours; an absent one does not."""
    values = TAKEN[name]
    prefix = OWN_PREFIX if values.get("own_sdk") else STANDARD_PREFIX
    variables = make_variables(values, PLACE)
    for each in PARAMETERS:
        if each.variable and not each.name.endswith("endpoint"):
            variable = each.variable.replace(STANDARD_PREFIX, prefix)
            assert (variable in variables) == is_given(values.get(each.name)), each.name


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused(name: str) -> None:
    """Unusable parameters are an error that repeats no value."""
    with pytest.raises(ParameterError) as caught:
        make_variables(REFUSED[name], PLACE)
    assert "Bearer" not in str(caught.value)


def test_an_unknown_parameter_is_refused() -> None:
    """A name that is none does not pass unseen."""
    with pytest.raises(ParameterError, match="collector"):
        make_variables({"endpoint": ENDPOINT, "collector": ENDPOINT}, PLACE)


def test_numbers_are_digits() -> None:
    """What Python would write as 2e-07 is written out; a zero is a value."""
    values: Set = {"endpoint": ENDPOINT, "price_request": 2e-07, "log_sample_ratio": 0}
    variables = make_variables(values, PLACE)
    assert variables["LOGGER_EXTENSION_PRICE_REQUEST"] == "0.0000002"
    assert variables["LOGGER_EXTENSION_LOG_SAMPLE_RATIO"] == "0"


NAMES = st.text("abcXYZ-_.!#$%&'*+^`|~09", min_size=1)
TEXTS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="{}"))


@LAW
@given(st.dictionaries(NAMES.map(str.lower), st.tuples(TEXTS, st.booleans(), TEXTS)))
def test_headers_come_out_as_they_went_in(pairs: dict[str, tuple[str, bool, str]]) -> None:
    """Whatever is around a reference, and nothing within it, is encoded."""
    headers = {
        name: f"{before}{REFERENCE if refers else ' '}{after}".strip()
        for name, (before, refers, after) in pairs.items()
    }
    assert parse_headers("HEADERS", write_map(headers), is_grpc=False) == headers


@LAW
@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_attributes_come_out_as_they_went_in(attributes: dict[str, str]) -> None:
    """Any text in names and values comes through, but for blanks that are no spaces at the ends."""
    stripped = {name.strip(): value.strip() for name, value in attributes.items() if name.strip()}
    env = Environment({"OTEL_RESOURCE_ATTRIBUTES": write_map(stripped)})
    assert env.resource_attributes() == stripped
    assert env.complaints == []


def test_collectors_headers_do_not_go_to_aws() -> None:
    """The collector's secret stays with the collector, and requests to AWS stay signed."""
    values: Set = {"endpoint": ENDPOINT, **AWS, "headers": {"authorization": "Bearer {{ssm:otlp}}"}}
    variables = make_variables(values, PLACE)
    export = Config.from_env({**variables, "AWS_REGION": REGION}).export
    assert export.logs is not None
    assert export.traces is not None
    assert export.metrics is not None
    assert set(export.logs.headers) == {"x-aws-log-group", "x-aws-log-stream"}
    assert set(export.traces.headers) == {"accept"}
    assert (export.logs.scope is not None, export.traces.scope is not None) == (True, True)
    assert export.metrics.references
    assert export.metrics.scope is None
