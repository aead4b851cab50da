"""Runs inside the environment of a peer: texts from stdin (a JSON list), what the peer makes of each to stdout.

``python redaction_peer.py NAME`` prints ``{"texts": […], "seconds": …}``: each text with what the peer finds cut out or
replaced, and the processor seconds of one pass over all of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

MARK = "\u2588"


def _sentry_relay() -> Callable[[str], str]:
    from sentry_relay.processing import pii_strip_event  # type: ignore[import-not-found]

    # What Relay's data scrubber and its "advanced" defaults switch on.
    rules = ["email", "creditcard", "iban", "usssn", "urlauth", "pemkey", "bearer", "password", "mac", "ip", "uuid"]
    config = {"applications": {"$string": [f"@{rule}:replace" for rule in rules if rule not in ("mac", "ip", "uuid")]}}

    def clean(text: str) -> str:
        event: dict[str, Any] = pii_strip_event(config, {"logentry": {"formatted": text}})
        return str(event["logentry"]["formatted"])

    return clean


def _presidio() -> Callable[[str], str]:
    from presidio_analyzer import predefined_recognizers as known  # type: ignore[import-not-found]

    # The recognisers that need no language model.
    names = ["CreditCardRecognizer", "EmailRecognizer", "IbanRecognizer", "UsSsnRecognizer", "CryptoRecognizer"]
    recognisers = [getattr(known, name)() for name in names]

    def clean(text: str) -> str:
        for recogniser in recognisers:
            for found in recogniser.analyze(text, recogniser.supported_entities, None) or []:
                if found.score >= 0.4:
                    text = text[: found.start] + MARK * (found.end - found.start) + text[found.end :]
        return text

    return clean


def _detect_secrets() -> Callable[[str], str]:
    from detect_secrets.core.scan import scan_line  # type: ignore[import-not-found]
    from detect_secrets.settings import default_settings  # type: ignore[import-not-found]

    def clean(text: str) -> str:
        with default_settings():
            for secret in scan_line(text):
                if secret.secret_value:
                    text = text.replace(secret.secret_value, MARK)
        return text

    return clean


def _scrubadub() -> Callable[[str], str]:
    import scrubadub  # type: ignore[import-not-found]

    scrubber = scrubadub.Scrubber()
    return lambda text: str(scrubber.clean(text))


PEERS = {
    "sentry-relay": _sentry_relay,
    "presidio-analyzer": _presidio,
    "detect-secrets": _detect_secrets,
    "scrubadub": _scrubadub,
}

if __name__ == "__main__":
    peer = PEERS[sys.argv[1]]()
    given = json.load(sys.stdin)
    peer(given[0])
    began = time.process_time()
    done = [peer(text) for text in given]
    json.dump({"texts": done, "seconds": time.process_time() - began}, sys.stdout)
