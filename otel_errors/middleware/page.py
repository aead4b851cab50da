"""An answered error as a page for people, and as plain text."""

from __future__ import annotations

from html import escape
from typing import Final

from otel_errors.handled import Handled
from otel_errors.messages import default_messages
from otel_errors.safe_text import text_of

__all__ = ["error_page", "plain_text"]

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;margin:0;padding:2rem 1rem}"
    "main{max-width:38rem;margin:0 auto}"
    "h1{font-size:1.5rem;line-height:1.25}"
    ".reference{font-size:1.25rem;letter-spacing:.05em;user-select:all}"
)


def error_page(handled: Handled) -> str:
    """A page of its own: no script, nothing from elsewhere, readable by screen readers and in the dark.

    >>> from otel_errors.app_errors import ResourceNotFoundError
    >>> from otel_errors.handler import ErrorHandler
    >>> page = error_page(ErrorHandler().handle(ResourceNotFoundError("no row 7"), language="de"))
    >>> '<html lang="de" dir="auto">' in page, "<h1>Nicht gefunden</h1>" in page, "no row 7" in page
    (True, True, False)
    """
    title, text, errors = _words(handled)
    messages = handled.messages if handled.messages is not None else default_messages()
    lines = [
        "<!doctype html>",
        f'<html lang="{escape(handled.language)}" dir="auto">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(text)}</p>",
    ]
    if errors:
        lines += [f"<p>{escape(messages.page_text('field-errors', handled.language))}</p>", "<ul>"]
        lines += [f"<li><strong>{escape(field)}</strong>: {escape(detail)}</li>" for field, detail in errors]
        lines.append("</ul>")
    if handled.needs_support:
        label = escape(messages.page_text("reference", handled.language))
        lines += [
            f'<p>{label}: <strong class="reference">{escape(handled.reference)}</strong></p>',
            f"<p>{escape(messages.page_text('reference-hint', handled.language))}</p>",
        ]
    return "\n".join([*lines, "</main>", "</body>", "</html>", ""])


def plain_text(handled: Handled) -> str:
    """The same as text, a line each.

    >>> from otel_errors.app_errors import ValidationError
    >>> from otel_errors.handler import ErrorHandler
    >>> print(plain_text(ErrorHandler().handle(ValidationError("bad", field_errors={"age": "Too low."}))), end="")
    Some of what you entered cannot be used. Please correct it and try again.
    age: Too low.
    """
    lines = [str(handled), *(f"{field}: {detail}" for field, detail in _words(handled)[2])]
    return "\n".join(" ".join(line.split()) for line in lines) + "\n"


def _words(handled: Handled) -> tuple[str, str, list[tuple[str, str]]]:
    """(title, text, errors of fields)"""
    document = handled.problem()
    errors = document.get("errors")
    pairs = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return (
        text_of(document.get("title", handled.message))[0],
        text_of(document.get("detail", handled.message))[0],
        [(text_of(one.get("field", ""))[0], text_of(one.get("detail", ""))[0]) for one in pairs],
    )
