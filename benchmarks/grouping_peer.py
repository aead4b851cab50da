"""Runs inside the environment of a peer: errors from stdin, the peer's key of each to stdout.

``python grouping_peer.py NAME`` reads a JSON list of ``[type, message]`` and prints ``{"keys": […], "seconds": …}``:
the processor seconds of one pass over all of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def _bugsink(version: str) -> Callable[[str, str], str]:
    import django  # type: ignore[import-untyped, unused-ignore]
    from django.conf import settings

    settings.configure(USE_I18N=False)
    django.setup()
    from issues.grouping_mechanisms import get_grouping_mechanism  # type: ignore[import-not-found]

    mechanism = get_grouping_mechanism(version)

    def key(type_: str, message: str) -> str:
        data = {"exception": {"values": [{"type": type_, "value": message}]}}
        return str(mechanism.grouper(data, *mechanism.get_type_and_value_for_data(data)))

    return key


PEERS: dict[str, Callable[[], Callable[[str, str], str]]] = {
    "bugsink-v1": lambda: _bugsink("bugsink-v1"),
    "bugsink-v2": lambda: _bugsink("bugsink-v2"),
}
"""What its grouping is given of an error: the bare type and the message, which is all of it that it looks at."""

if __name__ == "__main__":
    grouping = PEERS[sys.argv[1]]()
    given = json.load(sys.stdin)
    grouping(*given[0])
    began = time.process_time()
    keys = [grouping(*error) for error in given]
    json.dump({"keys": keys, "seconds": time.process_time() - began}, sys.stdout)
