"""What runs here, as builds and hosting services tell it in variables of their own: release, commit, deployment
environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from otel_errors import semconv
from otel_errors.safe_text import encodable

MAX_CHARACTERS: Final = 256

VERSION_VARIABLES: Final = (
    "APP_VERSION",
    "HEROKU_RELEASE_VERSION",
    "K_REVISION",  # Cloud Run and Knative
    "GAE_VERSION",  # App Engine
    "CI_COMMIT_TAG",  # GitLab; set for tags only, as the next two
    "BITBUCKET_TAG",
    "CIRCLE_TAG",
    "SENTRY_RELEASE",
    "DD_VERSION",
)
REVISION_VARIABLES: Final = (
    "GIT_COMMIT",  # Jenkins, and what many a container file sets
    "GITHUB_SHA",
    "CI_COMMIT_SHA",  # GitLab
    "BITBUCKET_COMMIT",
    "CIRCLE_SHA1",
    "BUILD_SOURCEVERSION",  # Azure Pipelines
    "TRAVIS_COMMIT",
    "BUILDKITE_COMMIT",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "HEROKU_SLUG_COMMIT",
    "VERCEL_GIT_COMMIT_SHA",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "COMMIT_REF",  # Netlify
    "CF_PAGES_COMMIT_SHA",
    "SOURCE_VERSION",  # Heroku's builds, OpenShift
    "DD_GIT_COMMIT_SHA",
)
ENVIRONMENT_VARIABLES: Final = (
    "APP_ENV",
    "DEPLOYMENT_ENVIRONMENT",
    "VERCEL_ENV",
    "RAILWAY_ENVIRONMENT_NAME",
    "CI_ENVIRONMENT_NAME",  # GitLab
    "SENTRY_ENVIRONMENT",
    "DD_ENV",
)
"""Of each list the first that is set counts."""


class Release(NamedTuple):
    """``""`` is unknown."""

    version: str = ""
    revision: str = ""
    """The commit's id."""
    environment: str = ""


UNKNOWN_RELEASE: Final = Release()


def release_of(environment: Mapping[str, str]) -> Release:
    """What the variables of builds and hosting services say. What ``OTEL_RESOURCE_ATTRIBUTES`` sets is left out: that
    is on the resource, and the user's own word.

    >>> release_of({"GITHUB_SHA": "0a1b2c3d", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.4", "APP_ENV": "prod"})
    Release(version='v1.4', revision='0a1b2c3d', environment='prod')
    """
    said = _keys_of(environment.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    version = _first(environment, VERSION_VARIABLES)
    if not version and environment.get("GITHUB_REF_TYPE") == "tag":
        version = _first(environment, ("GITHUB_REF_NAME",))
    return Release(
        "" if semconv.SERVICE_VERSION in said else version,
        "" if semconv.VCS_REF_HEAD_REVISION in said else _first(environment, REVISION_VARIABLES),
        "" if said & _ENVIRONMENT_KEYS else _first(environment, ENVIRONMENT_VARIABLES),
    )


def release_attributes(release: Release) -> dict[str, str]:
    """By the names of the conventions for resources; what is unknown is left out."""
    named = {
        semconv.SERVICE_VERSION: release.version,
        semconv.VCS_REF_HEAD_REVISION: release.revision,
        semconv.DEPLOYMENT_ENVIRONMENT_NAME: release.environment,
    }
    return {key: value for key, value in named.items() if value}


def missing_attributes(release: Release, providers: Iterable[object]) -> dict[str, str]:
    """What of ``release`` the resource of one of the providers does not say: then the error itself has to."""
    if not any(release):
        return {}
    wanted = release_attributes(release)
    missing: dict[str, str] = {}
    for provider in providers:
        found: Any = getattr(getattr(provider, "resource", None), "attributes", None)
        have = found if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            said = _ENVIRONMENT_KEYS if key in _ENVIRONMENT_KEYS else (key,)
            if not any(have.get(name) for name in said):
                missing[key] = value
    return missing


_ENVIRONMENT_KEYS: Final = frozenset({semconv.DEPLOYMENT_ENVIRONMENT_NAME, semconv.DEPLOYMENT_ENVIRONMENT})


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    found = next((text for name in names if (text := environment.get(name, "").strip())), "")
    return encodable("".join(character for character in found[:MAX_CHARACTERS] if character.isprintable()))


def _keys_of(attributes: str) -> frozenset[str]:
    pairs = [pair.partition("=") for pair in attributes.split(",")]
    return frozenset(unquote(key.strip()) for key, equals, value in pairs if equals and value.strip())
