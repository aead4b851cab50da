"""What the applications fail with. The text of each error begins with the case, and is for developers only."""

from __future__ import annotations

from otel_errors.app_errors import (
    AuthenticationError,
    AuthorizationError,
    RateLimitError,
    ResourceNotFoundError,
    ServiceUnavailableError,
    ValidationError,
)

INTERNAL = "SELECT pin FROM cards -- /srv/shop/ledger.py"


class Sold(Exception):
    """The applications handle it themselves."""


def error(case):
    text = f"{case}: {INTERNAL}"
    if case == "missing":
        return ResourceNotFoundError(text, resource_id=7)
    if case == "invalid":
        return ValidationError(text, field_errors={"age": "<b>Too low.</b>"})
    if case == "login":
        return AuthenticationError(text, challenge='Bearer realm="shop"')
    if case == "clerk":
        return AuthorizationError(text)
    if case == "busy":
        return RateLimitError(text, retry_after=2.5)
    if case == "down":
        return ServiceUnavailableError(text, service_name="bank", retry_after=5)
    if case == "own":
        return Sold(text)
    return RuntimeError(text)


def stream(case):
    """Two parts of a body, between which it fails; before the first one for the case ``early``."""
    if case != "early":
        yield b"first part\n"
    raise error(case)
    yield b"second part\n"
