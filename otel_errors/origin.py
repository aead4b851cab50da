"""Where an error comes from: the trace context, the scope and the thread of the work that failed, not of the code
that noticed it."""

from __future__ import annotations

import sys
import threading
from contextvars import Context as ContextVariables
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, get_current

from otel_errors.safe_text import text_of
from otel_errors.scope import EMPTY, Scope, current_scope, scope_of

MAX_TASK_NAME_CHARACTERS = 256


@dataclass(frozen=True)
class Origin:
    context: Context
    """Never empty: the logs API takes an empty context for "the current one"."""
    scope: Scope
    thread_id: int
    thread_name: str
    task_name: str = ""
    """Of the asyncio task; ``""`` where none runs."""
    live: bool = False
    """Whether it is the code that runs now, and not what the garbage collector or an event loop tells of afterwards."""

    @property
    def span(self) -> trace.Span:
        return trace.get_current_span(self.context)


def here() -> Origin:
    """The code that runs now."""
    return _in_this_thread(_with_span(get_current()), current_scope())


def of_span(span: trace.Span) -> Origin:
    """The code that runs now, in the trace context of ``span``, which may have been detached a moment ago."""
    return _in_this_thread(trace.set_span_in_context(span), current_scope())


def of_thread(thread: threading.Thread | None) -> Origin:
    """``thread``, in whose last moments this is called."""
    origin = here()
    if thread is None:
        return origin
    context = origin.context
    if not origin.span.get_span_context().is_valid:
        # What contrib's threading instrumentation gave the thread, and took back before its hook was called.
        given = getattr(thread, "_otel_context", None)
        if isinstance(given, Context) and given:
            context = given
    return Origin(context, scope_of(context), thread.ident or 0, thread.name)


def unknown() -> Origin:
    """No trace and no scope: the collector of garbage calls from wherever it happens to run, with somebody else's
    context."""
    return Origin(
        trace.set_span_in_context(trace.INVALID_SPAN, Context()),
        EMPTY,
        threading.get_ident(),
        threading.current_thread().name,
    )


def of_context_variables(variables: ContextVariables | None) -> Origin:
    """A task's or callback's own context, when it can be read; else ``unknown``."""
    if variables is None:
        return unknown()
    try:
        # A copy, because a context that is entered already cannot be entered twice.
        return replace(variables.copy().run(here), live=False)
    except Exception:
        return unknown()


def of_situation(situation: Any) -> Origin:
    """What an event loop gives to its exception handler: the task (which tells its context since Python 3.12), future
    or callback. What runs now is whoever collected it."""
    if not isinstance(situation, dict):
        return unknown()
    task = situation.get("task") or situation.get("future")
    get_context = getattr(task, "get_context", None)
    variables = get_context() if callable(get_context) else getattr(situation.get("handle"), "_context", None)
    origin = of_context_variables(variables if isinstance(variables, ContextVariables) else None)
    return replace(origin, task_name=_name_of(task))


def _name_of(task: Any) -> str:
    try:
        return text_of(task.get_name())[0][:MAX_TASK_NAME_CHARACTERS]
    except Exception:
        return ""


def _in_this_thread(context: Context, scope: Scope) -> Origin:
    thread = threading.current_thread()
    return Origin(context, scope, threading.get_ident(), thread.name, _current_task_name(), live=True)


def _current_task_name() -> str:
    asyncio = sys.modules.get("asyncio")  # not imported for this: without it nothing is a task
    try:
        return _name_of(asyncio.current_task()) if asyncio is not None else ""
    except Exception:  # no loop runs in this thread; asyncio is being imported
        return ""


def _with_span(context: Context) -> Context:
    return context if context else trace.set_span_in_context(trace.INVALID_SPAN, Context())
