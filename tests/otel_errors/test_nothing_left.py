"""Whatever was replaced in Python, OpenTelemetry and the frameworks is put back, the very object."""

from __future__ import annotations

import json

import pytest

from tests.otel_errors.conftest import Run

SCRIPT = """
    import gc, json, logging, multiprocessing.util, sys, threading, types

    FRAMEWORKS_FIRST = {first!r}

    def imports():
        import aiohttp.web, asyncio, celery.app.trace, celery.signals, concurrent.futures
        import django.core.handlers.base, django.core.handlers.exception, django.core.signals
        import flask, grpc, grpc.aio, gunicorn.glogging, starlette.applications, uvicorn, uvicorn.server, uvloop
        import opentelemetry.instrumentation.exceptions, opentelemetry.instrumentation.logging.handler
        import opentelemetry.sdk._logs, opentelemetry.sdk.trace

    OTHERS = ("otel_errors", "wrapt", "__main__", "importlib", "_frozen_importlib", "zipimport")
    HOOKS = {{("sys", "excepthook"), ("sys", "unraisablehook"), ("threading", "excepthook")}}
    # Caches and notes of classes, which Python fills when it likes.
    SETTLED = {{"_abc_impl", "__doc__", "_dirty", "_registered_with_atexit"}}

    def state():
        # Values and not their ids: a freed one's id would be another's.
        found = {{}}
        for name, module in list(sys.modules.items()):
            if not isinstance(module, types.ModuleType) or name.partition(".")[0] in OTHERS:
                continue
            for key, value in list(vars(module).items()):
                if issubclass(type(value), type) and str(value.__module__).partition(".")[0] not in OTHERS:
                    for attribute, inner in list(vars(value).items()):
                        if attribute not in SETTLED:
                            found[str(value.__module__), value.__qualname__, attribute] = inner
                elif issubclass(type(value), types.FunctionType) or (name, key) in HOOKS:
                    found[name, key] = value
        for name in list(logging.root.manager.loggerDict):
            logger = logging.getLogger(name)
            if not name.startswith("otel_errors"):
                found["filters", name] = list(logger.filters)
                found["handlers", name] = list(logger.handlers)
        for module, signal in (
            ("flask", "got_request_exception"), ("django.core.signals", "got_request_exception"),
            ("celery.signals", "task_failure"), ("celery.signals", "worker_process_shutdown"),
        ):
            if module in sys.modules:
                found[module, signal, "receivers"] = repr(getattr(sys.modules[module], signal).receivers)
        found["gc"] = list(gc.callbacks)
        return found

    def differences(before, after):
        return sorted(
            repr(key) for key in before.keys() | after.keys()
            if before.get(key, "nothing") is not after.get(key, "nothing")
            and not (isinstance(before.get(key), (list, int, str)) and before[key] == after.get(key))
        )

    from otel_errors.instrumentor import ErrorsInstrumentor
    if not FRAMEWORKS_FIRST:
        # The hooks are on when the frameworks are imported, in vain, and off again when what they left is looked for.
        ErrorsInstrumentor().instrument()
        ErrorsInstrumentor().uninstrument()
    imports()
    logging.getLogger("gunicorn.error")  # made when it is first asked for
    # Its own note of the environment, which it makes at the first instrument() of anything.
    from opentelemetry.instrumentation._semconv import _OpenTelemetrySemanticConventionStability as noted
    noted._initialize()
    before = state()
    assert not differences(before, state())
    changed = []
    for _ in range(3):
        ErrorsInstrumentor().instrument()
        ErrorsInstrumentor().instrument()  # refused, with a warning of OpenTelemetry's
        changed.append(len(differences(before, state())))
        try:
            raise ValueError("held")
        except ValueError as error:
            import otel_errors
            otel_errors.capture_exception(error)
        ErrorsInstrumentor().uninstrument()
        ErrorsInstrumentor().uninstrument()
    print(json.dumps({{"changed": changed, "left": differences(before, state())}}))
"""


@pytest.mark.parametrize("first", [True, False], ids=["frameworks first", "hooks first"])
def test_everything_is_put_back(first: bool, run: Run) -> None:
    done = run(SCRIPT.format(first=first), plain=True)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    # Each time the same, no more: nothing is wrapped twice.
    assert len(set(told["changed"])) == 1
    assert told["changed"][0] > 30
    assert told["left"] == []
