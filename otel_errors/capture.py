"""An exception object becomes a ``CapturedException``. Nothing that an exception object can do makes this raise."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from otel_errors.safe_text import text_of
from otel_errors.stack_text import application_traceback, shorten, stack_text

MAX_MESSAGE_CHARACTERS = 16 * 1024
MAX_TYPE_CHARACTERS = 512


@dataclass(frozen=True)
class CapturedException:
    """All texts are valid Unicode and bounded; ``""`` and 0 mean unknown."""

    type: str
    """``module.QualName``; without module for builtins."""
    message: str
    stacktrace: str
    function: str = ""
    """Of the raising frame, with its module: ``shop.payments.charge``."""
    file: str = ""
    line: int = 0
    str_failed: bool = False
    """``str()`` of the exception raises: it must not be handed to code that calls it."""


def capture(exc: BaseException, *, max_stacktrace_bytes: int, max_characters: int | None = None) -> CapturedException:
    """``max_characters`` is the SDK's limit for an attribute's value, which would cut the tail."""
    message, readable = text_of(exc)
    kind = _type_name(exc)
    tb = _application_traceback(exc)
    try:
        text = stack_text(exc, tb)
    except Exception:
        # Half-built objects, the recursion limit, no memory: the type and the message alone are still an error worth
        # having.
        text = f"{kind}: {message}\n"
    kept = message if len(message) <= MAX_MESSAGE_CHARACTERS else message[:MAX_MESSAGE_CHARACTERS] + "…"
    if kept is not message:
        # Else the tail that is kept would hold nothing but message.
        text = text.replace(message, kept)
    function, file, line = _raise_site(tb)
    return CapturedException(
        type=kind,
        message=kept if max_characters is None else kept[:max_characters],
        stacktrace=shorten(text, max_stacktrace_bytes, max_characters),
        function=function,
        file=file,
        line=line,
        str_failed=not readable,
    )


def _application_traceback(exc: BaseException) -> TracebackType | None:
    try:
        return application_traceback(exc)
    except Exception:
        return None


def _type_name(exc: BaseException) -> str:
    kind = type(exc)
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:  # a metaclass can do that
        module, name = "", type.__dict__["__name__"].__get__(kind)
    name = text_of(name)[0]
    if isinstance(module, str) and module and module != "builtins":
        name = f"{text_of(module)[0]}.{name}"
    return name[:MAX_TYPE_CHARACTERS]


def _raise_site(tb: TracebackType | None) -> tuple[str, str, int]:
    try:
        if tb is None:
            return "", "", 0
        while tb.tb_next is not None:
            tb = tb.tb_next
        code = tb.tb_frame.f_code
        function = getattr(code, "co_qualname", code.co_name)
        module = tb.tb_frame.f_globals.get("__name__")
        if isinstance(module, str) and module:
            function = f"{module}.{function}"
        return text_of(function)[0], text_of(code.co_filename)[0], tb.tb_lineno or 0
    except Exception:
        return "", "", 0
