"""Release, commit and deployment environment, from what builds and hosting services set."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource, get_aggregated_resources
from opentelemetry.sdk.trace import TracerProvider

from otel_errors.release import (
    ENVIRONMENT_VARIABLES,
    MAX_CHARACTERS,
    REVISION_VARIABLES,
    UNKNOWN_RELEASE,
    VERSION_VARIABLES,
    Release,
    missing_attributes,
    release_of,
)
from otel_errors.resource_detector import ReleaseDetector
from tests.otel_errors.conftest import Run
from tests.otel_errors.receiver import Receiver

SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"


@pytest.mark.parametrize(
    ("names", "field"),
    [(VERSION_VARIABLES, "version"), (REVISION_VARIABLES, "revision"), (ENVIRONMENT_VARIABLES, "environment")],
)
def test_every_variable_is_read_and_the_first_counts(names: tuple[str, ...], field: str) -> None:
    assert len(set(names)) == len(names)
    for name in names:
        assert release_of({name: " x "}) == UNKNOWN_RELEASE._replace(**{field: "x"})
    assert getattr(release_of({name: name for name in names}), field) == names[0]
    assert getattr(release_of({names[0]: " ", names[1]: "x"}), field) == "x"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, UNKNOWN_RELEASE),
        ({"GITHUB_SHA": SHA, "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"}, Release(revision=SHA)),
        ({"GITHUB_SHA": SHA, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v2"}, Release("v2", SHA)),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.version=7", "APP_VERSION": "8", "GIT_COMMIT": SHA}, Release("", SHA)),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.version=", "APP_VERSION": "8"}, Release("8")),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=b, deployment.environment = x", "APP_ENV": "prod"}, UNKNOWN_RELEASE),
        ({"OTEL_RESOURCE_ATTRIBUTES": "vcs.ref.head.revision=x", "GIT_COMMIT": SHA}, UNKNOWN_RELEASE),
        ({"APP_ENV": "pro\nd\udfff"}, Release(environment="prod")),
    ],
)
def test_what_the_user_says_is_left_alone(environment: dict[str, str], expected: Release) -> None:
    assert release_of(environment) == expected


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from([*VERSION_VARIABLES, "OTEL_RESOURCE_ATTRIBUTES"]), st.text(max_size=600)))
def test_any_text_is_bounded(environment: dict[str, str]) -> None:
    assert len(release_of(environment).version) <= MAX_CHARACTERS
    release_of(environment).version.encode()


def test_only_what_a_resource_lacks_is_missing() -> None:
    release = Release("1", SHA, "prod")

    def provider(**attributes: str) -> TracerProvider:
        return TracerProvider(resource=Resource({key.replace("_", "."): text for key, text in attributes.items()}))

    whole = provider(service_version="9", vcs_ref_head_revision="x", deployment_environment="y")
    assert missing_attributes(release, [whole]) == {}
    assert missing_attributes(release, [whole, provider(service_version="9")]) == {
        "vcs.ref.head.revision": SHA,
        "deployment.environment.name": "prod",
    }
    assert len(missing_attributes(release, [object()])) == 3
    assert missing_attributes(UNKNOWN_RELEASE, [object()]) == {}


def test_the_detector_does_not_overwrite_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", SHA)
    monkeypatch.setenv("APP_ENV", "prod")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=mine")
    for order in ("otel_errors", "otel,otel_errors", "*"):
        monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", order)
        attributes = Resource.create().attributes
        assert (attributes["vcs.ref.head.revision"], attributes["deployment.environment.name"]) == (SHA, "mine"), order
    assert Resource.create({"vcs.ref.head.revision": "code"}).attributes["vcs.ref.head.revision"] == "code"
    assert get_aggregated_resources([ReleaseDetector()], Resource({})).attributes == {"vcs.ref.head.revision": SHA}


CODE = """
    import logging
    from opentelemetry import trace
    try:
        with trace.get_tracer("t").start_as_current_span("s"):
            raise ValueError("span")
    except ValueError:
        pass
    try:
        raise ValueError("log")
    except ValueError:
        logging.getLogger("shop").exception("x")
    raise ValueError("end")
"""


def test_on_every_record_where_the_resource_does_not_say_it(run: Run, receiver: Receiver) -> None:
    run(CODE, GITHUB_SHA=SHA, APP_ENV="prod", OTEL_RESOURCE_ATTRIBUTES="service.version=1.4")
    assert {record.attributes["exception.message"] for record in receiver.errors} == {"span", "log", "end"}
    for record in receiver.errors:
        assert record.attributes["vcs.ref.head.revision"] == SHA
        assert record.attributes["deployment.environment.name"] == "prod"
        assert "service.version" not in record.attributes
        assert record.resource["service.version"] == "1.4"
