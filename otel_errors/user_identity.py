"""What of the user's id leaves the process: nothing, a keyed hash, or the id itself."""

from __future__ import annotations

import hashlib
import hmac

from otel_errors import semconv
from otel_errors.config import Settings

_DIGITS = 16
"""As many as the processor's own pseudonyms have."""


def user_attributes(user: str, settings: Settings) -> dict[str, str]:
    """``user.id`` or, as 16 hex digits of HMAC-SHA256, ``user.hash``. The same key gives the same user the same
    hash in every service and process."""
    if not user or not settings.send_user:
        return {}
    if settings.send_user == "pseudonym":
        digest = hmac.new(settings.user_key.encode("utf-8", "replace"), user.encode(), hashlib.sha256).hexdigest()
        return {semconv.USER_HASH: digest[:_DIGITS]}
    return {semconv.USER_ID: user}
