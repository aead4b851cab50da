"""Links out of the pages, from the templates in ``links.*``."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

PLACEHOLDERS = (
    *("trace_id", "span_id", "service_name", "event_id", "support_reference", "from_ms", "to_ms"),
    *("file", "line", "revision", "repository", "release"),
)
_KEPT = {"file": "/", "revision": "/", "repository": ":/"}
"""Characters that a value keeps: a path stays one, and a repository is an address (``source_links.Repository``)."""


def filled(template: str | None, **values: str) -> str | None:
    """``template`` with each ``{name}`` replaced by its value, percent-encoded; other braces stay (Grafana's URLs hold
    JSON).

    None without a template, when a placeholder has no value, and when the result is not an http or https address: a
    ``javascript:`` or ``data:`` link must not reach a page, wherever it came from.
    """
    if not template:
        return None
    url = template
    for name in PLACEHOLDERS:
        mark = "{" + name + "}"
        if mark in url:
            value = values.get(name, "")
            if not value:
                return None
            url = url.replace(mark, quote(value.encode("utf-8", "replace"), safe=_KEPT.get(name, "")))
    url = url.replace(" ", "%20")
    return url if is_web_address(url) else None


def is_web_address(url: str) -> bool:
    """http or https with a host, and without the control characters that browsers drop before they look at the
    scheme."""
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
