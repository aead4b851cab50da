"""The scope of a unit of work, across threads, tasks and executors."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor

import otel_errors
from otel_errors import active
from otel_errors.context_text import MAX_CHARACTERS
from otel_errors.scope import EMPTY, MAX_CONTEXTS, MAX_FEATURE_FLAGS, current_scope
from tests.otel_errors.in_memory import Start, raise_it


@pytest.mark.parametrize("path", ["/sync", "/async", "/dependency"])
def test_a_user_set_anywhere_in_a_request_reaches_the_error_of_its_server_span(start: Start, path: str) -> None:
    """A synchronous endpoint or dependency runs in a worker thread, in a copy of the context."""
    telemetry = start(send_user=True)
    app = FastAPI()

    @app.get("/sync")
    def sync() -> None:
        otel_errors.set_user("of the request")
        raise ValueError("x")

    @app.get("/async")
    async def asynchronous() -> None:
        otel_errors.set_user("of the request")
        raise ValueError("x")

    def login() -> None:
        otel_errors.set_user("of the request")

    @app.get("/dependency", dependencies=[Depends(login)])
    async def dependent() -> None:
        raise ValueError("x")

    @app.get("/nobody")
    def nobody() -> None:
        raise KeyError("y")

    reporter = active.instrumented()
    assert reporter is not None
    FastAPIInstrumentor.instrument_app(app, tracer_provider=reporter.tracer_provider)
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get(path).status_code == 500
    assert client.get("/nobody").status_code == 500
    assert [attributes.get("user.id") for _, attributes in telemetry.events] == ["of the request", None]
    assert current_scope() == EMPTY


def test_a_unit_of_work_ends_with_its_outermost_span(start: Start) -> None:
    telemetry = start(send_user=True)
    with telemetry.tracer.start_as_current_span("first"):
        with telemetry.tracer.start_as_current_span("inner"):
            otel_errors.set_user("one")
        assert current_scope().user == "one"
    assert current_scope() == EMPTY
    with telemetry.unsampled.start_as_current_span("second"):
        otel_errors.set_tag("a", "b")
    assert current_scope() == EMPTY


def test_a_call_from_another_process_begins_a_unit_and_unsampled_spans_inside_do_not(start: Start) -> None:
    telemetry = start()
    remote = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(0))
    for parent, tags in ((remote, {}), (trace.SpanContext(1, 2, is_remote=False), {"a": "b"})):
        with otel_errors.scope():
            token = attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
            with telemetry.unsampled.start_as_current_span("first"):
                with telemetry.unsampled.start_as_current_span("inner"):
                    otel_errors.set_tag("a", "b")
                assert current_scope().tags == {"a": "b"}
            assert current_scope().tags == tags
            detach(token)


def test_another_tools_use_span_is_called_and_begins_units_too(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    own = trace.use_span

    @contextlib.contextmanager
    def theirs(*args: Any, **kwargs: Any) -> Iterator[trace.Span]:
        called.append("theirs")
        with own(*args, **kwargs) as span:
            yield span

    monkeypatch.setattr(trace, "use_span", theirs)
    telemetry = start()

    def work() -> None:
        with telemetry.unsampled.start_as_current_span("s"):
            otel_errors.set_tag("a", "b")
            raise_it()

    with pytest.raises(ValueError, match="x"):
        work()
    assert current_scope() == EMPTY
    (record,) = telemetry.records
    assert record.attributes["otel_errors.tag.a"] == "b"
    assert "test_scope" in record.attributes["exception.stacktrace"]
    assert "unsampled.py" not in record.attributes["exception.stacktrace"]
    assert called == ["theirs"]


def test_an_error_that_leaves_a_scope_keeps_what_was_set_in_it(start: Start) -> None:
    telemetry = start(send_user=True)

    def work() -> None:
        with otel_errors.scope():
            otel_errors.set_tag("item", "7")
            with otel_errors.scope():
                otel_errors.set_user("inner")
                raise_it()

    with pytest.raises(ValueError, match="x"), telemetry.tracer.start_as_current_span("s"):
        work()
    ((_, attributes),) = telemetry.events
    assert (attributes["otel_errors.tag.item"], attributes["user.id"]) == ("7", "inner")


def test_threads_and_executors_see_it_where_the_trace_goes(start: Start) -> None:
    telemetry = start()
    seen: list[str] = []
    threads = ThreadingInstrumentor()
    threads.instrument()
    try:
        with telemetry.tracer.start_as_current_span("s"):
            otel_errors.set_user("u")
            thread = threading.Thread(target=lambda: seen.append(current_scope().user))
            thread.start()
            thread.join()
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: seen.append(current_scope().user)).result()
                pool.submit(contextvars.copy_context().run, lambda: seen.append(current_scope().user)).result()
    finally:
        threads.uninstrument()
    assert seen == ["u", "u", "u"]


async def test_tasks_with_a_scope_of_their_own_do_not_see_each_other() -> None:
    async def work(number: int) -> str:
        with otel_errors.scope():
            otel_errors.set_tag("number", str(number))
            await asyncio.sleep(0)
            return current_scope().tags["number"]

    with otel_errors.scope():
        assert await asyncio.gather(*(work(number) for number in range(50))) == [str(number) for number in range(50)]
        assert current_scope().tags == {}


def test_a_decorated_function_has_a_scope_for_each_call() -> None:
    @otel_errors.scope()
    def work(depth: int) -> None:
        otel_errors.set_tag("depth", str(depth))
        if depth:
            work(depth - 1)
        assert current_scope().tags == {"depth": str(depth)}

    work(3)
    assert current_scope() == EMPTY


def test_tags_are_removed_and_flags_are_the_last_ones(start: Start) -> None:
    telemetry = start()
    with otel_errors.scope():
        otel_errors.set_tag("a", "b")
        otel_errors.set_tag("a", None)
        for number in range(MAX_FEATURE_FLAGS + 5):
            otel_errors.set_feature_flag(f"flag{number}", True)
        otel_errors.set_feature_flag("flag10", "blue")
        otel_errors.set_feature_flag("flag11", None)
        otel_errors.capture_exception(ValueError("x"))
    (record,) = telemetry.records
    flags = {key: value for key, value in record.attributes.items() if key.startswith("otel_errors.feature_flag.")}
    assert len(flags) == MAX_FEATURE_FLAGS - 1
    assert flags["otel_errors.feature_flag.flag10"] == "blue"
    assert flags["otel_errors.feature_flag.flag68"] == "true"
    assert "otel_errors.tag.a" not in record.attributes


@pytest.mark.parametrize("mode", ["", "logs"])
def test_contexts_are_on_every_carrier_without_secrets(start: Start, mode: str) -> None:
    telemetry = start(mode)
    with telemetry.tracer.start_as_current_span("s"):
        otel_errors.set_context("cart", {"items": 3, "payment": {"card_number": "4111", "kind": "credit"}})
        otel_errors.set_context("gone", {"a": 1})
        otel_errors.set_context("gone", None)
        otel_errors.capture_exception(ValueError("x"))
        otel_errors.capture_message("y")
        try:
            raise_it()
        except ValueError:
            logging.getLogger("shop").exception("z")
    sent = [attributes for _, attributes in telemetry.events] + [
        dict(record.attributes) for record in telemetry.records
    ]
    assert len(sent) == 3
    for attributes in sent:
        assert json.loads(attributes["otel_errors.context.cart"]) == {
            "items": 3,
            "payment": {"card_number": "[redacted]", "kind": "credit"},
        }
        assert "otel_errors.context.gone" not in attributes


class Hostile(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no")


def test_contexts_are_bounded_whatever_they_are() -> None:
    cycle: dict[str, Any] = {"a": 1}
    cycle["self"] = cycle
    with otel_errors.scope():
        otel_errors.set_context("long", {f"key {number}": "x" * 3000 for number in range(50)})
        otel_errors.set_context("cycle", cycle)
        otel_errors.set_context("hostile", Hostile(a=1))
        otel_errors.set_context("surrogate", {"\ud800": "\udfff"})
        otel_errors.set_context("not a mapping", 7)  # type: ignore[arg-type]
        otel_errors.set_context("", {"a": 1})
        contexts = {name: json.loads(text) for name, text in current_scope().contexts.items()}
        assert max(map(len, current_scope().contexts.values())) <= MAX_CHARACTERS
        assert list(contexts["long"]) == ["key 0", "key 1", "key 2", "…"]
        assert contexts["long"]["…"] == "47 too long"
        assert contexts["cycle"]["a"] == 1
        assert contexts["hostile"] == {}
        assert contexts["not a mapping"] == {"value": 7}
        for text in current_scope().contexts.values():
            text.encode()
        for number in range(50):
            otel_errors.set_context(f"context {number}", {})
        otel_errors.set_context("cycle", {"b": 2})
        assert len(current_scope().contexts) == MAX_CONTEXTS
        assert json.loads(current_scope().contexts["cycle"]) == {"b": 2}
        assert "" not in current_scope().contexts
    assert current_scope() == EMPTY


def test_the_end_in_another_context_is_harmless() -> None:
    block = otel_errors.scope()
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert current_scope() == EMPTY
