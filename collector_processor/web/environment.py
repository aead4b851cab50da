"""The templates and what they may call. Autoescape is on for all of them; an unknown name is an error, not an empty
place."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from collector_processor.web.texts import (
    MAX_RAW_CHARACTERS,
    plain_line,
    shortened,
    shortened_middle,
    visible,
    visible_line,
)
from collector_processor.web.times import time_element, utc

HERE = Path(__file__).parent
STATIC = HERE / "static"


def number(value: int) -> str:
    """``12,345``."""
    return f"{value:,}"


@lru_cache(maxsize=1)
def templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        visible=visible,
        visible_line=visible_line,
        plain_line=plain_line,
        shortened=shortened,
        shortened_middle=lambda text: shortened_middle(text, MAX_RAW_CHARACTERS),
        number=number,
        utc=utc,
    )
    environment.globals["style_version"] = style_version()
    return environment


def style_version() -> str:
    """Changes with the style sheet, so that browsers may keep it."""
    return hashlib.sha256((STATIC / "style.css").read_bytes()).hexdigest()[:12]


def page(
    request: Request, name: str, *, now: float, status: int = 200, section: str = "", **context: Any
) -> HTMLResponse:
    """A template as an answer. ``now``: what "ago" counts from, in seconds. Links in templates are relative (``root``),
    so the pages also work below a path of a proxy."""
    template = templates().get_template(name)
    html = template.render(
        root=root_of(request.url.path), now=now, section=section, time=lambda s: time_element(s, now), **context
    )
    return HTMLResponse(html, status_code=status)


def root_of(path: str) -> str:
    """From the page at ``path`` back to the root: ``./`` for ``/``, ``../`` for ``/issues/7``."""
    return "../" * (path.count("/") - 1) or "./"
