"""What spans and frameworks know of the work that failed: route, method, feature flags; and the task's name."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import django
import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient as AioHttpClient
from aiohttp.test_utils import TestServer
from django.conf import settings as django_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openfeature import api as openfeature
from openfeature.contrib.hook.opentelemetry import TracingHook
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.routing import Route

import otel_errors
from otel_errors import active
from tests.otel_errors.in_memory import Start, Telemetry


def errors_of(telemetry: Telemetry) -> list[dict[str, Any]]:
    found = [attributes for _, attributes in telemetry.events]
    return found + [dict(one.attributes) for one in telemetry.records if "otel_errors.event_id" in one.attributes]


def fastapi_application(provider: TracerProvider | None) -> Callable[[], int]:
    app = FastAPI()

    @app.post("/articles/{number}")
    async def article(number: int) -> None:
        with trace.get_tracer("shop", tracer_provider=provider).start_as_current_span("load"):
            raise LookupError(number)

    if provider is not None:
        FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    client = TestClient(app, raise_server_exceptions=False)
    return lambda: client.post("/articles/7").status_code


def starlette_application(provider: TracerProvider | None) -> Callable[[], int]:
    def article(request: Any) -> None:
        raise LookupError("7")

    app = Starlette(routes=[Route("/articles/{number}", article, methods=["POST"])])
    if provider is not None:
        StarletteInstrumentor.instrument_app(app, tracer_provider=provider)
    client = TestClient(app, raise_server_exceptions=False)
    return lambda: client.post("/articles/7").status_code


def flask_application(provider: TracerProvider | None) -> Callable[[], int]:
    app = flask.Flask("shop")

    @app.post("/articles/<int:number>")
    def article(number: int) -> str:
        with trace.get_tracer("shop", tracer_provider=provider).start_as_current_span("load"):
            raise LookupError(number)

    if provider is not None:
        FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    client = app.test_client()
    return lambda: client.post("/articles/7").status_code


@pytest.mark.parametrize("mode", ["", "logs"])
@pytest.mark.parametrize("spans", ["sampled", "unsampled", "none"])
@pytest.mark.parametrize(
    ("make", "route"),
    [
        (fastapi_application, "/articles/{number}"),
        (starlette_application, "/articles/{number}"),
        (flask_application, "/articles/<int:number>"),
    ],
    ids=["fastapi", "starlette", "flask"],
)
def test_route_and_method_of_a_request(start: Start, mode: str, spans: str, make: Any, route: str) -> None:
    telemetry = start(mode)
    reporter = active.instrumented()
    assert reporter is not None
    providers = {"sampled": reporter.tracer_provider, "unsampled": TracerProvider(sampler=ALWAYS_OFF), "none": None}
    request = make(providers[spans])
    assert request() == 500
    errors = errors_of(telemetry)
    assert len({one["otel_errors.event_id"] for one in errors}) == 1
    first = errors[0]
    assert (first["http.route"], first["http.request.method"]) == (route, "POST")


@pytest.fixture(scope="module")
def _django() -> None:
    if not django_settings.configured:
        django_settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None)
        django.setup()


def _view(request: Any, number: int) -> None:
    raise LookupError(number)


def _urls() -> list[Any]:
    from django.urls import path

    return [path("articles/<int:number>", _view)]


@pytest.mark.usefixtures("_django")
def test_route_and_method_of_a_request_of_django(start: Start) -> None:
    from django.test import Client, override_settings

    telemetry = start()
    urls = type("Urls", (), {"urlpatterns": _urls()})
    with override_settings(ROOT_URLCONF=urls):
        assert Client(raise_request_exception=False).put("/articles/7").status_code == 500
    first = next(one for one in errors_of(telemetry) if one["otel_errors.mechanism"] == "django")
    assert (first["http.route"], first["http.request.method"]) == ("articles/<int:number>", "PUT")


async def test_route_and_method_of_a_request_of_aiohttp(start: Start) -> None:
    telemetry = start()

    async def article(request: web.Request) -> web.Response:
        with telemetry.unsampled.start_as_current_span("load"):
            raise LookupError(request.match_info["number"])

    app = web.Application()
    app.router.add_post("/articles/{number}", article)
    async with AioHttpClient(TestServer(app)) as client:
        response = await client.post("/articles/7")
        assert response.status == 500
    errors = errors_of(telemetry)
    assert (errors[0]["http.route"], errors[0]["http.request.method"]) == ("/articles/{number}", "POST")


def test_a_clients_span_inside_does_not_say_it(start: Start) -> None:
    telemetry = start()
    with telemetry.tracer.start_as_current_span(
        "POST", kind=SpanKind.SERVER, attributes={"http.method": "POST", "http.route": "/pay", "rpc.service": "Till"}
    ):
        client = telemetry.tracer.start_as_current_span(
            "GET", kind=SpanKind.CLIENT, attributes={"http.request.method": "GET"}
        )
        with pytest.raises(OSError, match="reset"), client:
            raise OSError("reset")
    (attributes,) = errors_of(telemetry)
    assert (attributes["http.request.method"], attributes["http.route"]) == ("POST", "/pay")
    assert attributes["rpc.service"] == "Till"


def test_outside_of_requests_nothing_is_said(start: Start) -> None:
    telemetry = start()
    with telemetry.tracer.start_as_current_span("job", kind=SpanKind.CONSUMER, attributes={"http.method": "POST"}):
        otel_errors.capture_exception(ValueError("x"))
    (attributes,) = errors_of(telemetry)
    assert not [key for key in attributes if key.startswith(("http.", "rpc."))]


@pytest.fixture
def flags() -> Iterator[Any]:
    openfeature.set_provider(
        InMemoryProvider(
            {
                "express": InMemoryFlag("on", {"on": True, "off": False}),
                "theme": InMemoryFlag("dark", {"dark": "black", "light": "white"}),
                "rate": InMemoryFlag("slow", {"slow": 3}),
            }
        )
    )
    openfeature.add_hooks([TracingHook()])
    yield openfeature.get_client()
    openfeature.clear_hooks()
    openfeature.clear_providers()


@pytest.mark.parametrize("mode", ["", "logs"])
def test_flags_that_openfeature_decided(start: Start, flags: Any, mode: str) -> None:
    telemetry = start(mode)
    with telemetry.tracer.start_as_current_span("request"):
        assert flags.get_boolean_value("express", False) is True
        otel_errors.set_feature_flag("theme", "mine")
        with telemetry.tracer.start_as_current_span("inner"):
            assert flags.get_integer_value("rate", 0) == 3
            assert flags.get_string_value("theme", "") == "black"
            otel_errors.capture_exception(ValueError("x"))
            try:
                raise KeyError("logged")
            except KeyError:
                logging.getLogger("shop").exception("z")
    with telemetry.tracer.start_as_current_span("another"):
        otel_errors.capture_exception(ValueError("y"))
    errors = {str(one["exception.message"]): one for one in errors_of(telemetry)}
    expected = {
        "otel_errors.feature_flag.express": "on",
        "otel_errors.feature_flag.rate": "slow",
        "otel_errors.feature_flag.theme": "mine",
    }
    for message in ("x", "'logged'"):
        found = {key: value for key, value in errors[message].items() if "feature_flag" in key}
        assert found == expected
    assert not [key for key in errors["y"] if "feature_flag" in key]


async def test_the_name_of_the_task(start: Start) -> None:
    telemetry = start()
    asyncio.get_running_loop().set_exception_handler(lambda loop, situation: None)

    async def captured() -> None:
        otel_errors.capture_exception(ValueError("captured"))
        await asyncio.to_thread(otel_errors.capture_exception, ValueError("in a thread"))

    async def lost() -> None:
        raise ValueError("lost")

    await asyncio.create_task(captured(), name="mail-1")
    task = asyncio.create_task(lost(), name="mail-2")
    await asyncio.wait([task])
    del task
    gc.collect()
    found = {str(one["exception.message"]): one.get("otel_errors.task.name") for one in errors_of(telemetry)}
    assert found == {"captured": "mail-1", "in a thread": None, "lost": "mail-2"}


def test_no_task_no_name_and_always_the_thread(start: Start) -> None:
    telemetry = start("logs/dup")
    with telemetry.tracer.start_as_current_span("s"):
        otel_errors.capture_exception(ValueError("x"))
    errors = errors_of(telemetry)
    assert len(errors) == 2
    for attributes in errors:
        assert "otel_errors.task.name" not in attributes
        assert attributes["thread.id"] == threading.get_ident()
        assert attributes["thread.name"] == threading.current_thread().name
